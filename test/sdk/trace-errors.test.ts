/** Every way to misuse a lattice that types can't stop, with the message that the user reads. */
import type { StandardSchemaV1 } from '@standard-schema/spec';
import { describe, expect, test } from 'vitest';
import { registry } from '../../bus/protocol/registry.ts';
import { PolaronError, type ErrorCode } from '../../model/errors.ts';
import { after } from '../../sdk/after.ts';
import { registerCodec } from '../../sdk/codec.ts';
import { context } from '../../sdk/context.ts';
import { electron } from '../../sdk/electron.ts';
import { SdkError, WorkflowCancelled, WorkflowFailed } from '../../sdk/errors.ts';
import { lattice } from '../../sdk/lattice.ts';
import { traceLattice } from '../../sdk/trace.ts';
import { trusted } from '../../model/trusted.ts';
import type { Cancelled, Failed, Lattice } from '../../sdk/types.ts';

/** What no type would let through. */
interface Loose {
  (...args: unknown[]): Loose;
  [key: string]: Loose;
  [Symbol.iterator](): Iterator<Loose>;
}
const loose = (x: unknown): Loose => trusted(x);

const mk = electron({ name: 'mk' }, (n: number) => ({ a: [{ b: n }] }));
const add = electron({ name: 'add' }, (a: unknown, b?: unknown) => [a, b]);

function failure(body: () => unknown): PolaronError {
  try {
    body();
  } catch (error) {
    if (error instanceof PolaronError) return error;
    throw error;
  }
  throw new Error('nothing was thrown');
}
const inLattice = (body: (ref: Loose) => unknown): PolaronError =>
  failure(() =>
    traceLattice(
      lattice({ name: 'test' }, () => body(loose(mk(1)))),
      [],
    ),
  );

const HERE = String.raw`\(trace-errors\.test\.ts:\d+\)`;

describe('a Ref', () => {
  const cases: readonly [string, ErrorCode, (ref: Loose) => unknown, string][] = [
    [
      'awaited',
      'REF_AWAITED',
      (r) => loose(r['a'])['then'],
      'Ref<mk#0.a> was awaited HERE: nothing runs while a lattice is traced. Remove `await`.',
    ],
    [
      'in a template string',
      'REF_USED_AS_VALUE',
      (r) => String(r),
      'Ref<mk#0> was used as a number or a string HERE: its value does not exist while the lattice is traced. Compute with it inside an electron.',
    ],
    [
      'in arithmetic',
      'REF_USED_AS_VALUE',
      (r) => Number(r['n']) + 1,
      'Ref<mk#0.n> was used as a number or a string HERE: ',
    ],
    ['compared with <', 'REF_USED_AS_VALUE', (r) => trusted<number>(r) > 1, 'Ref<mk#0> was used as a number'],
    ['in JSON', 'REF_USED_AS_VALUE', (r) => JSON.stringify({ r }), 'Ref<mk#0> was turned into JSON HERE: '],
    ['asked with in', 'REF_USED_AS_VALUE', (r) => 'a' in r, 'Ref<mk#0> was asked whether it has "a" HERE: '],
    [
      'asked with hasOwn',
      'REF_USED_AS_VALUE',
      (r) => Object.hasOwn(r, 'a'),
      'Ref<mk#0> was asked whether it has "a" HERE: ',
    ],
    [
      'iterated',
      'REF_ITERATED',
      (r) => {
        for (const x of r) void x;
      },
      'Ref<mk#0> was iterated HERE: its length is not known yet. Use .map(...), or iterate inside an electron.',
    ],
    ['spread into an array', 'REF_ITERATED', (r) => [...r], 'Ref<mk#0> was iterated HERE: '],
    ['destructured with a rest', 'REF_ITERATED', ([first, ...rest]) => [first, rest], 'Ref<mk#0> was iterated HERE: '],
    [
      'iterated asynchronously',
      'REF_ITERATED',
      (r) => Reflect.get(r, Symbol.asyncIterator),
      'Ref<mk#0> was iterated HERE: ',
    ],
    [
      'spread into an object',
      'REF_SPREAD',
      (r) => ({ ...trusted<object>(r) }),
      'Ref<mk#0> was spread or enumerated HERE: its keys are not known yet. Name the properties that you need.',
    ],
    [
      'destructured as an object with a rest',
      'REF_SPREAD',
      ({ a, ...rest }) => [a, rest],
      'Ref<mk#0> was spread or enumerated HERE: ',
    ],
    [
      'called',
      'REF_CALLED',
      (r) => loose(r['a'])['toFixed']?.(2),
      'Ref<mk#0.a.toFixed> was called HERE: its value does not exist while the lattice is traced. Call methods inside an electron.',
    ],
    ['constructed', 'REF_CALLED', (r) => Reflect.construct(r, []), 'Ref<mk#0> was called with new HERE: '],
    [
      'set',
      'REF_MUTATED',
      (r) => {
        r['a'] = r;
      },
      'Ref<mk#0> was changed (a was set) HERE: Return a new value from an electron.',
    ],
    ['deleted from', 'REF_MUTATED', (r) => delete r['a'], 'Ref<mk#0> was changed (a was deleted) HERE: '],
    [
      'defined on',
      'REF_MUTATED',
      (r) => Object.defineProperty(r, 'a', { value: 1 }),
      'Ref<mk#0> was changed (a was defined) HERE: ',
    ],
    ['frozen', 'REF_MUTATED', (r) => Object.freeze(r), 'Ref<mk#0> was changed (it was frozen) HERE: '],
    [
      'given a prototype',
      'REF_MUTATED',
      (r) => Object.setPrototypeOf(r, null),
      'Ref<mk#0> was changed (its prototype was set) HERE: ',
    ],
  ];
  test.each(cases)('%s raises %s', (_, code, body, message) => {
    const error = inLattice(body);
    expect(error.code).toBe(code);
    expect(error.message.replace(new RegExp(HERE), 'HERE')).toContain(message);
  });

  test('is destructured up to 32 elements without an error', () => {
    traceLattice(
      lattice({ name: 'test' }, () => {
        const [a, , c] = loose(mk(1));
        return [a, c];
      }),
      [],
    );
    const iterator = (r: Loose): unknown => {
      const it = r[Symbol.iterator]();
      for (let i = 0; i < 32; i++) it.next();
      return [];
    };
    traceLattice(
      lattice({ name: 'test' }, () => iterator(loose(mk(1)))),
      [],
    );
  });

  test('awaited in an async function is a rejection, not a hang', async () => {
    let leaked: unknown;
    traceLattice(
      lattice({ name: 'test' }, () => {
        leaked = mk(1);
        return [];
      }),
      [],
    );
    await expect((async () => leaked)()).rejects.toThrow(/Ref<mk#0> was awaited/);
  });
});

describe('a Ref where its value cannot be known', () => {
  test('of another lattice', () => {
    let leaked: unknown;
    traceLattice(
      lattice({ name: 'one' }, () => {
        leaked = loose(mk(1))['a'];
        return [];
      }),
      [],
    );
    const error = inLattice(() => add([leaked]));
    expect(error.code).toBe('FOREIGN_REF');
    expect(error.message).toMatch(
      new RegExp(`^Ref<mk#0\\.a> was used where its value can't be known ${HERE}: it belongs to another lattice`),
    );
    expect(inLattice(() => leaked).code).toBe('FOREIGN_REF');
    expect(inLattice(() => after(trusted([leaked]), () => 1)).code).toBe('FOREIGN_REF');
    expect(inLattice(() => loose(loose(leaked)['map'])(add)).code).toBe('FOREIGN_REF');
  });

  test("of a map's callback, outside of it", () => {
    const leak = (use: (item: Loose) => unknown): PolaronError =>
      inLattice((r) => {
        let leaked: Loose | undefined;
        r['a']?.['map']?.((item: Loose) => {
          leaked = item;
          return item;
        });
        return use(loose(leaked));
      });
    expect(leak((item) => add(item)).message).toMatch(/^Ref<item> was used where .*another \.map callback/);
    expect(leak((item) => item['map']?.(add)).code).toBe('FOREIGN_REF');
    expect(leak((item) => item).code).toBe('FOREIGN_REF');
  });
});

describe('calls', () => {
  test('of an electron or a lattice outside a lattice', () => {
    expect(failure(() => add(1)).message).toMatch(
      new RegExp(
        `^electron "add" was called outside a lattice ${HERE}\\. Call it inside a lattice, or run it here with add\\.local\\(\\.\\.\\.\\)\\.$`,
      ),
    );
    const l = lattice({ name: 'pipe' }, () => 1);
    const error = failure(() => l());
    expect([error.code, error.message]).toEqual([
      'OUTSIDE_LATTICE',
      expect.stringMatching(
        /^lattice "pipe" was called outside a lattice .*dispatch\(pipe\)\(\.\.\.\), or run it here with pipe\.local/,
      ),
    ]);
    expect(failure(() => after(trusted([]), () => 1)).code).toBe('OUTSIDE_LATTICE');
  });

  test('of a lattice inside a lattice trace it there, and say what is wrong with it', () => {
    const late = lattice({ name: 'late' }, () => trusted(Promise.resolve(add(1))));
    const found = inLattice(() => late());
    expect([found.code, found.message]).toEqual(['ASYNC_LATTICE', expect.stringMatching(/^lattice "late" is async /)]);
    const endless: Lattice<[], unknown> = lattice({ name: 'endless' }, () => endless());
    const deep = inLattice(() => endless());
    expect([deep.code, deep.message]).toEqual([
      'SUBLATTICE_DEPTH',
      expect.stringMatching(new RegExp(`^lattice "endless" ${HERE} is called 32 lattices deep`)),
    ]);
  });

  test('with a promise name the argument and the path', () => {
    const error = inLattice(() => add(1, { deep: [Promise.resolve(1)] }));
    expect([error.code, error.message]).toEqual([
      'PROMISE_ARG',
      expect.stringMatching(
        new RegExp(`^add\\[1\\]\\.deep\\[0\\] is a promise ${HERE}: await it before dispatch\\(\\)`),
      ),
    ]);
    expect(inLattice(() => add(trusted(Promise.resolve(1)))).message).toMatch(/^add\[0\] is a promise/);
    expect(inLattice(() => ({ x: Promise.resolve(1) })).code).toBe('PROMISE_ARG');
  });

  test('with what cannot be sent name the argument, the line and the path', () => {
    class Model {
      readonly weights = 1;
    }
    const error = inLattice(() => add(1, { model: { predict: () => 1 } }));
    expect([error.code, error.message]).toEqual([
      'NOT_SERIALISABLE',
      expect.stringMatching(
        new RegExp(
          `^electron "add" ${HERE}, argument 2 is not serialisable at \\$\\.model\\.predict \\(function predict\\)`,
        ),
      ),
    ]);
    expect(inLattice(() => add(new Model())).message).toMatch(
      /argument 1 is not serialisable at \$ \(instance of Model\)/,
    );
    expect(inLattice(() => add(trusted(add))).code).toBe('NOT_SERIALISABLE');
    expect(inLattice(() => new Model()).message).toMatch(/^result of lattice "test" is not serialisable/);
    expect(inLattice(() => add([new Model(), 'x'.repeat(20_000)])).message).toMatch(
      /argument 1 is not serialisable at \$\[0\]/,
    );
  });
});

describe('.map and after', () => {
  test('.map refuses what is neither an electron nor a function', () => {
    const error = inLattice((r) => r['map']?.(5));
    expect([error.code, error.message]).toEqual([
      'MAP_ARG',
      expect.stringMatching(
        new RegExp(`^\\.map\\(\\) got a value of type number ${HERE}; expected an electron, a lattice or a callback$`),
      ),
    ]);
    expect(inLattice((r) => r['map']?.(r)).message).toContain('.map() got a Ref');
    expect(inLattice((r) => r['map']?.()).message).toContain('.map() got undefined');
  });

  test('.map refuses wrong options', () => {
    expect(inLattice((r) => r['map']?.(add, { concurrency: -1 })).message).toMatch(
      /concurrency is -1; expected a whole number/,
    );
    expect(inLattice((r) => r['map']?.(add, { onItemError: 'stop' })).message).toMatch(/onItemError is stop/);
    expect(inLattice((r) => r['map']?.(add, 3)).code).toBe('MAP_ARG');
  });

  test('after refuses parents that are no Refs', () => {
    const error = inLattice((r) => after(trusted([r, 5]), () => 1));
    expect([error.code, error.message]).toEqual([
      'AFTER_ARG',
      expect.stringMatching(
        new RegExp(`^after\\(parents, body\\) ${HERE}: parent 2 is a value of type number; expected a Ref$`),
      ),
    ]);
    expect(inLattice((r) => after(trusted(r), trusted(5))).message).toMatch(
      /its second argument is a value of type number/,
    );
  });
});

describe('async', () => {
  test('a lattice declared async is refused before it is called', () => {
    let called = false;
    const error = failure(() =>
      lattice(
        { name: 'slow' },
        trusted<() => unknown>(async () => {
          called = true;
        }),
      ),
    );
    expect([error.code, error.message]).toEqual([
      'ASYNC_LATTICE',
      expect.stringMatching(new RegExp(`^lattice "slow" is async ${HERE}: a lattice is traced synchronously`)),
    ]);
    expect(called).toBe(false);
  });

  test('so is a promise that a lattice, a callback or the body of after returns', async () => {
    const reject = (): Promise<never> => Promise.reject(new Error('nobody handles this'));
    expect(inLattice(reject).message).toMatch(/^lattice "test" is async/);
    expect(inLattice((r) => r['map']?.(reject)).message).toMatch(/^the callback of \.map\(\) is async/);
    expect(inLattice((r) => r['map']?.(async () => 1)).code).toBe('ASYNC_LATTICE');
    expect(inLattice((r) => after(trusted(r), reject)).code).toBe('ASYNC_LATTICE');
    expect(inLattice((r) => after(trusted(r), async () => 1)).message).toMatch(/^the body of after\(\) is async/);
  });
});

describe('definitions', () => {
  test('without a name are refused with the line', () => {
    const error = failure(() => electron(() => 1));
    expect(error.code).toBe('NO_NAME');
    expect(error.message).toMatch(
      /^an electron needs a name \(trace-errors\.test\.ts:\d+\): use a named function, electron\(async function trainSvm\(\.\.\.\) \{\.\.\.\}\), or \{ name: 'trainSvm' \}\. It identifies the function on the agents\.$/,
    );
    expect(failure(() => lattice(() => 1)).message).toMatch(/^a lattice needs a name \(trace-errors/);
    expect(failure(() => electron({ name: 'polaron:x' }, () => 1)).code).toBe('NO_NAME');
    expect(failure(() => electron({ name: 'x'.repeat(201) }, () => 1)).code).toBe('NO_NAME');
  });

  test('of something that is no function say so', () => {
    expect(failure(() => electron({ name: 'x' }, trusted<() => 1>(5))).message).toMatch(
      /^electron\(\) got number where a function is expected/,
    );
    expect(failure(() => lattice(trusted<() => 1>(5))).message).toMatch(/^lattice\(\) got number/);
    expect(failure(() => traceLattice(add, [])).message).toMatch(/^expected a lattice, got function/);
  });

  test('an executor for an electron that is not there names near ones', () => {
    const l = lattice({ name: 'test' }, () => mk(1));
    const error = failure(() => traceLattice(l, [], { executors: { nk: 'gpu' } }));
    expect([error.code, error.message]).toEqual([
      'UNKNOWN_ELECTRON',
      'executors names "nk", but lattice "test" has no such electron; did you mean "mk"?',
    ]);
  });

  test('a codec that is none is refused; a good one is found by the value codec', () => {
    class Point {
      readonly x: number;
      constructor(x: number) {
        this.x = x;
      }
    }
    expect(failure(() => registerCodec(Point, trusted({ name: 'Point' }))).code).toBe('USAGE');
    registerCodec(Point, { name: 'Point', encode: (p) => p.x, decode: (x: number) => new Point(x) });
    traceLattice(
      lattice({ name: 'test' }, () => add(new Point(1))),
      [],
    );
  });

  test('a trace that throws leaves no trace behind', () => {
    expect(
      inLattice(() => {
        throw new PolaronError('USAGE', 'mine');
      }).message,
    ).toBe('mine');
    expect(registry().builder).toBeUndefined();
    expect(failure(() => add(1)).code).toBe('OUTSIDE_LATTICE');
  });
});

describe('input schemas', () => {
  const check = <T>(test: (x: unknown) => x is T, message: string): StandardSchemaV1<T, T> => ({
    '~standard': {
      version: 1,
      vendor: 'test',
      validate: (value) => (test(value) ? { value } : { issues: [{ message, path: ['k', { key: 0 }] }] }),
    },
  });
  const num = check((x): x is number => typeof x === 'number', 'expected a number');
  const text: StandardSchemaV1<string, number> = {
    '~standard': { version: 1, vendor: 'test', validate: (value) => ({ value: String(value).length }) },
  };
  const late: StandardSchemaV1<number, number> = {
    '~standard': {
      version: 1,
      vendor: 'test',
      validate: async (value) => (value === 1 ? { value: 2 } : { issues: [{ message: 'not one' }] }),
    },
  };
  const f = electron({ name: 'f', input: [num, text] }, (n, length) => [n, length]);

  test('refuse a wrong argument while tracing, and leave Refs to the agent', () => {
    const error = inLattice(() => f(trusted('x'), 'y'));
    expect([error.code, error.message]).toEqual([
      'INPUT_INVALID',
      expect.stringMatching(
        new RegExp(`^electron "f" ${HERE}, argument 1 doesn't fit its schema: \\$\\.k\\[0\\]: expected a number$`),
      ),
    ]);
    traceLattice(
      lattice({ name: 'test' }, () => f(trusted(add(1)), 'y')),
      [],
    );
    expect(inLattice(() => loose(f)(1, 'y', 3)).message).toMatch(/got 3 arguments, but its input has 2 schemas/);
  });

  test('give the function what they make of the arguments, here and where the registry runs it', () => {
    expect(f.local(1, 'four')).toEqual([1, 4]);
    const entry = registry().electrons.findLast((e) => e.name === 'f');
    expect(Reflect.apply(trusted<() => unknown>(entry?.fn), undefined, [1, 'four'])).toEqual([1, 4]);
    expect(failure(() => f.local(trusted('x'), 'y')).message).toMatch(
      /^electron "f" \(trace-errors\.test\.ts:\d+\), argument 1 doesn't fit its schema: \$\.k\[0\]: expected a number$/,
    );
  });

  test('may answer later', async () => {
    const g = electron({ name: 'g', input: [late] }, (n) => n + 1);
    await expect(Promise.resolve(g.local(1))).resolves.toBe(3);
    await expect(Promise.resolve(g.local(5))).rejects.toThrow('not one');
    traceLattice(
      lattice({ name: 'test' }, () => g(5)),
      [],
    );
  });
});

describe('outside of a running electron', () => {
  test('context() is refused, and given inside a local run', () => {
    const error = failure(() => context());
    expect([error.code, error.message]).toEqual([
      'OUTSIDE_ELECTRON',
      expect.stringMatching(new RegExp(`^context\\(\\) was called outside a running electron ${HERE}$`)),
    ]);
    expect(electron({ name: 'ctx' }, () => context().nodeId).local()).toBe('ctx');
  });
});

test('SdkError is the one error class, and the ends of a workflow are of it', () => {
  const base = { id: 'd1', lattice: { name: 'pipe' } };
  const failed = trusted<Failed>({
    ...base,
    status: 'failed',
    error: { node: 'train[3]', message: 'boom', code: 'TASK_THREW' },
    errors: [1, 2],
  });
  const error = new WorkflowFailed(failed);
  expect(error).toBeInstanceOf(SdkError);
  expect([error.code, error.message, error.result]).toEqual([
    'WORKFLOW_FAILED',
    'dispatch d1 of lattice "pipe" failed: electron "train[3]": boom (and 1 more)',
    failed,
  ]);
  expect(new WorkflowCancelled(trusted<Cancelled>({ ...base, status: 'cancelled' }))).toMatchObject({
    code: 'WORKFLOW_CANCELLED',
    message: 'dispatch d1 of lattice "pipe" was cancelled',
  });
});

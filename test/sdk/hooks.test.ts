/** Hooks as users write them: what is refused when they are given, and what they do around a function, here and now. */
import { describe, expect, test } from 'vitest';
import { innermost } from '../../bus/protocol/registry.ts';
import { readCaptures } from '../../bus/capture.ts';
import { PolaronError } from '../../model/errors.ts';
import { trusted } from '../../model/trusted.ts';
import { electronInfoOf } from '../../sdk/builder.ts';
import { context } from '../../sdk/context.ts';
import { electron } from '../../sdk/electron.ts';
import { lattice } from '../../sdk/lattice.ts';
import { lepton } from '../../sdk/lepton.ts';
import { checkNames } from '../../sdk/ship/check-names.ts';
import type { ElectronOptions } from '../../sdk/types.ts';

function errorOf(make: () => unknown): PolaronError {
  try {
    make();
  } catch (error) {
    if (error instanceof PolaronError) return error;
    throw error;
  }
  throw new Error('accepted');
}
const refused = (options: unknown): string => {
  const { code, message } = errorOf(() => electron(trusted<ElectronOptions>(options), function train() {}));
  return `${code} ${message}`;
};

const one = (): number => 1;

describe('hooks', () => {
  test.each([
    [{ before: {} }, 'before is no array of hooks'],
    [{ before: [one] }, 'before hook 1 has no function run'],
    [{ after: [{ run: one }, { run: 5 }] }, 'after hook 2 has no function run'],
    [{ before: [{ run: one, args: 5 }] }, 'args of before hook 1 are no array'],
    [{ before: [{ run: one, as: '' }] }, '`as` of before hook 1 is no name'],
    [{ after: [{ run: one, as: 'x' }] }, 'after hook 1 has `as`: nothing comes after it that could take its result'],
    [
      {
        before: [
          { run: one, as: 'x' },
          { run: one, as: 'x' },
        ],
      },
      'two before hooks give their result as "x"',
    ],
  ])('%j are refused where they are given', (options, message) => {
    expect(refused(options)).toMatch(/^USAGE electron "train" \(hooks\.test\.ts:\d+\): /);
    expect(refused(options)).toContain(message);
  });

  test('run in order around the function, sync or async, with their arguments', async () => {
    const seen: unknown[] = [];
    const note = (...args: unknown[]): void => void seen.push(args);
    const later = async (what: string): Promise<void> => {
      await Promise.resolve();
      seen.push(what);
    };
    const step = electron(
      {
        before: [
          { run: later, args: ['first'] },
          { run: note, args: [1, { two: 2 }] },
        ],
        after: [{ run: later, args: ['last but one'] }, { run: note }],
      },
      async function step(x: number) {
        seen.push('step');
        return x + 1;
      },
    );
    expect(await step.local(1)).toBe(2);
    expect(seen).toEqual(['first', [1, { two: 2 }], 'step', 'last but one', []]);
  });

  test('that are all sync leave a sync function sync', () => {
    const seen: string[] = [];
    const step = electron({ before: [{ run: () => void seen.push('before') }] }, function step(x: number) {
      return x + seen.length;
    });
    expect(step.local(1)).toBe(2);
  });

  test('give the function what they return, each run its own', async () => {
    let opened = 0;
    const step = electron(
      {
        before: [
          { run: async () => ++opened, as: 'db' },
          { run: () => [context().injected['db'], context().nodeId], as: 'seen' },
        ],
      },
      function step(x: number) {
        const { injected } = context();
        return [x, injected['db'], injected['seen'], Object.keys(injected)];
      },
    );
    const two = lattice(function two() {
      return [step(7), step(8)];
    });
    const results = await two.local();
    expect(results.map(([x]) => x)).toEqual([7, 8]);
    expect(results.map(([, db]) => db).toSorted()).toEqual([1, 2]);
    expect(results.map(([, db, seen]) => JSON.stringify(seen) === JSON.stringify([db, db === 1 ? '0' : '1']))).toEqual([
      true,
      true,
    ]);
    expect(results[0]?.[3]).toEqual(['db', 'seen']);
  });

  test('that throw are named, and what comes after them does not run', async () => {
    const seen: string[] = [];
    function checkDisk(): never {
      throw new RangeError('no room');
    }
    const options = { after: [{ run: () => void seen.push('after') }] };
    const sync = electron({ ...options, before: [{ run: checkDisk }] }, function sync() {
      seen.push('ran');
    });
    const error = errorOf(() => sync.local());
    expect(error.code).toBe('HOOK_FAILED');
    expect(error.message).toMatch(/^electron "sync" \(hooks\.test\.ts:\d+\): before hook 1 "checkDisk": no room$/);
    expect(error.cause).toBeInstanceOf(RangeError);
    const late = electron(
      { before: [{ run: () => 1 }, { run: () => Promise.reject(new Error('late')) }] },
      async function late() {
        seen.push('ran');
      },
    );
    await expect(late.local()).rejects.toMatchObject({ message: expect.stringMatching(/: before hook 2: late$/) });
    const whole = lattice(function whole() {
      return late();
    });
    await expect(whole.local()).rejects.toMatchObject({ code: 'HOOK_FAILED' });
    expect(seen).toEqual([]);
  });

  test('after a function are waited for', async () => {
    const seen: string[] = [];
    const late = (what: string, fails = false) => ({
      run: async () => {
        await new Promise((resolve) => setTimeout(resolve, 1));
        seen.push(what);
        if (fails) throw new Error(what);
      },
    });
    const step = electron({ name: 'step', after: [late('one'), late('two')] }, async () => seen.length);
    expect(await step.local()).toBe(0);
    expect(seen).toEqual(['one', 'two']);
    const fails = step.with({ name: 'fails', after: [late('three', true), late('four')] });
    await expect(fails.local()).rejects.toThrow('after hook 1: three');
    expect(seen).toEqual(['one', 'two', 'three']);
  });

  test('after a function that threw do not run; one that throws itself fails what had succeeded', async () => {
    const seen: string[] = [];
    const throws = electron({ after: [{ run: () => void seen.push('after') }] }, async function throws() {
      throw new TypeError('own');
    });
    await expect(throws.local()).rejects.toThrow(TypeError);
    expect(seen).toEqual([]);
    const succeeds = electron({ after: [{ run: () => JSON.parse('{') }] }, function succeeds() {
      return 1;
    });
    expect(errorOf(() => succeeds.local()).message).toMatch(/after hook 1: .*JSON/);
  });

  test('see the validated arguments: schemas stand inside of them', () => {
    const order: string[] = [];
    const schema = {
      '~standard': {
        version: 1,
        vendor: 'test',
        validate: (value: unknown) => {
          order.push('schema');
          return { value };
        },
      },
    } as const;
    const step = electron({ input: [schema], before: [{ run: () => void order.push('before') }] }, function step() {
      order.push('step');
    });
    step.local(1);
    expect(order).toEqual(['before', 'schema', 'step']);
  });
});

test('a lepton has those of its lattice, or its own', async () => {
  const shout = { name: 'shout', language: 'shell', command: 'echo hi', output: 'stdout' } as const;
  const seen: string[] = [];
  const note = (what: string) => ({ before: [{ run: () => void seen.push(what) }] });
  const all = lattice({ electrons: note('of the lattice') }, function all() {
    return [lepton<[], string>(shout)(), lepton<[], string>({ ...shout, ...note('own') })()];
  });
  expect(await all.local()).toEqual(['hi', 'hi']);
  expect(seen.toSorted()).toEqual(['of the lattice', 'own']);
});

describe('with()', () => {
  const plain = electron({ before: [{ run: () => 1, as: 'x' }] }, function plain() {
    return context().injected;
  });

  test('keeps the hooks when it changes other options', () => {
    expect(plain.with({ retries: 2 }).local()).toEqual({ x: 1 });
    expect(plain.with({ name: 'other', retries: 2 }).local()).toEqual({ x: 1 });
  });

  test('gives other hooks to another name only: agents find both by it', () => {
    const hooked = plain.with({ name: 'hooked', before: [{ run: () => 2, as: 'y' }] });
    expect(hooked.local()).toEqual({ y: 2 });
    expect(plain.with({ name: 'bare', before: [] }).local()).toEqual({});
    expect(errorOf(() => plain.with({ before: [] })).message).toMatch(
      /^electron "plain" is given other hooks by with\(\) \(hooks\.test\.ts:\d+\): .* needs a name of its own$/,
    );
  });

  test('defaults() hands hooks on to what is made with them', () => {
    const made = electron.defaults({ before: [{ run: () => 3, as: 'z' }] });
    expect(made({ name: 'made' }, () => context().injected).local()).toEqual({ z: 3 });
    expect(made({ name: 'own', before: [] }, () => context().injected).local()).toEqual({});
  });
});

describe('hooks of a lattice', () => {
  test('of which there are two of one name are refused', () => {
    const [first, second] = [1, 2].map(() => ({
      name: 'polaron:hooks:all',
      fn: () => 1,
      at: 'a.ts:1',
      file: undefined,
    }));
    if (first === undefined || second === undefined) throw new Error('none');
    expect(errorOf(() => checkNames([first, second])).message).toMatch(/^two different lattices are called 'all' \(/);
  });

  const plain = electron(function plain() {
    return Object.keys(context().injected);
  });
  const own = electron({ after: [] }, function own() {
    return Object.keys(context().injected);
  });

  test('run around its electrons that have none of their own, and around those of no other lattice', async () => {
    const inner = lattice(function inner() {
      return plain();
    });
    const all = lattice({ electrons: { before: [{ run: one, as: 'x' }] } }, function all() {
      return [plain(), own(), plain.with({ retries: 1 })(), inner()];
    });
    expect(await all.local()).toEqual([['x'], [], ['x'], []]);
    expect(await inner.local()).toEqual([]);
  });

  test('that throw say which lattice they are of, and wrong ones are refused where they are given', async () => {
    const throwing = { before: [{ run: () => JSON.parse('{') }] };
    const all = lattice({ electrons: throwing }, function all() {
      return plain();
    });
    await expect(all.local()).rejects.toMatchObject({
      code: 'HOOK_FAILED',
      message: expect.stringMatching(
        /^electron "plain", by lattice "all" \(hooks\.test\.ts:\d+\): before hook 1: .*JSON/,
      ),
    });
    expect(
      errorOf(() => lattice({ electrons: { before: [{ run: one, as: '' }] } }, function wrong() {})).message,
    ).toMatch(/^lattice "wrong" \(hooks\.test\.ts:\d+\): `as` of before hook 1 is no name$/);
  });
});

test("what the user's own function captures is compared, not what stands around it", async () => {
  const limit = 5;
  const step = electron({ before: [{ run: () => 1 }] }, function step() {
    return limit;
  });
  const fn = electronInfoOf(step)?.entry.fn;
  if (fn === undefined) throw new Error('no electron');
  expect(innermost(fn)).not.toBe(fn);
  expect(await readCaptures(new Map([['step', fn]]))).toEqual({ step: { limit: 5 } });
});

/** The Python driver by itself, with a real interpreter: values, errors, output, and which interpreter a call gets. */
import * as fc from 'fast-check';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { runPython } from '../../leptons/python.ts';
import type { PythonSpec } from '../../model/lepton.ts';
import { python, pythonWithNumPy } from '../support/python.ts';
import { withRealPart } from '../support/real-part.ts';
import { TestHost } from './host.ts';

const SOURCE = `
import os, sys, time
from helper import shout
from pack.inner import deep

count = 0

def echo(x): return x
def kind(x): return type(x).__module__ + '.' + type(x).__name__ + ' ' + str(getattr(x, 'dtype', ''))
def kinds(xs): return [type(x).__name__ for x in xs]
def made(code): return eval(code, {**globals(), '__import__': __import__})
def pid(): return os.getpid()
def counted():
    global count
    count += 1
    return count
def says(x):
    print('on', x)
    print('on stderr', file=sys.stderr)
    sys.stdout.write('no line end: ä')
    return shout('x') + deep()
def reports():
    import polaron_lepton
    polaron_lepton.progress(0.25, 'a quarter')
    return vars(polaron_lepton.context())
async def later(x):
    import asyncio
    await asyncio.sleep(0.01)
    return x + 1
class Mine(ValueError): pass
def fails(x):
    try:
        return {}[x]
    except KeyError as error:
        raise Mine('no %s here' % x) from error
def leaves(code): sys.exit(code)
def vanishes(): os._exit(7)
def crashes():
    import ctypes
    ctypes.string_at(0)
def waits():
    print('waiting', flush=True)
    time.sleep(60)
def mean(x): return float(x.mean())
def forks():
    import multiprocessing
    with multiprocessing.get_context('fork').Pool(2) as pool:
        return pool.map(deep_of, [1, 2, 3])
def deep_of(x):
    print('in a child', x)
    return x * 2
`;
const SOURCES = {
  'it.py': SOURCE,
  'helper.py': 'def shout(x): return x.upper()',
  'pack/inner.py': 'from .other import word\ndef deep(): return word',
  'pack/other.py': "word = 'deep'",
};
const spec = (fn: string, more: Partial<PythonSpec> = {}): PythonSpec => ({
  language: 'python',
  name: 'it',
  module: 'it',
  function: fn,
  sources: SOURCES,
  folder: 'src/py',
  ...more,
});
const run = (fn: string, ...args: readonly unknown[]): Promise<unknown> => runPython(spec(fn), args, new TestHost());
/** What a Python expression is in JavaScript. */
const made = (code: string): Promise<unknown> => run('made', code);

/** Values that Python has a place for; not among them: undefined, keys that aren't text, dates before the year 1. */
const anything = fc.letrec((tie) => ({
  any: fc.oneof(
    { maxDepth: 4, withCrossShrink: true },
    fc.oneof(
      fc.constantFrom(null, true, false, 0, -0, Number.NaN, Infinity, -Infinity, 2 ** 53, -(2 ** 53)),
      fc.integer(),
      fc.maxSafeInteger(),
      fc.double(),
      fc.bigInt(),
      fc.bigInt({ min: -(2n ** 300n), max: 2n ** 300n }),
      fc.string({ unit: 'binary', maxLength: 400 }),
      fc.date({ noInvalidDate: true, min: new Date('0001-01-02'), max: new Date('9999-12-30') }),
      fc.uint8Array(),
      fc.uint8Array().map((bytes) => Buffer.from(bytes)),
      fc.uint8Array().map((bytes) => bytes.slice().buffer),
      fc.float64Array(),
      fc.float32Array(),
      fc.int16Array(),
      fc.bigUint64Array(),
      fc.webUrl().map((url) => new URL(url)),
      fc.constantFrom(/a+b/gi, /\u{1F600}|[/]/u),
    ),
    fc.array(tie('any'), { maxLength: 20 }),
    fc
      .dictionary(fc.string({ maxLength: 60 }), tie('any'), { noNullPrototype: true })
      .filter((o) => !Object.hasOwn(o, '__proto__')),
    fc.array(fc.tuple(fc.string(), tie('any')), { maxLength: 8 }).map((entries) => new Map(entries)),
    fc.array(fc.string(), { maxLength: 8 }).map((items) => new Set(items)),
  ),
})).any;

withRealPart('python3', python, 'there is none on this machine', (program) => {
  beforeAll(() => {
    process.env['POLARON_PYTHON'] = program;
  });
  afterAll(() => {
    delete process.env['POLARON_PYTHON'];
  });

  describe('values', () => {
    it('come back from Python as they were', async () => {
      await fc.assert(
        fc.asyncProperty(anything, async (x) => {
          expect(await run('echo', x)).toStrictEqual(x);
        }),
        { numRuns: 400 },
      );
    });

    it('keep cycles, and what is met twice', async () => {
      const shared = [1];
      const cycle: Record<string, unknown> = { a: shared, b: shared, m: new Map([['k', shared]]) };
      cycle['self'] = cycle;
      const found = await run('echo', cycle);
      const at = (key: string): unknown => (typeof found === 'object' && found !== null ? Reflect.get(found, key) : 0);
      expect(at('self')).toBe(found);
      expect(at('a')).toBe(at('b'));
      expect(at('m')).toEqual(new Map([['k', [1]]]));
    });

    it('are what a Python programmer expects', async () => {
      const xs = [
        1,
        2 ** 40,
        1.5,
        -0,
        3n,
        'a',
        null,
        undefined,
        [],
        {},
        new Map(),
        new Set(),
        new Date(0),
        new Uint8Array(1),
      ];
      expect(await run('kinds', xs)).toEqual(
        'int int float float BigInt str NoneType NoneType list dict Map set datetime bytes'.split(' '),
      );
    });

    it.each([
      ['(1, 2)', [1, 2]],
      ['{1: 2}', new Map([[1, 2]])],
      ['2**53', 2n ** 53n],
      ['-2**53 + 1', Number.MIN_SAFE_INTEGER],
      ['5.0', 5],
      ["bytearray(b'ab')", new Uint8Array([97, 98])],
      ["frozenset(['b', 'a'])", new Set(['a', 'b'])],
      ["__import__('array').array('h', [1, -2])", new Int16Array([1, -2])],
    ] as const)('%s becomes what it is in JavaScript', async (code, value) => {
      expect(await made(code)).toStrictEqual(value);
    });

    it('have equal bytes for equal sets', async () => {
      const found = await made('{str(i) for i in range(50)}');
      expect([...(found instanceof Set ? found : [])]).toEqual(Array.from({ length: 50 }, (_, i) => String(i)).sort());
    });

    it.each([
      ["{'a': [1, object()]}", '$.a[1]', 'an instance of builtins.object'],
      ["__import__('datetime').datetime(2020, 1, 1)", '$', 'without a time zone'],
      ["['\\ud800']", '$[0]', 'half a surrogate pair'],
      ["{'__proto__': 1}", '$', 'a key named __proto__'],
      ["__import__('decimal').Decimal(1)", '$', 'decimal.Decimal'],
    ])('that would be lost are refused: %s', async (code, path, what) => {
      await expect(made(code)).rejects.toMatchObject({
        code: 'RESULT_NOT_SERIALISABLE',
        message: expect.stringContaining(what),
        details: { path },
      });
    });

    it.each([
      [new Map([[[1], 1]]), '$[0][0]', 'a Map with a list in it'],
      [
        new Map<unknown, number>([
          [1, 1],
          [true, 2],
        ]),
        '$[0][1]',
        'two items that are equal in Python',
      ],
      [{ when: new Date(Number.NaN) }, '$[0].when', 'an invalid date'],
    ])('that Python has no place for are refused: %o', async (value, path, what) => {
      await expect(run('echo', value)).rejects.toMatchObject({
        code: 'LEPTON_ARGUMENT',
        message: expect.stringContaining(what),
        details: { path },
      });
    });
  });

  describe('a call', () => {
    it('imports the files that came along, prints live and in order, reports, and may be async', async () => {
      const host = new TestHost();
      expect(await runPython(spec('says'), [5], host)).toBe('Xdeep');
      expect(host.stdout).toBe('on 5\nno line end: ä');
      expect(host.stderr).toBe('on stderr\n');
      expect(await runPython(spec('reports'), [], host)).toEqual({ dispatch_id: 'd1', node_id: '3', attempt: 2 });
      expect(host.progressed).toEqual([[0.25, 'a quarter']]);
      expect(await run('later', 1)).toBe(2);
    });

    it('that raises is an error with its class, its cause, and the line of the author', async () => {
      const line = SOURCE.split('\n').findIndex((text) => text.includes('raise Mine')) + 1;
      await expect(run('fails', 'key')).rejects.toMatchObject({
        name: 'Mine',
        message: 'no key here',
        stack: `Traceback (most recent call last):\n  File "src/py/it.py", line ${line}, in fails\n    raise Mine('no %s here' % x) from error\nit.Mine: no key here\n`,
        cause: { name: 'KeyError', stack: expect.stringContaining('return {}[x]') },
      });
    });

    it.each([
      ['leaves', [3], { code: 'EXITED', message: expect.stringContaining('exit code 3; return or raise instead') }],
      ['leaves', ['why'], { code: 'EXITED', message: expect.stringContaining('exit code 1: why') }],
      ['vanishes', [], { code: 'EXITED', message: expect.stringContaining('exit code 7') }],
      ['crashes', [], { code: 'CRASHED', message: expect.stringContaining('SIGSEGV') }],
      [
        'leafs',
        [],
        { code: 'LEPTON_SOURCE', message: expect.stringContaining('has no "leafs"; did you mean "leaves"?') },
      ],
      ['SOURCE.x', [], { code: 'LEPTON_SOURCE' }],
      ['count', [], { code: 'LEPTON_SOURCE', message: expect.stringContaining('is no function but int') }],
    ] as const)('of %s%j ends with its reason', async (fn, args, error) => {
      await expect(run(fn, ...args)).rejects.toMatchObject(error);
      expect(await run('echo', 'the next one works')).toBe('the next one works');
    });

    it('of a module that is not there, or can not be imported, says so; an import of its own is its own error', async () => {
      const at = (module: string, sources?: PythonSpec['sources']): Promise<unknown> => {
        const { sources: _, ...other } = spec('f', { module });
        return runPython(sources === undefined ? other : { ...other, sources }, [], new TestHost());
      };
      await expect(at('no_such_module.x')).rejects.toMatchObject({ code: 'LEPTON_SOURCE' });
      await expect(at('it', { 'it.py': 'import no_such' })).rejects.toMatchObject({ name: 'ModuleNotFoundError' });
      await expect(at('it', { 'it.py': 'def f(:' })).rejects.toMatchObject({ name: 'SyntaxError' });
      expect(await runPython(spec('hypot', { module: 'math', sources: {} }), [3, 4], new TestHost())).toBe(5);
    });

    it('without an interpreter says so', async () => {
      process.env['POLARON_PYTHON'] = '/no/such/python';
      try {
        await expect(run('echo', 1)).rejects.toMatchObject({
          code: 'LEPTON_MISSING',
          message: expect.stringContaining('/no/such/python'),
        });
      } finally {
        process.env['POLARON_PYTHON'] = program;
      }
    });

    it('that is cancelled is interrupted, and its interpreter not used again', async () => {
      const host = new TestHost();
      const before = await run('pid');
      const waits = runPython(spec('waits'), [], host);
      while (host.stdout === '') await sleep(1);
      host.cancel('enough');
      await expect(waits).rejects.toThrow('enough');
      expect(await run('pid')).not.toBe(before);
    });

    it('may fork; what its children print bypasses the pipe', async () => {
      expect(await run('forks')).toEqual([2, 4, 6]);
    });
  });

  describe('an interpreter', () => {
    it('is warm for the same module and environment, and another for others; calls at once have one each', async () => {
      const first = await run('pid');
      const before = await run('counted');
      expect(await run('counted')).toBe(Number(before) + 1);
      expect(await run('pid')).toBe(first);
      await expect(run('fails', 1)).rejects.toThrow();
      expect(await run('pid')).toBe(first);
      expect(await runPython(spec('pid', { sources: { ...SOURCES, 'x.py': '' } }), [], new TestHost())).not.toBe(first);
      process.env['LEPTON_TEST'] = '1';
      expect(await run('pid')).not.toBe(first);
      delete process.env['LEPTON_TEST'];
      expect(await run('pid')).toBe(first);
      const both = await Promise.all([run('pid'), run('pid')]);
      expect(new Set(both).size).toBe(2);
      expect(both).toContain(first);
    });
  });

  describe('typed arrays without NumPy', () => {
    it('are arrays of the array module', async () => {
      const sources = { ...SOURCES, 'numpy.py': "raise ImportError('not for this test')" };
      const at = (fn: string, x: unknown): Promise<unknown> => runPython(spec(fn, { sources }), [x], new TestHost());
      expect(await at('kind', new Float32Array(2))).toBe('array.array ');
      for (const x of [new Float32Array([1.5]), new Int8Array([-1]), new BigInt64Array([5n]), new Uint16Array([7])])
        expect(await at('echo', x)).toStrictEqual(x);
    });
  });
});

withRealPart('NumPy', pythonWithNumPy, 'it is not installed', (program) => {
  describe('with NumPy', () => {
    beforeAll(() => {
      process.env['POLARON_PYTHON'] = program;
    });
    afterAll(() => {
      delete process.env['POLARON_PYTHON'];
    });
    const np = (code: string): Promise<unknown> => made(`(lambda np: ${code})(__import__('numpy'))`);

    it('typed arrays are NumPy arrays that may be written to, and come back', async () => {
      expect(await run('kind', new Float64Array(2))).toBe('numpy.ndarray float64');
      expect(await run('mean', new Int32Array([1, 2, 6]))).toBe(3);
      for (const x of [new Float32Array([1.5]), new Int8Array([-1]), new BigUint64Array([5n]), new Uint32Array(0)])
        expect(await run('echo', x)).toStrictEqual(x);
    });

    it.each([
      ['np.arange(3.0)', new Float64Array([0, 1, 2])],
      ['np.arange(6, dtype="i2").reshape(2, 3)', [new Int16Array([0, 1, 2]), new Int16Array([3, 4, 5])]],
      ['np.arange(6, dtype="i4")[::2]', new Int32Array([0, 2, 4])],
      ['np.arange(3, dtype=">u4")', new Uint32Array([0, 1, 2])],
      ['np.array([1, 2], dtype="u1")', new Uint8Array([1, 2])],
      ['np.array([0.5], dtype="f2")', new Float32Array([0.5])],
      ['np.array([True, False])', [true, false]],
      ['np.array(["a", "b"])', ['a', 'b']],
      ['[np.float64(1.5), np.int64(3), np.bool_(True), np.array(7)]', [1.5, 3, true, 7]],
      ['np.zeros((2, 0))', [new Float64Array(0), new Float64Array(0)]],
      ['(lambda x: [x, x])(np.zeros(1))', [new Float64Array(1), new Float64Array(1)]],
    ] as const)('%s', async (code, value) => {
      expect(await np(code)).toStrictEqual(value);
    });

    it.each(['np.array([1j])', 'np.ma.array([1], mask=[True])', 'np.datetime64("2020")', 'np.array([1], dtype="f16")'])(
      '%s would be lost',
      async (code) => {
        await expect(np(code)).rejects.toMatchObject({ code: 'RESULT_NOT_SERIALISABLE' });
      },
    );

    it('an array of 16 MB goes there and back', { timeout: 60_000 }, async () => {
      const x = new Float64Array(2_000_000).fill(1.5);
      const back = await run('echo', x);
      expect(back instanceof Float64Array && back.length === x.length && back.every((one) => one === 1.5)).toBe(true);
    });
  });
});

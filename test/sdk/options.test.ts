/** Options as users write them, and what the hub is told. */
import { describe, expect, test } from 'vitest';
import { DEFAULT_RETRY } from '../../model/graph.ts';
import { PolaronError } from '../../model/errors.ts';
import { electronInfoOf } from '../../sdk/builder.ts';
import { milliseconds } from '../../sdk/durations.ts';
import { electron } from '../../sdk/electron.ts';
import { resolveElectron } from '../../sdk/options.ts';
import { trusted } from '../../model/trusted.ts';
import type { ElectronDef } from '../../model/graph.ts';
import type { ElectronOptions } from '../../sdk/types.ts';

function resolved(
  options: ElectronOptions,
  defaults: ElectronOptions = {},
  executors: Record<string, string> = {},
): ElectronDef {
  const info = electronInfoOf(electron({ name: 'train', ...options }, () => 1));
  if (info === undefined) throw new Error('no electron');
  return resolveElectron(info, { defaults, executors });
}
function refused(options: unknown): string {
  try {
    resolved(trusted<ElectronOptions>(options));
  } catch (error) {
    if (error instanceof PolaronError) return `${error.code} ${error.message}`;
  }
  return 'accepted';
}

test('durations', () => {
  expect(['5s', '500ms', '10m', '1.5h', '1d', 250, 0, '0s'].map((d) => milliseconds(d, 'x'))).toEqual([
    5_000, 500, 600_000, 5_400_000, 86_400_000, 250, 0, 0,
  ]);
  for (const bad of ['5', 's', '5 s', '-1s', -1, Number.NaN, Number.POSITIVE_INFINITY, '', '1.2.3s', null, {}]) {
    expect(() => milliseconds(bad, 'timeout')).toThrow(/^timeout is .* which is not a duration$/);
  }
});

describe('an electron', () => {
  test('without options has the defaults', () => {
    expect(resolved({})).toEqual({
      name: 'train',
      executor: 'process',
      needs: [],
      retries: DEFAULT_RETRY,
      timeouts: { queueMs: 0, attemptMs: 0, totalMs: 0, silenceMs: 0 },
    });
  });

  test('with options says all of them in milliseconds', () => {
    const def = resolved({
      executor: { type: 'gpu', model: 'a100' },
      needs: ['gpu', 'memory>=32GiB'],
      retries: {
        max: 3,
        delay: '2s',
        backoff: 3,
        maxDelay: '1m',
        jitter: 0,
        retryOn: ['TIMEOUT'],
        notOn: ['TypeError'],
      },
      timeout: { attempt: '5s' },
      memoryMb: 512,
      env: { A: 'b' },
    });
    expect(def).toEqual({
      name: 'train',
      executor: 'gpu',
      executorOptions: { model: 'a100' },
      needs: ['gpu', 'memory>=32GiB'],
      retries: {
        max: 3,
        delayMs: 2_000,
        backoff: 3,
        maxDelayMs: 60_000,
        jitter: 0,
        retryOn: ['TIMEOUT'],
        notOn: ['TypeError'],
      },
      timeouts: { queueMs: 0, attemptMs: 5_000, totalMs: 0, silenceMs: 0 },
      memoryMb: 512,
      env: { A: 'b' },
    });
    expect(resolved({ retries: 2, timeout: '3s' })).toMatchObject({
      retries: { ...DEFAULT_RETRY, max: 2 },
      timeouts: { attemptMs: 3_000 },
    });
    expect(resolved({ timeout: { queue: '1m', attempt: 500, total: '1h', silence: '30s' } })).toMatchObject({
      timeouts: { queueMs: 60_000, attemptMs: 500, totalMs: 3_600_000, silenceMs: 30_000 },
    });
  });

  test.each([
    [
      { retries: -1 },
      /^USAGE electron "train" \(options\.test\.ts:\d+\): retries is -1; expected a whole number of at least 0$/,
    ],
    [{ retries: 1_001 }, /retries is 1001; expected a whole number of at least 0 and at most 1000/],
    [{ retries: { max: 1.5 } }, /retries\.max is 1\.5/],
    [{ retries: { max: 1, jitter: 2 } }, /retries\.jitter is 2; expected 0 to 1/],
    [{ retries: { max: 1, backoff: 0 } }, /retries\.backoff is 0/],
    [{ retries: { max: 1, retryOn: 'TIMEOUT' } }, /retries\.retryOn is "TIMEOUT"; expected an array of strings/],
    [
      { timeout: '5 weeks' },
      /^USAGE electron "train" \(options\.test\.ts:\d+\): timeout is "5 weeks", which is not a duration$/,
    ],
    [{ timeout: { attempt: 'x' } }, /timeout\.attempt is "x"/],
    [{ executor: 5 }, /executor is 5; expected a name/],
    [{ needs: 'gpu' }, /needs is "gpu"/],
    [{ memoryMb: 0 }, /memoryMb is 0/],
    [{ concurrency: 4 }, /concurrency is 4; expected a key and a limit, such as \{ key: 'db', limit: 4 \}/],
    [{ concurrency: { key: '', limit: 1 } }, /concurrency\.key is ""; expected a text of 1 to 200 characters/],
    [{ concurrency: { key: 'db', limit: 0 } }, /concurrency\.limit is 0; expected a whole number of at least 1/],
    [{ exclusive: 'yes' }, /exclusive is "yes"; expected true or false/],
    [{ env: { A: 1 } }, /env is \{"A":1\}; expected an object of strings/],
    [{ env: { 'A B': '1' } }, /a name in env is "A B"; expected letters, digits and _/],
    [{ env: { POLARON_URL: 'x' } }, /a name in env is "POLARON_URL"/],
    [{ env: { A: 'x\0y' } }, /env\.A is .*; expected text without a zero character/],
  ])('with %j is refused', (options, message) => {
    expect(refused(options)).toMatch(message);
  });

  test('with dependencies says them in one form, however they were written', () => {
    const deps = {
      pip: ['numpy==2.1.0', 'attrs', 'numpy==2.1.0'],
      npm: { sharp: '^0.35.0', '@a/b': '1' },
      shell: ['b', 'a'],
    };
    expect(JSON.stringify(resolved({ deps }).deps)).toBe(
      JSON.stringify({
        npm: { '@a/b': '1', sharp: '^0.35.0' },
        pip: ['attrs', 'numpy==2.1.0'],
        shell: ['b', 'a'],
      }),
    );
    expect(resolved({ deps }).at).toMatch(/^options\.test\.ts:\d+$/);
    expect(resolved({ deps: { npm: {}, pip: [], shell: [] } })).not.toHaveProperty('deps');
  });

  test.each([
    [{ deps: ['sharp'] }, /deps is \["sharp"\]; expected an object/],
    [{ deps: { nmp: {} } }, /deps\.nmp is not known; did you mean npm\?/],
    [{ deps: { conda: [] } }, /deps\.conda is not known; there are npm, pip and shell/],
    [{ deps: { npm: ['sharp'] } }, /deps\.npm is \["sharp"\]; expected an object of package → version/],
    [{ deps: { npm: { 'no name': '1' } } }, /deps\.npm names "no name", which is no name of a package/],
    [{ deps: { npm: { sharp: '' } } }, /deps\.npm\.sharp is ""; expected a version/],
    [{ deps: { npm: { mine: 'file:../mine' } } }, /deps\.npm\.mine is "file:\.\.\/mine": an agent has no such path/],
    [{ deps: { pip: 'numpy' } }, /deps\.pip is "numpy"; expected an array of strings/],
    [{ deps: { pip: ['numpy\n--index-url x'] } }, /deps\.pip holds .*; expected a line of text/],
    [{ deps: { shell: [' '] } }, /deps\.shell holds " "/],
  ])('with the dependencies %j is refused', (options, message) => {
    expect(refused(options)).toMatch(message);
    expect(refused(options)).toMatch(/^USAGE electron "train" \(options\.test\.ts:\d+\): /);
  });

  test('with `cache` says what counts besides code and inputs, and how old a value may be', () => {
    expect(resolved({ cache: true }).cache).toEqual({});
    expect(resolved({ cache: {} }).cache).toEqual({});
    expect(resolved({ cache: Object.assign(Object.create(null), { key: 'v2' }) }).cache).toEqual({ key: 'v2' });
    expect(resolved({ cache: { key: 'v2', ttl: '2h' } }).cache).toEqual({ key: 'v2', ttlMs: 7_200_000 });
    expect(resolved({ cache: false })).not.toHaveProperty('cache');
  });

  test.each<[object, RegExp]>([
    [{ cache: 'yes' }, /cache is "yes"; expected true, false, or a plain object such as \{ ttl: '1d' \}/],
    [{ cache: null }, /cache is null; expected true, false, or a plain object/],
    [{ cache: [] }, /cache is \[\]; expected true, false, or a plain object/],
    [{ cache: new Date(0) }, /cache is "1970-01-01T00:00:00\.000Z"; expected true, false, or a plain object/],
    [{ cache: new Map([['ttl', '1d']]) }, /cache is \{\}; expected true, false, or a plain object/],
    [{ cache: { ttl: 'soon' } }, /cache\.ttl is "soon", which is not a duration/],
    [{ cache: { ttl: -1 } }, /cache\.ttl is -1, which is not a duration/],
    [{ cache: { ttl: 0 } }, /cache\.ttl is 0; expected more than 0: else no value would ever be taken/],
    [{ cache: { key: '' } }, /cache\.key is ""; expected a text of 1 to 200 characters/],
    [{ cache: { key: 7 } }, /cache\.key is 7; expected a text/],
    [{ cache: { tll: '1d' } }, /an option of cache is "tll"; expected key or ttl/],
  ])('with %j is refused, with the place', (options, message) => {
    expect(refused(options)).toMatch(message);
    expect(refused(options)).toMatch(/^USAGE electron "train" \(options\.test\.ts:\d+\): /);
  });

  test('with `isolation` has the executor `thread`, and what is nearer wins', () => {
    const thread = { executor: 'thread' };
    expect(resolved({ isolation: 'thread' })).toMatchObject(thread);
    expect(resolved({ isolation: 'thread', executor: 'process' })).toMatchObject(thread);
    expect(resolved({ isolation: 'thread', executor: 'thread' })).toMatchObject(thread);
    expect(resolved({}, { isolation: 'thread' })).toMatchObject(thread);
    expect(resolved({ isolation: 'thread' }, { executor: 'ssh' })).toMatchObject(thread);
    expect(resolved({ executor: 'ssh' }, { isolation: 'thread' })).toMatchObject({ executor: 'ssh' });
    expect(resolved({ isolation: 'process' }, { isolation: 'thread' })).toMatchObject({ executor: 'process' });
    expect(resolved({ isolation: 'process' }, { executor: 'ssh' })).toMatchObject({ executor: 'ssh' });
    expect(resolved({ isolation: 'thread' }, {}, { train: 'gpu' })).toMatchObject({ executor: 'gpu' });
  });

  test.each<[ElectronOptions, RegExp]>([
    [{ isolation: 'thread', executor: 'ssh' }, /isolation is "thread"; expected one that goes with executor "ssh"/],
    [{ isolation: 'process', executor: 'thread' }, /isolation is "process"; expected one that goes with executor "thr/],
    [{ isolation: 'thread', exclusive: true }, /it can't run in a thread: it is exclusive, and/],
    [trusted({ isolation: 'vm' }), /isolation is "vm"; expected 'process' or 'thread'/],
    [{ executor: 'thread', exclusive: true }, /it can't run in a thread: it is exclusive, and/],
  ])('with %j asks for what does not go together', (options, message) => {
    expect(refused(options)).toMatch(message);
    expect(refused(options)).toMatch(/^USAGE electron "train" \(options\.test\.ts:\d+\): /);
  });

  test('of a factory with defaults inherits them, and `with` changes them', () => {
    const gpu = electron.defaults({ executor: 'gpu', retries: 5 });
    const one = gpu({ name: 'one', retries: 1 }, () => 1);
    expect(one.options).toEqual({ name: 'one', executor: 'gpu', retries: 1 });
    expect(gpu.defaults({ memoryMb: 5 })(function two() {}).options).toEqual({
      executor: 'gpu',
      retries: 5,
      memoryMb: 5,
    });
    const other = one.with({ executor: 'cpu', name: 'other' });
    expect([other.electronName, other.options]).toEqual(['other', { name: 'other', executor: 'cpu', retries: 1 }]);
    expect(one.with({ name: 'other' }).with({ retries: 0 }).electronName).toBe('other');
    const ident = electron.generic(<T>(x: T) => x, { name: 'ident', retries: 1 });
    expect(electronInfoOf(ident)).toMatchObject({ name: 'ident', options: { retries: 1 } });
  });
});

/** `.local()`: a lattice in this process, with the values that a real run would give. */
/* oxlint-disable typescript/no-non-null-assertion -- an element of a Ref is always there; noUncheckedIndexedAccess can't know */
import { existsSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { after } from '../../sdk/after.ts';
import { context } from '../../sdk/context.ts';
import { electron } from '../../sdk/electron.ts';
import { SdkError } from '../../sdk/errors.ts';
import { lattice } from '../../sdk/lattice.ts';
import { trusted } from '../../model/trusted.ts';

const add = electron(async function add(a: number, b: number) {
  return a + b;
});
const range = electron(function range(n: number) {
  return Array.from({ length: n }, (_, i) => i);
});
const double = electron(function double(n: number) {
  return 2 * n;
});
const sum = electron(function sum(xs: readonly number[]) {
  return xs.reduce((a, b) => a + b, 0);
});
const mk = electron(function mk(n: number) {
  return {
    a: [{ b: n }],
    pair: [n, String(n)] as [number, string],
    when: new Date(0),
    nil: null as { x: number } | null,
  };
});

const failing = electron(function failing(): number {
  throw new TypeError('boom');
});

const run = (body: () => unknown): Promise<unknown> => lattice({ name: 'run' }, body).local();

describe('a local run', () => {
  test('resolves paths, tuples and nested Refs, and returns what the lattice stands for', async () => {
    const pipeline = lattice(function pipeline(n: number) {
      const made = mk(n);
      const [first, text] = made.pair;
      return { sum: add(made.a[0]!.b, first), text, when: made.when, gone: made.nil?.x, plain: [n] };
    });
    const value: { sum: number; text: string; when: Date; gone: number | undefined; plain: number[] } =
      await pipeline.local(4);
    expect(value).toEqual({ sum: 8, text: '4', when: new Date(0), gone: undefined, plain: [4] });
  });

  test('gives each electron its own copy, as an agent would', async () => {
    const push = electron({ name: 'push' }, (xs: number[]) => xs.push(1));
    await expect(
      run(() => {
        const xs = range(2);
        return [push(xs), push(xs), xs];
      }),
    ).resolves.toEqual([3, 3, [0, 1]]);
  });

  test('maps over what is only known at run time, nested and over maps', async () => {
    await expect(run(() => sum(range(4).map(double)))).resolves.toBe(12);
    await expect(run(() => range(0).map(double))).resolves.toEqual([]);
    await expect(
      run(() => {
        const base = add(10, 0);
        return range(3)
          .map((n, i) => ({ i, n, row: range(n).map((m) => add(m, base)) }))
          .map((r) => r.row);
      }),
    ).resolves.toEqual([[], [10], [10, 11]]);
  });

  test('runs at most `concurrency` items at once', async () => {
    let running = 0;
    let most = 0;
    const slow = electron({ name: 'slow' }, async (n: number) => {
      most = Math.max(most, ++running);
      await new Promise((resolve) => setImmediate(resolve));
      running -= 1;
      return n;
    });
    await expect(run(() => range(6).map(slow, { concurrency: 2 }))).resolves.toEqual([0, 1, 2, 3, 4, 5]);
    expect(most).toBe(2);
    most = 0;
    await run(() => range(6).map(slow));
    expect(most).toBe(6);
  });

  test('keeps the order that `after` asks for', async () => {
    const seen: string[] = [];
    const slow = electron({ name: 'slow' }, async (name: string) => {
      await new Promise((resolve) => setImmediate(resolve));
      seen.push(name);
    });
    const quick = electron({ name: 'quick' }, (name: string) => {
      seen.push(name);
    });
    await run(() => {
      after(slow('first'), () => quick('second'));
      quick('zeroth');
      return [];
    });
    expect(seen).toEqual(['zeroth', 'first', 'second']);
  });

  test('passes large literals', async () => {
    const size = electron({ name: 'size' }, (x: Float64Array) => x.length);
    const big = new Float64Array(10_000);
    await expect(run(() => [size(big), size(big)])).resolves.toEqual([10_000, 10_000]);
  });

  test('has metadata, and a scratch folder that is removed however it ends', async () => {
    const folders: string[] = [];
    const use = electron({ name: 'use' }, async (fails: boolean) => {
      const { scratchDir, metadata, latticeName, electronName, user, log, progress } = context();
      writeFileSync(join(scratchDir, 'left'), 'behind');
      folders.push(scratchDir);
      log('used', { fails });
      progress(1);
      if (fails) throw new Error('as told');
      return [metadata, latticeName, electronName, user];
    });
    const options = { name: 'outer', metadata: { team: 'a' } };
    await expect(lattice(options, () => use(false)).local()).resolves.toEqual([{ team: 'a' }, 'outer', 'use', 'local']);
    await expect(lattice(options, () => use(true)).local()).rejects.toThrow('as told');
    await expect(use.local(false)).resolves.toEqual([{}, 'local', 'use', 'local']);
    const sync = electron({ name: 'sync' }, () => context().scratchDir);
    folders.push(sync.local());
    expect(folders.map((folder) => existsSync(folder))).toEqual([false, false, false, false]);
  });

  test('has a context', async () => {
    const who = electron({ name: 'who' }, () => [context().nodeId, context().dispatchId, context().attempt]);
    await expect(run(() => [who(), who(), range(2).map(() => who())])).resolves.toEqual([
      ['0', 'local', 1],
      ['1', 'local', 1],
      [
        ['3[0].0', 'local', 1],
        ['3[1].0', 'local', 1],
      ],
    ]);
  });
});

describe('a failure in a local run', () => {
  const caught = async (body: () => unknown): Promise<SdkError> => {
    const error: unknown = await run(body).then(
      () => undefined,
      (e: unknown) => e,
    );
    if (error instanceof SdkError) return error;
    throw new Error(`expected an SdkError, got ${String(error)}`);
  };

  test("names the electron and keeps the user's error as its cause", async () => {
    const error = await caught(() => add(failing(), 1));
    expect([error.code, error.message]).toEqual(['TASK_THREW', 'electron "failing" failed: boom']);
    expect(error.cause).toBeInstanceOf(TypeError);
    expect((await caught(() => range(3).map(() => failing()))).message).toBe('electron "failing[0]" failed: boom');
  });

  test('of what the output does not need leaves the output alone', async () => {
    await expect(
      run(() => {
        failing();
        return add(1, 1);
      }),
    ).resolves.toBe(2);
  });

  test('of a result that cannot be sent, a path that cannot be read, and a map over no array are the same as in a real run', async () => {
    const bad = electron({ name: 'bad' }, () => ({ f: () => 1 }));
    expect(await caught(() => bad())).toMatchObject({
      code: 'RESULT_NOT_SERIALISABLE',
      message: expect.stringMatching(/^electron "bad": result is not serialisable at \$\.f/),
    });
    expect(await caught(() => double(trusted<{ a: { b: { c: number } }[] }>(mk(1)).a[0]!.b.c))).toMatchObject({
      code: 'REF_PATH',
    });
    expect(await caught(() => trusted<{ map(x: unknown): unknown }>(mk(1)).map(double))).toMatchObject({
      code: 'MAP_ARG',
      message: expect.stringMatching(
        /^map "double" \(local\.test\.ts:\d+\): the value that it runs over is not an array but of type object$/,
      ),
    });
  });
});

/** Lattices inside lattices through a whole system: values, failures, cancels both ways, restarts. */
import { mkdtempSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { cancel, dispatch, dispatchSync, getResult, type Result } from 'polaron';
import { RealHub } from '../support/real-hub.ts';
import { until } from '../support/until.ts';
import { all, bottomless, countdown, failing, promising, waiting } from './workflows/sublattices.ts';

const hub = new RealHub({ start: ['--slots', '4'] });
let folder: string;
beforeAll(async () => {
  await hub.start();
  folder = mkdtempSync(join(hub.home, 'gates-'));
});
afterAll(() => hub.close());

const ALL = {
  known: 6,
  drawn: { total: 4, length: 5 },
  both: 10,
  each: [100, 101, 102, 103, 104],
};
const innerOf = async (result: Result<unknown>, name: string): Promise<string> => {
  const { subDispatch } = await result.electrons.get(name);
  if (subDispatch === undefined) throw new Error(`${name} has no dispatch of its own`);
  return subDispatch;
};

/** The gate of its inner one waits. */
const opens = (id: string): Promise<void> =>
  until(async () => (await getResult(id)).electrons.counts.running === 1, 'the inner one begins');

describe('a lattice inside another', { timeout: 60_000 }, () => {
  it('gives its value, drawn at once or from values that are made later, in a map, too', async () => {
    const result = await dispatchSync(all)(5);
    expect(result).toMatchObject({ status: 'completed', value: ALL });
    expect(result.electrons.counts).toEqual({ completed: 16 });
    expect(await all.local(5)).toEqual(ALL);
    const inner = await getResult(await innerOf(result, 'totalOf'));
    expect([inner.status, inner.parent, inner.lattice.name]).toEqual(['completed', result.id, 'totalOf']);
  });

  it('that fails names the inner electron and keeps its error; what does not need it goes on', async () => {
    const result = await dispatchSync(failing)('no luck');
    if (result.status !== 'failed') throw new Error(result.status);
    expect(result.error).toMatchObject({
      node: 'middle',
      code: 'TASK_THREW',
      message: 'inner: breaks: no luck',
      cause: { cause: { message: 'no luck', stack: expect.stringContaining('breaks') } },
    });
    expect((await result.electrons.get('add')).status).toBe('completed');
  });

  it('is cancelled with the one around it, and ends that when it is cancelled itself', async () => {
    const begun = async (name: string): Promise<{ readonly id: string; readonly inner: string }> => {
      const id = await dispatch(waiting)(join(folder, name));
      await opens(id);
      return { id, inner: await innerOf(await getResult(id), 'opened') };
    };
    const outer = await begun('never');
    await cancel(outer.id);
    expect((await getResult(outer.inner, { wait: true })).status).toBe('cancelled');
    const other = await begun('never');
    await cancel(other.inner);
    const result = await getResult(other.id, { wait: true });
    expect([result.status, (await result.electrons.get('opened')).status]).toEqual(['cancelled', 'cancelled']);
  });

  it('goes on after the hub was killed', async () => {
    const file = join(folder, 'later');
    const id = await dispatch(waiting)(file);
    await opens(id);
    await hub.kill(hub.file().pid);
    await hub.start();
    writeFileSync(file, '');
    expect(await getResult(id, { wait: true })).toMatchObject({ status: 'completed', value: 9 });
  });

  it('may call itself, and is stopped when it does so without an end', async () => {
    expect(await dispatchSync(countdown)(3)).toMatchObject({ status: 'completed', value: 0 });
    const result = await dispatchSync(bottomless)(0);
    if (result.status !== 'failed') throw new Error(result.status);
    expect([result.error.code, result.error.message]).toEqual([
      'SUBLATTICE_DEPTH',
      expect.stringContaining('32 lattices'),
    ]);
  });

  it('that returns a promise when it is drawn on an agent says where it is', async () => {
    const result = await dispatchSync(promising)(2);
    if (result.status !== 'failed') throw new Error(result.status);
    expect([result.error.code, result.error.message]).toEqual([
      'ASYNC_LATTICE',
      expect.stringMatching(/^lattice "promised" is async \(sublattices\.ts:\d+\): /),
    ]);
  });

  it('is not listed by itself', async () => {
    const { out } = await hub.polaron(['ls', '--json', '--limit', '100']);
    const { dispatches }: { readonly dispatches: readonly { readonly lattice: string }[] } = JSON.parse(out);
    const names = dispatches.map(({ lattice }) => lattice);
    expect(names).toContain('all');
    expect(names).not.toContain('totalOf');
  });
});

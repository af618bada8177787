/** Lattices inside lattices through a whole system: values, failures, cancels both ways, restarts. */
import { mkdtempSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { cancel, dispatch, dispatchSync, getResult, getValue, redispatch, type Result } from 'polaron';
import { RealHub } from '../support/real-hub.ts';
import { until } from '../support/until.ts';
import { all, bottomless, bounding, countdown, failing, moving, promising, waiting } from './workflows/sublattices.ts';

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

/** Its dispatch. */
async function begins(id: string, name: string): Promise<string> {
  let inner = '';
  await until(async () => {
    inner = await innerOf(await getResult(id), name).catch(() => '');
    return inner !== '';
  }, `${name} begins`);
  return inner;
}

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
    expect((await hub.polaron(['show', result.id])).out).toContain(`is ${inner.id}`);
    expect(await hub.json(['show', result.id, 'totalOf'])).toMatchObject({ subDispatch: inner.id });
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

  it('has a timeout and metadata of its own, which hold over a restart', async () => {
    const id = await dispatch(bounding)(join(folder, 'never'));
    await begins(id, 'bounded[0]');
    await hub.kill(hub.file().pid);
    await hub.start();
    const result = await getResult(id, { wait: true });
    if (result.status !== 'failed') throw new Error(result.status);
    const ends = result.errors.map(({ node, code }) => [node, code]);
    expect(ends.toSorted()).toEqual([
      ['bounded', 'TIMEOUT'],
      ['bounded[0]', 'TIMEOUT'],
    ]);
    expect((await result.electrons.get('add')).status).toBe('completed');
    const inner = await getResult(await innerOf(result, 'bounded[0]'));
    expect([inner.status, inner.metadata]).toEqual(['failed', { run: '7', stage: 'inner' }]);
  });

  it('gets the executors that were given at dispatch, after a restart too; a redispatch takes others', async () => {
    const file = join(folder, 'moving');
    const id = await dispatch(moving, { executors: { doubled: 'elsewhere' } })(file);
    await until(async () => (await getResult(id)).electrons.counts.running === 1, 'the gate waits');
    await hub.kill(hub.file().pid);
    await hub.start();
    writeFileSync(file, '');
    for (const name of ['doubling', 'doubling[3]']) {
      const inner = await begins(id, name);
      await until(async () => (await hub.polaron(['show', inner, '--why'])).out.includes('elsewhere'), 'it waits');
    }
    const made = await redispatch(id, { executors: { doubled: 'process' } })();
    expect(await getValue(made)).toEqual({ known: 10, each: [0, 2, 4, 6, 8, 10, 12] });
    await cancel(id);
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
    const everything = await hub.json(['ls', '--inner', '--limit', '100']);
    expect(everything).toMatchObject({
      dispatches: expect.arrayContaining([expect.objectContaining({ lattice: 'totalOf' })]),
    });
  });
});

/** Options of lattices inside others, and executors that were given at dispatch, on a whole hub inside the test: both kinds of inner lattices, in maps, too. */
import { context, electron, lattice, type Result } from 'polaron';
import { createTestHub, type InProcessHub } from 'polaron/testing';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';

let hub: InProcessHub;
beforeEach(async () => {
  hub = await createTestHub({
    agents: {
      local: { slots: 20 },
      gpu: { executor: 'gpu', run: ({ electron: name, args, agent }) => `${name} ${args.join()} on ${agent}` },
    },
  });
});
afterEach(() => hub.stop());

const one = electron(function one(): number {
  return 1;
});
const list = electron(function list(): number[] {
  return [1, 2];
});
/** Two hours. */
const slow = electron(async function slow(n: number): Promise<string> {
  await hub.clock.sleep('2h');
  return `slow ${n}`;
});
const breaks = electron(function breaks(n: number): string {
  throw new Error(`broken ${n}`);
});
const told = electron(function told(n: number): string {
  return `${n} ${JSON.stringify(context().metadata)}`;
});
const label = electron(function label(n: number): string {
  return `label ${n}`;
});

const hours = (result: Result<unknown>): number =>
  ((result.endedAt?.getTime() ?? Number.NaN) - Date.UTC(2026, 0, 1)) / 3_600_000;
const innerOf = async (result: Result<unknown>, name: string): Promise<Result<unknown>> => {
  const { subDispatch = '' } = await result.electrons.get(name);
  return hub.client.getResult(subDispatch);
};

describe("an inner lattice's timeout", () => {
  const bounded = lattice({ timeout: '1h' }, function bounded(n: number) {
    return slow(n);
  });

  it.each([
    ['drawn where it is called', lattice({ name: 'outer' }, () => ({ bounded: bounded(1), other: slow(2) }))],
    ['drawn on an agent', lattice({ name: 'outer' }, () => ({ bounded: bounded(one()), other: slow(2) }))],
  ])('ends it alone: %s', async (_, outer) => {
    const result = await hub.client.dispatchSync(outer)();
    expect(result).toMatchObject({ status: 'failed', error: { node: 'bounded', code: 'TIMEOUT' } });
    expect([(await result.electrons.get('slow')).status, hours(result)]).toEqual(['completed', 2]);
    expect(hours(await innerOf(result, 'bounded'))).toBe(1);
  });

  it('counts for each item of a map by itself, and the one around it goes on around it', async () => {
    const mapped = lattice({ timeout: '30m' }, function mapped() {
      return list().map(bounded);
    });
    const result = await hub.client.dispatchSync(mapped)();
    expect(result).toMatchObject({ status: 'failed', error: { node: '', code: 'TIMEOUT' } });
    expect((await innerOf(result, 'bounded[0]')).status).toBe('cancelled');
    const outer = lattice({ name: 'outer' }, () => list().map(bounded));
    const later = await hub.client.dispatchSync(outer)();
    expect(later).toMatchObject({ status: 'failed', error: { node: 'bounded[0]', code: 'TIMEOUT' } });
  });
});

describe("an inner lattice's failFast", () => {
  const both = (n: number): { bad: unknown; good: unknown } => ({ bad: breaks(n), good: slow(n) });
  const fast = lattice({ failFast: true }, function fast(n: number) {
    return both(n);
  });
  const calm = lattice({ failFast: false }, function calm(n: number) {
    return both(n);
  });
  const plain = lattice(function plain(n: number) {
    return both(n);
  });

  it.each([
    ['its own', lattice({ name: 'outer' }, () => fast(1)), 'fast', 0],
    ['its own, drawn on an agent', lattice({ name: 'outer' }, () => fast(one())), 'fast', 0],
    [
      'its own against that of the lattice around it',
      lattice({ name: 'outer', failFast: true }, () => calm(1)),
      'calm',
      2,
    ],
    ['that of the lattice around it', lattice({ name: 'outer', failFast: true }, () => plain(one())), 'plain', 0],
    ['none', lattice({ name: 'outer' }, () => plain(1)), 'plain', 2],
  ])('is %s', async (_, outer, name, after) => {
    const result = await hub.client.dispatchSync(outer)();
    expect(result).toMatchObject({
      status: 'failed',
      error: { node: name, message: expect.stringMatching(/^breaks: broken 1/) },
    });
    const inner = await innerOf(result, name);
    expect([hours(inner), (await inner.electrons.get('slow')).status]).toEqual([
      after,
      after === 0 ? 'cancelled' : 'completed',
    ]);
  });
});

describe("an inner lattice's metadata and source", () => {
  it('are its own over those of the lattice around it, at any depth', async () => {
    const inmost = lattice({ metadata: { depth: '2' } }, function inmost(n: number) {
      return told(n);
    });
    const inner = lattice({ metadata: { team: 'vision', depth: '1' } }, function inner(n: number) {
      return [told(n), inmost(n)];
    });
    const outer = lattice({ metadata: { run: 'nightly', team: 'all' } }, function outer() {
      return { known: inner(1), drawn: inner(one()) };
    });
    const result = await hub.client.dispatchSync(outer)();
    const values = [
      '1 {"run":"nightly","team":"vision","depth":"1"}',
      '1 {"run":"nightly","team":"vision","depth":"2"}',
    ];
    expect(result).toMatchObject({ value: { known: values, drawn: values } });
    const found = await innerOf(result, 'inner');
    expect(found.metadata).toEqual({ run: 'nightly', team: 'vision', depth: '1' });
    expect(found.lattice.source).toContain('told(n), inmost(n)');
  });
});

describe('executors given at dispatch', () => {
  const labelled = lattice(function labelled(n: number) {
    return label(n);
  });
  const outer = lattice(function outer() {
    return {
      direct: label(0),
      known: labelled(1),
      drawn: labelled(one()),
      each: list().map(labelled),
    };
  });
  const onGpu = (n: number): string => `label ${n} on gpu`;
  const moved = { direct: onGpu(0), known: onGpu(1), drawn: onGpu(1), each: [onGpu(1), onGpu(2)] };
  const unmoved = { direct: 'label 0', known: 'label 1', drawn: 'label 1', each: ['label 1', 'label 2'] };

  it('reach electrons of lattices inside, drawn at once or later, and in maps; a redispatch keeps them', async () => {
    const id = await hub.dispatch(outer, { executors: { label: 'gpu' } })();
    expect(await hub.client.getValue(id)).toEqual(moved);
    expect(await hub.client.getValue(await hub.client.redispatch(id)())).toEqual(moved);
    expect(await hub.client.getValue(await hub.dispatch(outer)())).toEqual(unmoved);
  });

  it('or at a redispatch, do too', async () => {
    const inside = lattice({ name: 'inside' }, () => labelled(one()));
    const old = await hub.dispatch(inside)();
    expect(await hub.client.getValue(old)).toBe('label 1');
    const made = await hub.client.redispatch(old, { executors: { label: 'gpu' } })();
    expect(await hub.client.getValue(made)).toBe(onGpu(1));
    const back = await hub.client.redispatch(made, { executors: { label: 'process' } })();
    expect(await hub.client.getValue(back)).toBe('label 1');
    await expect(hub.client.redispatch(old, { executors: { labl: 'gpu' } })()).rejects.toMatchObject({
      code: 'UNKNOWN_ELECTRON',
      message: expect.stringContaining('did you mean label?'),
    });
  });

  it('may name what only a lattice inside calls; another name is refused with near ones', async () => {
    const inside = lattice({ name: 'inside' }, () => labelled(1));
    expect(await hub.client.getValue(await hub.dispatch(inside, { executors: { label: 'gpu' } })())).toBe(onGpu(1));
    await expect(hub.dispatch(inside, { executors: { lable: 'gpu' } })()).rejects.toMatchObject({
      code: 'UNKNOWN_ELECTRON',
      message: expect.stringContaining('did you mean "label"?'),
    });
  });
});

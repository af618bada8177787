/** Attempts that an agent has and whose records a killed hub lost: H1 and H8 of docs/protocol.md, C1–C3 of claims.ts, E4 of electron.ts. */
import fc from 'fast-check';
import { afterEach, describe, expect, it } from 'vitest';
import type { WireGraph } from '../../../model/graph.ts';
import type { Token } from '../../../model/outcome.ts';
import { ClaimingHub, otherInputs } from '../support/claiming-hub.ts';
import { settle } from '../support/fake-clock.ts';
import { electron, graphOf, map, randomFrom, randomGraph } from '../support/graphs.ts';
import { id, LatticeHub, type Given } from '../support/lattice-hub.ts';

const chain = graphOf(['a', 'b', 'c'], [electron(0), electron(1, [0]), electron(2, [1])]);
const plain: Given = { fails: () => false, length: () => undefined };
const first = (): number => 0;

let hub: ClaimingHub | undefined;
afterEach(() => hub?.world.close());
/** A dispatch on disk, and nothing after it: what is written later is lost with the next power cut, but for what a test flushes. */
async function start(graph: WireGraph, given: Given = plain): Promise<ClaimingHub> {
  hub = new ClaimingHub(graph, given, {}, 'manual');
  await hub.flush();
  return hub;
}
const runNodes = async (run: ClaimingHub, ...nodes: readonly number[]): Promise<void> => {
  run.tell({ type: 'match.found', agent: run.agent, nodes });
  run.ready = run.ready.filter((node) => !nodes.includes(node));
  await settle();
};
const report = async (run: ClaimingHub, node: number): Promise<void> => {
  const kept = run.kept.get(node);
  if (kept !== undefined) run.report(kept);
  await settle();
};
const claim = async (run: ClaimingHub, node: number, token: Token, agent: `lab.${string}` = 'lab.a2', of = 0) => {
  const inputsDigest = run.kept.get(of)?.inputsDigest ?? otherInputs;
  run.tell({ type: 'attempt.claimed', agent, attempts: [{ node, token, inputsDigest, startedAt: 0 }] });
  await settle();
};
const once = (run: ClaimingHub): void =>
  expect(Object.fromEntries([...run.runs].filter(([, count]) => count !== 1))).toEqual({});

describe('an attempt whose record was lost', () => {
  it('is adopted when its electron is ready, and nobody else is asked for', async () => {
    const run = await start(chain);
    await runNodes(run, 0);
    await run.powerCut();
    expect([run.ready, run.dropped]).toEqual([[], []]);
    await run.flush();
    expect(run.record(0)).toMatchObject({
      status: 'assigned',
      attempt: 1,
      token: [100, 1],
      agent: 'lab.a1',
      startedAt: 5,
    });
    await run.run(first);
    expect(run.statuses()).toEqual({ a: 'completed', b: 'completed', c: 'completed' });
    once(run);
  });

  it('waits for its parents, and its outcome with it: nothing runs twice', async () => {
    const run = await start(chain);
    for (const node of [0, 1, 2]) {
      await runNodes(run, node);
      if (node < 2) await report(run, node);
    }
    expect([...run.kept.keys()]).toEqual([0, 1, 2]);
    await run.powerCut();
    await report(run, 1);
    expect([[...run.kept.keys()], run.ready, run.dropped]).toEqual([[0, 1, 2], [], []]);
    await run.run(first);
    expect(run.statuses()).toEqual({ a: 'completed', b: 'completed', c: 'completed' });
    expect(run.record(2)).toMatchObject({ token: [100, 1], attempt: 1 });
    once(run);
  });

  it('is dropped when its inputs are not those of now, and the electron runs', async () => {
    const run = await start(chain);
    await runNodes(run, 0);
    await report(run, 0);
    await runNodes(run, 1);
    for (const [node, kept] of run.kept) run.kept.set(node, { ...kept, inputsDigest: otherInputs });
    await run.powerCut();
    expect([run.dropped, run.ready]).toEqual([[0], [0]]);
    await runNodes(run, 0);
    await report(run, 0);
    expect([run.dropped, run.ready]).toEqual([[0, 1], [1]]);
    await run.run(first);
    expect(Object.fromEntries(run.runs)).toEqual({ a: 2, b: 2, c: 1 });
    expect(run.record(1)).toMatchObject({ status: 'completed', token: [200, 1] });
  });

  it('is dropped when its electron works on another since the restart, or has ended', async () => {
    const run = await start(chain);
    await run.powerCut();
    await runNodes(run, 0);
    await claim(run, 0, [100, 7]);
    expect([run.refused, run.kept.get(0)?.token]).toEqual([[[100, 7]], [200, 1]]);
    await report(run, 0);
    await claim(run, 0, [100, 8]);
    expect(run.refused).toEqual([
      [100, 7],
      [100, 8],
    ]);
    await run.run(first);
    once(run);
  });

  it('is dropped when its electron was cancelled or skipped, or never comes to be', async () => {
    const graph = graphOf(['a', 'b', 'c', 'd'], [electron(0), electron(1, [0]), electron(2), electron(3)]);
    const run = await start(graph, { fails: (name) => name === 'a', length: () => undefined });
    await run.powerCut();
    await claim(run, 1, [100, 1]);
    await claim(run, 99, [100, 2]);
    expect(run.refused).toEqual([]);
    run.tell({ type: 'lattice.cancel', request: 1, reason: 'enough', electrons: ['c'] });
    await claim(run, 2, [100, 3]);
    expect(run.refused).toEqual([[100, 3]]);
    await runNodes(run, 0, 3);
    await report(run, 0);
    expect(run.refused.length).toBe(2);
    await run.run(first);
    expect(run.statuses()).toEqual({ a: 'failed', b: 'skipped', c: 'cancelled', d: 'completed' });
    expect(run.refused).toEqual([
      [100, 3],
      [100, 1],
      [100, 2],
    ]);
  });

  it('of two agents counts by the newer token, whichever comes first, ready or waiting', async () => {
    for (const tokens of [
      [
        [100, 1],
        [100, 2],
      ],
      [
        [100, 2],
        [100, 1],
      ],
    ] as const) {
      const run = await start(chain);
      await runNodes(run, 0);
      await report(run, 0);
      await runNodes(run, 1);
      const { kept } = run;
      const [a, b] = [kept.get(0), kept.get(1)];
      if (a === undefined || b === undefined) throw new Error('nothing to claim');
      kept.clear();
      await run.powerCut();
      const claims = (node: number, of: typeof a): void =>
        tokens.forEach((token, i) =>
          run.tell({
            type: 'attempt.claimed',
            agent: i === 0 ? 'lab.a2' : 'lab.a3',
            attempts: [{ node, token, inputsDigest: of.inputsDigest, startedAt: 0 }],
          }),
        );
      claims(1, b);
      claims(0, a);
      await settle();
      expect(run.refused).toEqual([
        [100, 1],
        [100, 1],
      ]);
      await run.flush();
      const winner = tokens[0][1] === 2 ? 'lab.a2' : 'lab.a3';
      expect(run.record(0)).toMatchObject({ status: 'assigned', token: [100, 2], attempt: 2, agent: winner });
      run.world.close();
    }
  });

  it('follows the recorded one, lost or failed, when it is newer, and not when it is older', async () => {
    for (const status of ['ready', 'retrying', 'assigned'] as const) {
      const run = await start(chain);
      await runNodes(run, 0);
      await run.world.clock.advance(200);
      await run.flush();
      const record = run.record(0);
      if (record === undefined) throw new Error('there is no record');
      run.world.results.write({
        op: 'electron',
        id,
        node: 0,
        was: 'assigned',
        record: { ...record, status, token: [100, 3], attempt: 3, failures: 1, retryAt: run.world.clock.now() + 1e6 },
      });
      await run.flush();
      const inputs = { ...run.kept.get(0) };
      run.kept.clear();
      await run.powerCut();
      run.kept.set(0, {
        node: 0,
        name: 'a',
        token: [100, 2],
        inputsDigest: inputs.inputsDigest ?? otherInputs,
        outcome: undefined,
      });
      await run.sync();
      expect([run.dropped, run.kept.size], status).toEqual([[0], 0]);
      run.kept.set(0, {
        node: 0,
        name: 'a',
        token: [100, 4],
        inputsDigest: inputs.inputsDigest ?? otherInputs,
        outcome: undefined,
      });
      await claim(run, 0, [100, 4], 'lab.a1');
      await run.flush();
      expect(run.record(0), status).toMatchObject({ status: 'assigned', token: [100, 4], attempt: 4, failures: 1 });
      expect([run.dropped, run.ready], status).toEqual([[0], []]);
      await run.run(first);
      expect(run.record(0), status).toMatchObject({ status: 'completed', token: [100, 4] });
      run.world.close();
    }
  });

  it('of an item of a map that is not expanded yet waits for it', async () => {
    const sweep = graphOf(['load', 'train'], [electron(0), map('sweep', 0, [electron(1, [{ item: 0 }])])]);
    const run = await start(sweep, { fails: () => false, length: (name) => (name === 'load' ? 3 : undefined) });
    await runNodes(run, 0);
    await report(run, 0);
    await runNodes(run, ...run.ready);
    expect(run.kept.size).toBe(4);
    await run.powerCut();
    expect([run.dropped, run.ready]).toEqual([[], []]);
    await run.run(first);
    expect(run.dispatch()).toMatchObject({ status: 'completed', counts: { completed: 5 } });
    once(run);
  });

  it('is dropped when its number means another electron now, since maps were expanded in another order', async () => {
    const bodies = [map('left', 0, [electron(2)]), map('right', 1, [electron(3)])];
    const graph = graphOf(['l', 'r', 'f', 'g'], [electron(0), electron(1), ...bodies], [2, 3]);
    const run = await start(graph, {
      fails: () => false,
      length: (name) => (name === 'l' || name === 'r' ? 1 : undefined),
    });
    await runNodes(run, 0, 1);
    await report(run, 0);
    await report(run, 1);
    await runNodes(run, 4);
    expect(run.kept.get(4)?.name).toBe('f[0]');
    await run.powerCut();
    await report(run, 1);
    expect([run.nameOf(4), run.dropped]).toEqual(['g[0]', [4]]);
    await run.run(first);
    expect(run.dispatch().status).toBe('completed');
    expect(Object.fromEntries(run.runs)).toMatchObject({ 'f[0]': 2, 'g[0]': 1 });
  });
});

describe('the outcome of an attempt without a record', () => {
  it('is kept by its agent until the claim is decided, also when an older attempt is being worked on', async () => {
    const run = await start(chain);
    await runNodes(run, 0);
    await run.flush();
    await run.powerCut();
    const kept = run.kept.get(0);
    if (kept === undefined) throw new Error('the agent has nothing');
    // The same agent's next attempt, which the records don't know.
    run.kept.set(0, { ...kept, token: [100, 2] });
    await report(run, 0);
    await run.flush();
    expect(run.kept.get(0)?.token).toEqual([100, 2]);
    await run.sync();
    await run.run(first);
    expect(run.record(0)).toMatchObject({ status: 'completed', token: [100, 2], losses: 0 });
    once(run);
  });
});

describe('power cuts under an agent that lives on', () => {
  const hash = (text: string, seed: number): number => {
    let h = seed | 0;
    for (let i = 0; i < text.length; i++) h = Math.imul(h ^ text.charCodeAt(i), 0x01000193);
    return (h ^ (h >>> 13)) >>> 0;
  };
  const valuesOf = (run: LatticeHub): Record<string, string | undefined> =>
    Object.fromEntries(
      Array.from({ length: run.plan().size }, (_, node) => [run.nameOf(node), run.record(node)?.value?.digest]),
    );

  it.each([
    ['without maps runs each electron once', false],
    ['with maps gives every electron its own value', true],
  ])('a random lattice %s, and ends as it would have', async (_what, maps) => {
    const number = fc.integer({ min: 0, max: 2 ** 31 });
    await fc.assert(
      fc.asyncProperty(
        number,
        fc.integer({ min: 1, max: 8 }),
        number,
        fc.constantFrom(0, 10),
        number,
        async (graphSeed, size, seed, failPercent, order) => {
          const graph = randomGraph(graphSeed, size);
          fc.pre(maps || graph.nodes.every(({ kind }) => kind === 'electron'));
          const is: Given = {
            fails: (name) => hash(name, seed) % 100 < failPercent,
            length: (name) => hash(`length of ${name}`, seed) % 4,
          };
          const whole = await new LatticeHub(graph, is).run(randomFrom(order));
          const random = randomFrom(order + 1);
          const run = new ClaimingHub(graph, is, {}, 'manual');
          await run.flush();
          try {
            for (let cuts = 0; cuts < 4 && !run.idle; cuts++) {
              for (let steps = random(8); steps > 0; steps--) await run.step(random);
              if (random(4) > 0) await run.powerCut();
              else if (run.dispatch().status === 'running') {
                await run.supervisorCrash();
                await run.sync();
              }
            }
            await run.run(random);
            await run.flush();
            expect(run.statuses()).toEqual(whole.statuses());
            expect(valuesOf(run)).toEqual(valuesOf(whole));
            expect(run.dispatch()).toMatchObject({ status: whole.dispatch().status, counts: whole.dispatch().counts });
            expect(run.world.crashes).toEqual([]);
            if (!maps) once(run);
          } finally {
            run.world.close();
            whole.world.close();
          }
        },
      ),
      { numRuns: 80 },
    );
  });
});

/** The lattice supervisor with real electron actors and records: what is on disk when, cancels, failing fast, and going on after power cuts. */
import fc from 'fast-check';
import { afterEach, describe, expect, it } from 'vitest';
import type { Message } from '../../../actors/system.ts';
import type { WireGraph } from '../../../model/graph.ts';
import type { DispatchSpec } from '../../../model/records.ts';
import { settle } from '../support/fake-clock.ts';
import { electron, graphOf, map, randomFrom, randomGraph } from '../support/graphs.ts';
import { id, LatticeHub, type Given } from '../support/lattice-hub.ts';

let hub: LatticeHub | undefined;
afterEach(() => hub?.world.close());
const given = (fails: readonly string[] = [], lengths: Readonly<Record<string, number>> = {}): Given => ({
  fails: (name) => fails.includes(name),
  length: (name) => lengths[name],
});
function start(
  graph: WireGraph,
  is: Given = given(),
  over: Partial<DispatchSpec> = {},
  flush: 'turn' | 'manual' = 'turn',
): LatticeHub {
  hub = new LatticeHub(graph, is, over, flush);
  return hub;
}
const first = (): number => 0;
const fail = (): never => {
  throw new Error('there is no such attempt');
};
const chain = graphOf(['a', 'b', 'c'], [electron(0), electron(1, [0]), electron(2, [1])]);
const sweep = graphOf(
  ['load', 'train', 'best'],
  [electron(0), map('sweep', 0, [electron(1, [{ item: 0 }, { index: 0 }])]), electron(2, [1])],
);
const answerOf = (told: readonly Message[]): Message | undefined => told.find(({ type }) => type === 'cancel.settled');

describe('a lattice supervisor', () => {
  it('runs a lattice to its end, with a record for every electron and event', async () => {
    const run = await start(chain).run(first);
    expect(run.statuses()).toEqual({ a: 'completed', b: 'completed', c: 'completed' });
    expect(run.dispatch()).toMatchObject({ status: 'completed', errors: [], counts: { completed: 3 } });
    expect(run.events).toEqual([
      'dispatch.started',
      'electron.completed',
      'electron.completed',
      'electron.completed',
      'dispatch.completed',
    ]);
    expect(run.told).toContainEqual({ type: 'dispatch.ended', id });
    expect(run.world.system.has(`n1.lattice.${id}`)).toBe(false);
  });

  it('gives every durable transition a seq of its own', async () => {
    const run = await start(sweep, given(['train[1]'], { load: 3 })).run(first);
    const seqs = Array.from({ length: run.plan().size }, (_, node) => run.record(node)?.seq ?? 0);
    const all = [...seqs, run.dispatch().seq];
    expect(new Set(all).size).toBe(all.length);
    expect(Math.max(...seqs)).toBeLessThan(run.dispatch().seq);
  });

  it('counts what maps became, and the maps', async () => {
    const run = await start(sweep, given([], { load: 3 })).run(first);
    expect(run.dispatch().counts).toEqual({ completed: 6 });
  });

  it('publishes nothing before it is on disk', async () => {
    const run = start(chain, given(), {}, 'manual');
    await settle();
    expect(run.events).toEqual([]);
    run.store.flush();
    await settle();
    expect(run.events).toEqual(['dispatch.started']);
  });

  it('starts a dependent at once, or when the lattice is strict only after the flush', async () => {
    for (const durability of ['pipelined', 'strict'] as const) {
      const run = start(chain, given(), { durability }, 'manual');
      await settle();
      await run.step(first);
      await run.step(first);
      expect(run.ready, durability).toEqual(durability === 'strict' ? [] : [1]);
      for (let i = 0; i < 3; i++) {
        run.store.flush();
        await settle();
      }
      expect(run.ready).toEqual([1]);
      run.world.close();
    }
  });

  it('of a strict lattice starts what waits for a map only when the map is on disk', async () => {
    const run = start(sweep, given([], { load: 1 }), { durability: 'strict' }, 'manual');
    let early = 0;
    for (let i = 0; i < 12; i++) {
      if (run.ready.includes(2) && run.flushed(1)?.status !== 'completed') early++;
      await (run.ready.length + run.attempts.length > 0 ? run.step(first) : run.flush());
    }
    expect([early, run.ready.includes(2) || run.record(2) !== undefined]).toEqual([0, true]);
  });

  it('of a strict lattice starts what waits for a map and an electron when both are on disk, the map last', async () => {
    const graph = graphOf(
      ['load', 'train', 'other', 'best'],
      [electron(0), map('sweep', 0, [electron(1, [{ item: 0 }])]), electron(2), electron(3, [1, 2])],
    );
    const run = start(graph, given([], { load: 1 }), { durability: 'strict' }, 'manual');
    const match = async (...nodes: number[]): Promise<void> => {
      run.ready = run.ready.filter((node) => !nodes.includes(node));
      run.tell({ type: 'match.found', agent: 'lab.a1', nodes });
      await settle();
    };
    const end = (node: number): void => run.end(run.attempts.find((one) => one.node === node) ?? fail());
    await settle();
    await match(0, 2);
    end(0);
    await run.flush();
    await match(4);
    end(4);
    await settle();
    run.store.flush();
    end(2);
    await settle();
    expect([run.record(1)?.status, run.record(2)?.status]).toEqual(['completed', 'completed']);
    while (run.flushed(2)?.status !== 'completed') {
      run.store.flush(1);
      await settle();
    }
    expect([run.flushed(1)?.status, run.ready]).toEqual([undefined, []]);
    await run.flush();
    expect(run.ready).toEqual([3]);
  });

  it('of a strict lattice that begins again after a crash asks for nothing that rests on unflushed records', async () => {
    const run = start(chain, given(), { durability: 'strict' }, 'manual');
    await settle();
    await run.step(first);
    await run.step(first);
    await run.supervisorCrash();
    expect([run.ready, run.record(0)?.status]).toEqual([[], 'completed']);
    await run.flush();
    expect(run.ready).toEqual([1]);
  });

  it('lists every root failure', async () => {
    const graph = graphOf(['a', 'b', 'c'], [electron(0), electron(1), electron(2, [0, 1])]);
    const run = await start(graph, given(['a', 'b'])).run(first);
    expect(run.dispatch()).toMatchObject({ status: 'failed', counts: { failed: 2, skipped: 1 } });
    expect(
      run
        .dispatch()
        .errors.map(({ node }) => node)
        .sort(),
    ).toEqual(['a', 'b']);
    expect(run.record(2)).toMatchObject({ status: 'skipped' });
    expect(run.events).toContain('electron.skipped');
  });

  it('gives an agent its place back when an electron has left', async () => {
    const run = start(chain);
    await settle();
    run.tell({ type: 'match.found', agent: 'lab.a1', nodes: [1] });
    await settle();
    expect(run.attempts).toEqual([]);
    expect(run.statuses()).toMatchObject({ b: 'waiting' });
  });
});

describe('failFast', () => {
  const two = graphOf(['a', 'slow', 'later'], [electron(0), electron(1), electron(2, [1])]);

  it('cancels the rest at the first failure, and the dispatch has failed', async () => {
    const run = start(two, given(['a']), { failFast: true });
    await settle();
    run.tell({ type: 'match.found', agent: 'lab.a1', nodes: [0, 1] });
    await settle();
    const [a] = run.attempts.splice(0, 1);
    if (a !== undefined) run.end(a);
    await settle();
    expect(run.stopsAsked).toBe(1);
    await run.run(first);
    expect(run.statuses()).toEqual({ a: 'failed', slow: 'cancelled', later: 'cancelled' });
    expect(run.dispatch()).toMatchObject({ status: 'failed', errors: [{ node: 'a' }] });
  });

  it('minds the failure of a map, too', async () => {
    const graph = graphOf(
      ['load', 'train', 'x'],
      [electron(0), map('sweep', 0, [electron(1)]), electron(2, [0]), electron(2, [2])],
    );
    const run = await start(graph, given(), { failFast: true }).run(first);
    expect(run.dispatch()).toMatchObject({ status: 'failed', errors: [{ node: 'sweep', error: { code: 'MAP_ARG' } }] });
    expect(run.record(3)).toMatchObject({ status: 'cancelled' });
  });

  it('goes on cancelling after a power cut', async () => {
    const run = start(two, given(['a']), { failFast: true });
    await settle();
    run.tell({ type: 'match.found', agent: 'lab.a1', nodes: [0, 1] });
    await settle();
    const [a] = run.attempts.splice(0, 1);
    if (a !== undefined) run.end(a);
    await settle();
    await run.powerCut();
    await run.run(first);
    expect(run.statuses()).toEqual({ a: 'failed', slow: 'cancelled', later: 'cancelled' });
    expect(run.dispatch().status).toBe('failed');
  });
});

describe('a cancel', () => {
  it('is answered when all has stopped and that is on disk', async () => {
    const run = start(chain, given(), {}, 'manual');
    await settle();
    await run.step(first);
    run.tell({ type: 'lattice.cancel', request: 7, reason: 'enough' });
    await settle();
    run.store.flush();
    await settle();
    expect([run.stopsAsked, answerOf(run.told)]).toEqual([1, undefined]);
    await run.step(first);
    await settle();
    expect(answerOf(run.told)).toBeUndefined();
    for (let i = 0; i < 3; i++) {
      run.store.flush();
      await settle();
    }
    expect(answerOf(run.told)).toEqual({
      type: 'cancel.settled',
      request: 7,
      cancelled: ['a', 'b', 'c'],
      unconfirmed: [],
    });
    expect(run.dispatch()).toMatchObject({ status: 'cancelled', cancel: 'enough' });
  });

  it('names those whose agent never confirmed', async () => {
    const run = start(chain);
    await settle();
    await run.step(first);
    run.tell({ type: 'lattice.cancel', request: 1, reason: 'enough' });
    await settle();
    const [attempt] = run.attempts;
    run.world.system.send(
      `n1.electron.${id}_0`,
      { type: 'attempt.lost', ...{ token: attempt?.token, reason: 'agent-lost', charged: true } },
      'n1.matchmaker.main',
    );
    await settle();
    expect(answerOf(run.told)).toMatchObject({ cancelled: ['a', 'b', 'c'], unconfirmed: ['a'] });
  });

  it('of some by name cancels every item of that name, and leaves the rest', async () => {
    const run = start(sweep, given([], { load: 3 }));
    await settle();
    await run.step(first);
    await run.step(first);
    run.tell({ type: 'lattice.cancel', request: 1, reason: 'no training', electrons: ['train'] });
    await run.run(first);
    expect(run.statuses()).toMatchObject({
      load: 'completed',
      'train[0]': 'cancelled',
      'train[2]': 'cancelled',
      sweep: 'failed',
      best: 'skipped',
    });
    expect(answerOf(run.told)).toMatchObject({ cancelled: ['train[0]', 'train[1]', 'train[2]'] });
  });

  it('of an electron that does not exist is refused, and changes nothing', async () => {
    const run = start(chain);
    await settle();
    for (const wrong of ['nobody', 99, -1, 0.5])
      run.tell({ type: 'lattice.cancel', request: 1, reason: 'x', electrons: [wrong] });
    await run.run(first);
    expect(run.told.filter(({ type }) => type === 'cancel.settled')).toMatchObject(
      Array.from({ length: 4 }, () => ({ error: { code: 'UNKNOWN_ELECTRON' } })),
    );
    expect(run.dispatch().status).toBe('completed');
  });

  it('that crosses an end does not crash the supervisor: the outcome stands (H10)', async () => {
    const run = start(chain, given(), { durability: 'strict' }, 'manual');
    await settle();
    await run.step(first);
    await run.step(first);
    run.tell({ type: 'lattice.cancel', request: 1, reason: 'too late' });
    for (let i = 0; i < 4; i++) {
      await settle();
      run.store.flush();
    }
    await settle();
    expect(run.world.crashes).toEqual([]);
    expect(run.statuses()).toEqual({ a: 'completed', b: 'cancelled', c: 'cancelled' });
    expect(answerOf(run.told)).toMatchObject({ cancelled: ['b', 'c'] });
  });

  it('goes on after a power cut', async () => {
    const run = start(chain);
    await settle();
    await run.step(first);
    run.tell({ type: 'lattice.cancel', request: 1, reason: 'enough' });
    await settle();
    await run.powerCut();
    await run.run(first);
    expect(run.statuses()).toEqual({ a: 'cancelled', b: 'cancelled', c: 'cancelled' });
    expect(run.dispatch()).toMatchObject({ status: 'cancelled', cancel: 'enough' });
  });
});

describe('after a power cut', () => {
  it('a dispatch that was accepted and not begun, begins', async () => {
    const run = start(chain);
    await settle();
    run.world.results.write({ op: 'dispatch', id, record: { status: 'accepted', seq: 0, errors: [] } });
    await run.world.results.flushed();
    await run.powerCut();
    expect(run.dispatch()).toMatchObject({ status: 'running', startedAt: run.world.clock.now() });
    await run.run(first);
    expect(run.dispatch().status).toBe('completed');
  });

  it('a cancel of which only the record was on disk is carried out', async () => {
    const run = start(chain);
    await settle();
    run.world.results.write({
      op: 'dispatch',
      id,
      record: { status: 'running', seq: 1, errors: [], startedAt: 1, cancel: 'enough' },
    });
    await run.world.results.flushed();
    await run.powerCut();
    expect(run.statuses()).toEqual({ a: 'cancelled', b: 'cancelled', c: 'cancelled' });
    expect(run.dispatch()).toMatchObject({ status: 'cancelled', cancel: 'enough' });
  });

  it('an attempt gets a token above all that were given out before', async () => {
    const run = start(chain);
    await settle();
    await run.step(first);
    const before = run.attempts[0]?.token;
    // It lasts, so it is recorded (E5).
    await run.world.clock.advance(200);
    await run.powerCut();
    expect(run.attempts).toMatchObject([{ recovered: true, token: before }]);
    run.world.system.send(
      `n1.electron.${id}_0`,
      { type: 'attempt.lost', ...{ token: before, reason: 'not-listed', charged: true } },
      'n1.matchmaker.main',
    );
    await settle();
    run.attempts = [];
    await run.step(first);
    expect([before, run.attempts[0]?.token]).toEqual([
      [100, 1],
      [200, 2],
    ]);
  });

  const hash = (text: string, seed: number): number => {
    let h = seed | 0;
    for (let i = 0; i < text.length; i++) h = Math.imul(h ^ text.charCodeAt(i), 0x01000193);
    return (h ^ (h >>> 13)) >>> 0;
  };

  it('a random lattice ends as it would have without, also when only its supervisor crashed', async () => {
    const number = fc.integer({ min: 0, max: 2 ** 31 });
    await fc.assert(
      fc.asyncProperty(
        number,
        fc.integer({ min: 1, max: 6 }),
        number,
        fc.constantFrom(0, 10, 30),
        number,
        async (graphSeed, size, seed, failPercent, order) => {
          const graph = randomGraph(graphSeed, size);
          const is: Given = {
            fails: (name) => hash(name, seed) % 100 < failPercent,
            length: (name) => {
              const h = hash(`length of ${name}`, seed) % 12;
              return h === 0 ? undefined : h % 4;
            },
          };
          const whole = await new LatticeHub(graph, is).run(randomFrom(order));
          const random = randomFrom(order + 1);
          const run = new LatticeHub(graph, is);
          // A dispatch that isn't on disk was never accepted.
          await run.world.results.flushed();
          try {
            for (let cuts = 0; cuts < 4; cuts++) {
              for (let steps = random(10); steps > 0; steps--) await run.step(random);
              // In the middle of a turn: what it wrote is on disk only as far as it was flushed.
              if (!run.idle && random(2) === 0) void run.step(random);
              if (random(3) > 0) await run.powerCut();
              else if (run.dispatch().status === 'running') await run.supervisorCrash();
            }
            await run.run(random);
            expect(run.statuses()).toEqual(whole.statuses());
            expect(run.dispatch().status).toBe(whole.dispatch().status);
            expect(run.dispatch().counts).toEqual(whole.dispatch().counts);
            expect(
              run
                .dispatch()
                .errors.map(({ node }) => node)
                .sort(),
            ).toEqual(
              whole
                .dispatch()
                .errors.map(({ node }) => node)
                .sort(),
            );
            expect([run.world.crashes, whole.world.crashes]).toEqual([[], []]);
          } finally {
            run.world.close();
            whole.world.close();
          }
        },
      ),
      { numRuns: 60 },
    );
  });
});

/** Agents, fakes and mocks of a test hub: where electrons run, what runs in their place, and what happens when an agent is lost. */
import { context, electron, lattice } from 'polaron';
import { Crash, createTestHub, type InProcessHub } from 'polaron/testing';
import { afterEach, describe, expect, expectTypeOf, it } from 'vitest';

let hub: InProcessHub;
afterEach(() => hub.stop());

const split = electron(function split(text: string): string[] {
  return text.split(' ');
});
const count = electron({ needs: ['gpu'] }, function count(word: string): number {
  return word.length;
});
const counted = lattice(function counted(text: string) {
  return split(text).map(count);
});

describe('a mock', () => {
  it('runs in place of the electron, sees every attempt, and is gone after restore', async () => {
    hub = await createTestHub({ agents: { local: {}, lab: { offers: ['gpu'], slots: 1 } } });
    const mock = hub.mock(count, (word) => {
      if (word === 'b' && context().attempt === 1) throw new Crash();
      return 100;
    });
    expectTypeOf(mock.calls[0]?.args).toEqualTypeOf<[word: string] | undefined>();
    const lenient = lattice({ electrons: { retries: 1 } }, function lenient(text: string) {
      return split(text).map(count);
    });
    const result = await hub.client.dispatchSync(lenient)('a b');
    expect(result).toMatchObject({ status: 'completed', value: [100, 100] });
    expect(mock.calls.map(({ args, attempt, agent, node }) => [...args, attempt, agent, node])).toEqual([
      ['a', 1, 'lab', '1[0].0'],
      ['b', 1, 'lab', '1[1].0'],
      ['b', 2, 'lab', '1[1].0'],
    ]);
    mock.restore();
    expect(await hub.client.dispatchSync(counted)('abc')).toMatchObject({ value: [3] });
    expect(mock.calls).toHaveLength(3);
  });

  it('without a function only records', async () => {
    hub = await createTestHub();
    const seen = hub.mock(split);
    const id = await hub.dispatch(lattice({ name: 'one' }, (text: string) => split(text)))('x y');
    expect(await hub.client.getValue(id)).toEqual(['x', 'y']);
    expect(seen.calls).toEqual([
      {
        ...{ electron: 'split', args: ['x y'], attempt: 1, dispatch: id, node: '0', agent: 'local' },
        at: new Date('2026-01-01T00:00:00Z'),
      },
    ]);
  });
});

it('hooks of a lattice run around its electrons, and not around a mock', async () => {
  hub = await createTestHub();
  const seen: number[] = [];
  const electrons = { before: [{ run: () => void seen.push(context().attempt) }] };
  const hooked = lattice({ electrons }, function hooked() {
    return [split('a'), split.with({ after: [], name: 'own' })('b')];
  });
  expect(await hub.client.dispatchSync(hooked)()).toMatchObject({ value: [['a'], ['b']] });
  hub.mock(split, () => []);
  expect(await hub.client.dispatchSync(hooked)()).toMatchObject({ value: [[], ['b']] });
  expect(seen).toEqual([1]);
});

describe('agents of a test hub', () => {
  it('run what asks for a thread as what asks for a process', async () => {
    hub = await createTestHub();
    const quick = electron({ name: 'quick', isolation: 'thread' }, (n: number) => n + 1);
    expect(await hub.client.dispatchSync(lattice({ name: 'one' }, (n: number) => quick(n)))(1)).toMatchObject({
      value: 2,
    });
  });

  it('stand for executors, take time, and run what they are given', async () => {
    const slurm = electron({ executor: 'slurm', name: 'slurm' }, (steps: number): number => steps / 0);
    const job = lattice({ name: 'job' }, (): unknown => [1, 2, 3].map((n) => slurm.with({ name: `slurm${n}` })(n)));
    hub = await createTestHub({
      agents: {
        cluster: {
          executor: 'slurm',
          slots: 1,
          takes: ({ args }) => `${Number(args[0])}h`,
          run: ({ electron: name, args, agent }) => `${name} ${args.join()} on ${agent}`,
        },
      },
    });
    const result = await hub.client.dispatchSync(job)();
    expect(result).toMatchObject({
      value: ['slurm1 1 on cluster', 'slurm2 2 on cluster', 'slurm3 3 on cluster'],
      endedAt: new Date('2026-01-01T06:00:00Z'),
    });
  });

  it('that are killed lose what they ran after a lease; another one runs it, and retries are not charged', async () => {
    hub = await createTestHub({ agents: { one: { slots: 1 }, two: { slots: 1 } } });
    const seen = hub.mock(split, async () => {
      if (seen.calls.length === 1) {
        hub.agent(seen.calls[0]?.agent).kill();
        await hub.clock.sleep(Infinity);
      }
      return ['done'];
    });
    const id = await hub.dispatch(lattice({ name: 'one' }, (text: string) => split(text)))('x');
    const result = await hub.settle(id);
    expect(result).toMatchObject({ status: 'completed', value: ['done'] });
    expect(seen.calls.map(({ attempt }) => attempt)).toEqual([1, 2]);
    expect(new Set(seen.calls.map(({ agent }) => agent)).size).toBe(2);
    const lostAt = seen.calls[1]?.at.getTime() ?? 0;
    expect(lostAt - Date.UTC(2026, 0, 1)).toBeGreaterThanOrEqual(13_000);
    expect(lostAt - Date.UTC(2026, 0, 1)).toBeLessThan(16_000);
  });

  it('that are started again take up their work at once, and a dispatch that has none is told as stuck', async () => {
    hub = await createTestHub();
    const gone = hub.mock(split, async () => {
      if (gone.calls.length > 1) return ['again'];
      hub.agent().kill();
      return ['never told'];
    });
    const id = await hub.dispatch(lattice({ name: 'one' }, (text: string) => split(text)))('x');
    const told: unknown = await hub.settle(id).catch((error: unknown) => error);
    expect(String(told)).toContain('agent "local" was killed, and not started again');
    expect(hub.agent().alive).toBe(false);
    await hub.agent().restart();
    expect(await hub.client.getValue(id)).toEqual(['again']);
  });

  it('that are cut off work on; what they did is told when they are back', async () => {
    hub = await createTestHub();
    const seen = hub.mock(split, async () => {
      await hub.clock.sleep('1m');
      return [`by attempt ${context().attempt}`];
    });
    const id = await hub.dispatch(lattice({ name: 'one' }, (text: string) => split(text)))('x');
    await hub.clock.advance('1s');
    hub.agent().disconnect();
    await hub.clock.advance('5m');
    expect((await hub.client.getResult(id)).status).toBe('running');
    hub.agent().reconnect();
    expect(await hub.client.getValue(id)).toEqual([`by attempt ${seen.calls.length}`]);
  });

  it('are named when one is asked for that is not there', async () => {
    hub = await createTestHub({ agents: { local: {}, cluster: {} } });
    expect(() => hub.agent('clutser')).toThrow('the test hub has no agent "clutser"; it has local, cluster');
    expect(hub.agent().name).toBe('local');
  });
});

describe('a test hub', () => {
  it('gives the same run for the same seed, and another for another', async () => {
    const shaky = electron({ retries: { max: 20, delay: '1h', jitter: 1 } }, function shaky(): number {
      const { attempt } = context();
      if (attempt < 6) throw new Error('shaky');
      return attempt;
    });
    const five = lattice({ name: 'five' }, () => [1, 2, 3, 4, 5].map((n) => shaky.with({ name: `shaky${n}` })()));
    const runWith = async (seed: number): Promise<readonly unknown[]> => {
      hub = await createTestHub({ seed });
      const id = await hub.dispatch(five)();
      const events: unknown[] = [id];
      const watched = (async () => {
        for await (const { type, at, electron: name } of hub.client.watch(id, { from: 'start' }))
          events.push([type, at.toISOString(), name]);
      })();
      await hub.settle(id);
      await watched;
      await hub.stop();
      return events;
    };
    const first = await runWith(7);
    expect(await runWith(7)).toEqual(first);
    expect(await runWith(8)).not.toEqual(first);
  });

  it('dispatches again what it has', async () => {
    hub = await createTestHub();
    let works = false;
    const early = hub.mock(split, () => ['a', 'b']);
    const late = electron(function late(words: readonly string[]): number {
      if (!works) throw new Error('not yet');
      return words.length;
    });
    const both = lattice({ name: 'both' }, (text: string) => late(split(text)));
    const id = await hub.dispatch(both)('a b');
    expect((await hub.settle(id)).status).toBe('failed');
    works = true;
    const next = await hub.client.redispatch(id)();
    expect(await hub.client.getValue(next)).toBe(2);
    expect((await hub.client.getResult(next)).redispatchOf).toBe(id);
    expect(early.calls.length).toBe(2);
  });
});

/** Turns among users, dispatches, priorities and kinds of agents, in numbers: who waits how long behind whom. Pure. */
import { describe, expect, it } from 'vitest';
import { ReadyQueues } from '../../../actors/matchmaker/queues.ts';
import type { DispatchId } from '../../../model/ids.ts';
import { dispatchId } from '../support/hub-world.ts';

const [big, small, third] = [dispatchId(1), dispatchId(2), dispatchId(3)];
const cpu = { key: 'process', capabilities: ['process'] };
const gpu = { key: 'gpu\nprocess', capabilities: ['gpu', 'process'] };
const upTo = (count: number): number[] => Array.from({ length: count }, (_, i) => i);
const of = (dispatch: DispatchId, o: { priority?: number; user?: string; root?: DispatchId } = {}) => ({
  dispatch,
  priority: o.priority ?? 0,
  user: o.user ?? 'kim',
  root: o.root ?? dispatch,
});
/** Who was given how many, of `count` takes of up to `max`. */
function shares(queues: ReadyQueues, count: number, max = 1, key = 'process'): Record<string, number> {
  const given: Record<string, number> = {};
  for (let i = 0; i < count; i++) {
    const taken = queues.take(key, max);
    if (taken !== undefined) given[taken.dispatch] = (given[taken.dispatch] ?? 0) + taken.nodes.length;
  }
  return given;
}

describe('a fair share', () => {
  it('gives each step of a chain the next turn but one, while a hundred thousand electrons wait', () => {
    const queues = new ReadyQueues();
    queues.add(of(big), upTo(100_000), cpu);
    queues.take('process', 1);
    const waits: number[] = [];
    for (let step = 0; step < 10; step++) {
      queues.add(of(small), [step], cpu);
      let waited = 0;
      for (let taken = queues.take('process', 64); taken?.dispatch !== small; taken = queues.take('process', 64))
        waited += taken?.nodes.length ?? 0;
      waits.push(waited);
    }
    expect(Math.max(...waits)).toBeLessThanOrEqual(64);
  });

  it('is one for each user, then one for each of its dispatches', () => {
    const queues = new ReadyQueues();
    for (let n = 10; n < 30; n++) queues.add(of(dispatchId(n)), upTo(1_000), cpu);
    queues.add(of(small, { user: 'lee' }), upTo(1_000), cpu);
    queues.add(of(third, { user: 'lee' }), upTo(1_000), cpu);
    const given = shares(queues, 400);
    expect([given[small], given[third]]).toEqual([100, 100]);
    expect(new Set(upTo(20).map((n) => given[dispatchId(10 + n)]))).toEqual(new Set([10]));
  });

  it('is one for a dispatch with all that is inside it', () => {
    const queues = new ReadyQueues();
    for (let n = 10; n < 30; n++) queues.add(of(dispatchId(n), { root: big }), upTo(1_000), cpu);
    queues.add(of(small), upTo(1_000), cpu);
    expect(shares(queues, 200)[small]).toBe(100);
  });

  it('goes by the turn: what comes and goes gains nothing by it', () => {
    const queues = new ReadyQueues();
    queues.add(of(big), upTo(10_000), cpu);
    let given = 0;
    for (let i = 0; i < 200; i++) {
      queues.add(of(small), [i], cpu);
      const taken = queues.take('process', 1);
      if (taken?.dispatch === small) given++;
    }
    expect(given).toBe(100);
  });

  it('puts a higher priority of any user before all lower ones', () => {
    const queues = new ReadyQueues();
    queues.add(of(big), upTo(100), cpu);
    queues.add(of(small, { user: 'lee', priority: 1 }), upTo(10), cpu);
    queues.add(of(third, { priority: -1 }), upTo(10), cpu);
    expect(shares(queues, 10)).toEqual({ [small]: 10 });
    expect(shares(queues, 2, 50)).toEqual({ [big]: 100 });
    expect(shares(queues, 9)).toEqual({ [third]: 9 });
  });

  it('forgets who has nothing left, and keeps the turns of the others', () => {
    const queues = new ReadyQueues();
    for (const dispatch of [big, small, third]) queues.add(of(dispatch, { user: dispatch }), upTo(10), cpu);
    queues.take('process', 1);
    queues.withdraw(small);
    expect(queues.take('process', 1)?.dispatch).toBe(third);
    queues.add(of(small, { user: small }), [7], cpu);
    expect([queues.take('process', 1)?.dispatch, queues.take('process', 1)?.dispatch]).toEqual([big, third]);
    expect(queues.take('process', 1)?.dispatch).toBe(small);
    queues.withdraw(big);
    queues.withdraw(third);
    expect([queues.take('process', 1), queues.waiting, queues.ahead('process', 0)]).toEqual([undefined, 0, 0]);
  });
});

describe('kinds of agents', () => {
  const order = (queues: ReadyQueues, count: number): string[] =>
    upTo(count).map(() => {
      const key = queues.next(() => true)?.requirement.key ?? '';
      queues.take(key, 1);
      return key;
    });

  it('take turns, whichever was asked for first', () => {
    const queues = new ReadyQueues();
    queues.add(of(big), upTo(1_000), cpu);
    queues.add(of(small), upTo(3), gpu);
    expect(order(queues, 5)).toEqual(['process', 'gpu\nprocess', 'process', 'gpu\nprocess', 'process']);
    queues.add(of(third), [1], gpu);
    expect(new Set(order(queues, 2)).size).toBe(2);
  });

  it('come by priority first, and those that nobody can serve now are left out', () => {
    const queues = new ReadyQueues();
    queues.add(of(big), upTo(1_000), cpu);
    queues.add(of(small, { priority: 1 }), upTo(3), gpu);
    expect(queues.next(({ key }) => key !== 'gpu\nprocess')?.requirement.key).toBe('process');
    expect(order(queues, 4)).toEqual(['gpu\nprocess', 'gpu\nprocess', 'gpu\nprocess', 'process']);
    expect(queues.next(({ key }) => key !== 'process')).toBeUndefined();
  });
});

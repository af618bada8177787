/** Concurrency keys: who may hold one (K1), and how what waits for one stands aside. Pure. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Keys, type Permit } from '../../../actors/matchmaker/keys.ts';
import { ReadyQueues } from '../../../actors/matchmaker/queues.ts';
import { holdsOf, requirementOf } from '../../../actors/requirement.ts';
import { taskIdOf, type DispatchId } from '../../../model/ids.ts';
import { def } from '../support/graphs.ts';
import { dispatchId } from '../support/hub-world.ts';

const [a, b, c] = [dispatchId(1), dispatchId(2), dispatchId(3)];
const upTo = (count: number): number[] => Array.from({ length: count }, (_, i) => i);
const of = (dispatch: DispatchId, priority = 0) => ({ dispatch, priority, user: 'kim', root: dispatch });
const plain = requirementOf(def('e'), 'kim');
const keyed = (key: string, limit: number, needs: readonly string[] = []) =>
  requirementOf(def('e', { concurrency: { key, limit }, needs }), 'kim');
const lone = requirementOf(def('e', { exclusive: true }), 'kim');

/** Queues whose takes take the keys, too. */
class Rig {
  readonly keys = new Keys((key) => this.queues.freed(key));
  readonly queues: ReadyQueues = new ReadyQueues(this.keys);
  readonly permits: Permit[] = [];

  take(key = 'process', max = 1): readonly string[] {
    const taken = this.queues.take(key, max);
    if (taken === undefined) return [];
    return taken.nodes.map((node) => {
      const task = taskIdOf(taken.dispatch, node);
      const holds = holdsOf(taken.limited, task);
      if (holds !== undefined) this.permits.push(this.keys.take(task, holds));
      return task;
    });
  }
  takeAll(key = 'process'): readonly string[] {
    const all: string[] = [];
    for (let some = this.take(key, 64); some.length > 0; some = this.take(key, 64)) all.push(...some);
    return all;
  }
}

describe('a key', () => {
  it('has room for its limit, and for the lowest limit of those who hold it', () => {
    const { keys } = new Rig();
    const room = (limit: number): number => keys.room({ key: 'k', limit });
    expect([room(3), room(1)]).toEqual([3, 1]);
    const first = keys.take(taskIdOf(a, 1), [{ key: 'k', limit: 3 }]);
    expect([room(3), room(2), room(1)]).toEqual([2, 1, 0]);
    const second = keys.take(taskIdOf(a, 2), [{ key: 'k', limit: 2 }]);
    expect([room(3), room(9)]).toEqual([0, 0]);
    expect(keys.holders('k')).toEqual([taskIdOf(a, 1), taskIdOf(a, 2)]);
    second.free();
    second.free();
    expect([room(3), room(2)]).toEqual([2, 1]);
    first.free();
    expect([room(3), keys.holders('k')]).toEqual([3, []]);
  });

  it('is the own one of its user', () => {
    const { keys } = new Rig();
    const [mine, theirs] = ['kim', 'lee'].map(
      (user) => requirementOf(def('e', { concurrency: { key: 'db', limit: 1 } }), user).limited?.key,
    );
    if (mine === undefined || theirs === undefined) throw new Error('no key');
    keys.take(taskIdOf(a, 1), [mine]);
    expect([keys.room(mine), keys.room(theirs)]).toEqual([0, 1]);
  });
});

describe('what waits for a key', () => {
  it('holds up nobody behind it, not in its own dispatch either', () => {
    const rig = new Rig();
    rig.queues.add(of(a), upTo(1_000), keyed('db', 2));
    rig.queues.add(of(a), [5_000], plain);
    rig.queues.add(of(b), [1], keyed('other', 1));
    expect(new Set(rig.takeAll())).toEqual(
      new Set([taskIdOf(a, 0), taskIdOf(a, 1), taskIdOf(a, 5_000), taskIdOf(b, 1)]),
    );
    expect(rig.queues.waiting).toBe(998);
    rig.permits.find(({ task }) => task === taskIdOf(a, 1))?.free();
    expect(rig.takeAll()).toEqual([taskIdOf(a, 2)]);
  });

  it('gets it by priority, then in turn', () => {
    const rig = new Rig();
    rig.queues.add(of(a), [0, 1], keyed('db', 1));
    expect(rig.take()).toEqual([taskIdOf(a, 0)]);
    rig.queues.add(of(b), [0], keyed('db', 1));
    rig.queues.add(of(c, 5), [0], keyed('db', 1));
    expect(rig.takeAll()).toEqual([]);
    const order: string[] = [];
    for (let held = rig.permits.at(-1); held !== undefined && order.length < 3; held = rig.permits.at(-1)) {
      held.free();
      order.push(...rig.takeAll());
    }
    expect(order).toEqual([taskIdOf(c, 0), taskIdOf(b, 0), taskIdOf(a, 1)]);
  });

  it('gets it, whichever kind of agent has room: one without does not keep it', () => {
    const rig = new Rig();
    rig.queues.add(of(a), [0], keyed('db', 1));
    expect(rig.take()).toHaveLength(1);
    rig.queues.add(of(a), [1], keyed('db', 1, ['gpu']));
    rig.queues.add(of(b), [2], keyed('db', 1));
    expect([rig.take('gpu\nprocess'), rig.take()]).toEqual([[], []]);
    rig.permits[0]?.free();
    // nobody asks for the gpu's turn
    expect(rig.take()).toEqual([taskIdOf(b, 2)]);
    expect(rig.take('gpu\nprocess')).toEqual([]);
    rig.permits[1]?.free();
    expect(rig.take('gpu\nprocess')).toEqual([taskIdOf(a, 1)]);
  });

  it('gets it when who was next for it is withdrawn', () => {
    const rig = new Rig();
    rig.queues.add(of(a), [0], keyed('db', 1));
    rig.take();
    for (const dispatch of [b, c]) rig.queues.add(of(dispatch), [0], keyed('db', 1));
    expect(rig.takeAll()).toEqual([]);
    rig.permits[0]?.free();
    rig.queues.withdraw(b);
    expect(rig.takeAll()).toEqual([taskIdOf(c, 0)]);
    expect(rig.queues.waiting).toBe(0);
  });

  it('counts ahead of what needs the same key, and of nothing else', () => {
    const rig = new Rig();
    const need = keyed('db', 1).limited?.need ?? '';
    for (const dispatch of [a, b, c]) rig.queues.add(of(dispatch), [0], keyed('db', 1));
    expect([rig.queues.ahead(need, 0), rig.queues.ahead('process', 0)]).toEqual([3, 0]);
    rig.takeAll();
    expect(rig.queues.ahead(need, 0)).toBe(2);
  });

  it('waits while the keys are closed, and comes when they open', () => {
    const rig = new Rig();
    rig.keys.closed = true;
    rig.queues.add(of(a), [0], keyed('db', 1));
    rig.queues.add(of(b), [0], lone);
    rig.queues.add(of(c), [0], plain);
    expect(rig.takeAll()).toEqual([taskIdOf(c, 0)]);
    rig.keys.closed = false;
    rig.queues.opened();
    expect(rig.takeAll()).toEqual([taskIdOf(a, 0), taskIdOf(b, 0)]);
  });

  it('costs as much with a hundred thousand before it, and with ten thousand keys', () => {
    const rig = new Rig();
    const before = performance.now();
    rig.queues.add(of(a), upTo(100_000), keyed('db', 1));
    for (let n = 0; n < 10_000; n++) {
      rig.queues.add(of(b), [n], keyed(`k${n}`, 1));
      rig.queues.add(of(dispatchId(10 + n)), [0], keyed('db', 1));
    }
    expect(rig.takeAll()).toHaveLength(10_001);
    for (let n = 0; n < 20_000; n++) {
      rig.permits.findLast(({ holds }) => holds[0]?.key === 'kim/db')?.free();
      rig.take();
    }
    expect(rig.queues.waiting).toBe(89_999);
    // a walk for each would take minutes
    expect(performance.now() - before).toBeLessThan(20_000);
  }, 60_000);
});

describe('an exclusive electron', () => {
  it('waits alone while an older attempt of it may run', () => {
    const rig = new Rig();
    const old = rig.keys.take(taskIdOf(a, 1), [{ key: taskIdOf(a, 1), limit: 1 }]);
    rig.queues.add(of(a), [0, 1, 2], lone);
    expect(rig.takeAll()).toEqual([taskIdOf(a, 0), taskIdOf(a, 2)]);
    expect(rig.queues.waiting).toBe(1);
    old.free();
    expect(rig.takeAll()).toEqual([taskIdOf(a, 1)]);
    expect([rig.queues.waiting, [...rig.queues.classes()]]).toEqual([0, []]);
  });
});

it('K1: nobody is over a limit and nobody waits in vain, whatever comes and goes', () => {
  const step = fc.oneof(
    fc.record({
      do: fc.constant('add' as const),
      dispatch: fc.nat(2),
      key: fc.nat(2),
      limit: fc.integer({ min: 1, max: 3 }),
      gpu: fc.boolean(),
      count: fc.integer({ min: 1, max: 5 }),
    }),
    fc.record({ do: fc.constant('take' as const), gpu: fc.boolean(), max: fc.integer({ min: 1, max: 4 }) }),
    fc.record({ do: fc.constant('free' as const), which: fc.nat(20) }),
    fc.record({ do: fc.constant('withdraw' as const), dispatch: fc.nat(2) }),
  );
  fc.assert(
    fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
      const rig = new Rig();
      let node = 0;
      for (const one of steps) {
        if (one.do === 'add') {
          const nodes = upTo(one.count).map(() => node++);
          rig.queues.add(
            of(dispatchId(one.dispatch), one.dispatch),
            nodes,
            keyed(`k${one.key}`, one.limit, one.gpu ? ['gpu'] : []),
          );
        } else if (one.do === 'take') rig.take(one.gpu ? 'gpu\nprocess' : 'process', one.max);
        else if (one.do === 'free') rig.permits.splice(one.which % Math.max(1, rig.permits.length), 1)[0]?.free();
        else rig.queues.withdraw(dispatchId(one.dispatch));
        for (const key of upTo(3).map((k) => `kim/k${k}`)) {
          const holders = rig.permits.filter(({ holds }) => holds[0]?.key === key);
          const lowest = Math.min(...holders.map(({ holds }) => holds[0]?.limit ?? 0));
          expect(holders.length).toBeLessThanOrEqual(lowest);
        }
      }
      for (let left = rig.queues.waiting; left > 0; left = rig.queues.waiting) {
        for (const permit of rig.permits.splice(0)) permit.free();
        rig.take('process', 64);
        rig.take('gpu\nprocess', 64);
        expect(rig.queues.waiting).toBeLessThan(left);
      }
    }),
    { numRuns: 500 },
  );
});

import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { ReadyQueues } from '../../../actors/matchmaker/queues.ts';
import type { DispatchId } from '../../../model/ids.ts';
import { dispatchId } from '../support/hub-world.ts';

const [a, b, c] = [dispatchId(1), dispatchId(2), dispatchId(3)];
const cpu = { key: 'process', capabilities: ['process'] };
const gpu = { key: 'gpu\nprocess', capabilities: ['gpu', 'process'] };
const of = (dispatch: DispatchId, priority = 0, user = 'kim', root = dispatch) => ({ dispatch, priority, user, root });
const upTo = (count: number): number[] => Array.from({ length: count }, (_, i) => i);

describe('the ready queues', () => {
  it('give what came first of a dispatch first, and not more than asked for', () => {
    const queues = new ReadyQueues();
    queues.add(of(a), [3, 1, 2], cpu);
    queues.add(of(a), [9], cpu);
    expect(queues.take('process', 2)).toEqual({ dispatch: a, nodes: [3, 1] });
    expect(queues.take('process', 5)).toEqual({ dispatch: a, nodes: [2, 9] });
    expect(queues.take('process', 5)).toBeUndefined();
    expect([queues.waiting, [...queues.classes()]]).toEqual([0, []]);
  });

  it('keep requirements apart', () => {
    const queues = new ReadyQueues();
    queues.add(of(a), [1], cpu);
    queues.add(of(a), [2], gpu);
    expect(queues.take('gpu\nprocess', 9)).toEqual({ dispatch: a, nodes: [2] });
    expect([...queues.classes()].map(({ requirement, waiting }) => [requirement.key, waiting])).toEqual([
      ['process', 1],
    ]);
  });

  it('let dispatches take turns, so that a large one does not hold up a small one', () => {
    const queues = new ReadyQueues();
    queues.add(of(a), upTo(1_000), cpu);
    queues.add(of(b), [7], cpu);
    const first = queues.take('process', 1_000);
    expect(first?.dispatch).toBe(a);
    expect(first?.nodes.length).toBeLessThanOrEqual(64);
    expect(queues.take('process', 1_000)).toEqual({ dispatch: b, nodes: [7] });
  });

  it('put a higher priority before all lower ones, whenever it comes', () => {
    const queues = new ReadyQueues();
    queues.add(of(a), upTo(100), cpu);
    queues.add(of(b, 5), upTo(100), cpu);
    queues.add(of(c, 1), upTo(100), cpu);
    const order: string[] = [];
    for (let taken = queues.take('process', 50); taken !== undefined; taken = queues.take('process', 50))
      order.push(taken.dispatch);
    expect(order).toEqual([b, b, c, c, a, a]);
  });

  it('forget a dispatch, or some of its nodes, in every class', () => {
    const queues = new ReadyQueues();
    queues.add(of(a), [1, 2, 3], cpu);
    queues.add(of(a), [4, 5], gpu);
    queues.add(of(b), [1], cpu);
    queues.take('process', 1);
    queues.withdraw(a, new Set([1, 2, 4]));
    expect(queues.waiting).toBe(3);
    queues.withdraw(a);
    expect(queues.waiting).toBe(1);
    expect([...queues.classes()].map(({ requirement }) => requirement.key)).toEqual(['process']);
    expect(queues.take('process', 9)).toEqual({ dispatch: b, nodes: [1] });
  });

  it('take a hundred thousand back one by one in the time of one walk', () => {
    const queues = new ReadyQueues();
    const many = upTo(100_000);
    queues.add(of(a), many, cpu);
    const before = performance.now();
    for (const node of many) queues.withdraw(a, new Set([node]));
    // One walk for each would take minutes.
    expect([queues.waiting, performance.now() - before < 5_000]).toEqual([0, true]);
    queues.withdraw(a, new Set([7]));
    queues.add(of(a), [7], cpu);
    expect(queues.take('process', 5)).toEqual({ dispatch: a, nodes: [7] });
  });

  it('lose and repeat nothing, whatever is added, taken and withdrawn', () => {
    const step = fc.oneof(
      fc.record({
        do: fc.constant('add' as const),
        dispatch: fc.nat(2),
        count: fc.integer({ min: 1, max: 200 }),
        gpu: fc.boolean(),
      }),
      fc.record({ do: fc.constant('take' as const), max: fc.integer({ min: 1, max: 100 }), gpu: fc.boolean() }),
      fc.record({ do: fc.constant('withdraw' as const), dispatch: fc.nat(2), every: fc.integer({ min: 0, max: 4 }) }),
    );
    fc.assert(
      fc.property(fc.array(step, { maxLength: 40 }), (steps) => {
        const queues = new ReadyQueues();
        const expected = new Map<string, Set<number>>();
        const left = (dispatch: string, key: string): Set<number> => {
          const name = `${dispatch} ${key}`;
          const found = expected.get(name) ?? new Set<number>();
          expected.set(name, found);
          return found;
        };
        let next = 0;
        for (const one of steps) {
          if (one.do === 'add') {
            const id = dispatchId(one.dispatch);
            const nodes = upTo(one.count).map(() => next++);
            const requirement = one.gpu ? gpu : cpu;
            queues.add(of(id, one.dispatch), nodes, requirement);
            for (const node of nodes) left(id, requirement.key).add(node);
          } else if (one.do === 'take') {
            const { key } = one.gpu ? gpu : cpu;
            const taken = queues.take(key, one.max);
            expect(taken?.nodes.length ?? 0).toBeLessThanOrEqual(one.max);
            for (const node of taken?.nodes ?? []) expect(left(taken?.dispatch ?? '', key).delete(node)).toBe(true);
          } else {
            const id = dispatchId(one.dispatch);
            const goes = (node: number): boolean => one.every === 0 || node % one.every === 0;
            queues.withdraw(id, one.every === 0 ? undefined : new Set(upTo(next).filter(goes)));
            for (const { key } of [cpu, gpu])
              for (const node of [...left(id, key)]) if (goes(node)) left(id, key).delete(node);
          }
          const all = [...expected.values()].reduce((sum, nodes) => sum + nodes.size, 0);
          expect(queues.waiting).toBe(all);
          expect([...queues.classes()].reduce((sum, { waiting }) => sum + waiting, 0)).toBe(all);
        }
      }),
      { numRuns: 300 },
    );
  });
});

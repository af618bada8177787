/**
 * Maps of no item, of one and of 100,000: the list is cut, each item ends, and what they gave is put together and read, with the state and the store that a hub has.
 * Not here: the agents. A real system with 1,000 items is in test/e2e/values.test.ts, one with a million is the bench's W5.
 */
import { describe, expect, it } from 'vitest';
import type { Effect } from '../../../actors/lattice/effects.ts';
import { LatticeState } from '../../../actors/lattice/state.ts';
import { verdictOf } from '../../../actors/lattice/verdict.ts';
import { composeList, sliceList, storeBytes, wholeValue } from '../../../actors/results/values.ts';
import { encodeSplit } from '../../../bus/value/split.ts';
import { decodeValue, encodeValue } from '../../../bus/value/value.ts';
import type { ValueInfo } from '../../../model/outcome.ts';
import { Plan } from '../../../model/plan.ts';
import { openMemoryStore } from '../../../store/memory-store.ts';
import type { Store } from '../../../store/store.ts';
import { electron, graphOf, map } from '../support/graphs.ts';

/** Every 1,000th item, from the first on. */
const failsAt = (item: number): boolean => item % 1_000 === 0;
const cpuMs = (): number => {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1_000;
};

class MapRun {
  readonly state: LatticeState;
  readonly #store: Store = openMemoryStore();
  readonly #items: number;
  readonly #collects: boolean;

  /** `concurrency` 0: no limit. */
  constructor(items: number, o: { readonly collects: boolean; readonly concurrency: number }) {
    this.#items = items;
    this.#collects = o.collects;
    const graph = graphOf(['load', 'work'], [electron(0), map('work', 0, [electron(1, [{ item: 0 }])], o)], [1]);
    this.state = new LatticeState(new Plan(graph));
  }

  /** Until nothing more is to be done; what the map gave, decoded. */
  async run(): Promise<unknown> {
    this.state.start();
    for (let effects = this.state.takeEffects(); effects.length > 0; effects = this.state.takeEffects())
      for (const effect of effects) await this.#carryOut(effect);
    const value = this.state.value(1);
    return value === undefined ? undefined : decodeValue(await wholeValue(this.#store, value.digest));
  }

  async #carryOut(effect: Effect): Promise<void> {
    const store = this.#store;
    if (effect.type === 'slice') this.state.sliced(effect.map, await sliceList(store, effect.value.digest));
    else if (effect.type === 'compose')
      this.state.composed(effect.map, await composeList(store, effect.elements, effect.settled));
    else if (effect.type === 'ready' && this.state.assigned(effect.node)) {
      const error =
        effect.node > 1 && this.#collects && failsAt(effect.node - 2)
          ? { code: 'TASK_THREW', message: 'no' }
          : undefined;
      const value = error === undefined ? await this.#valueOf(effect.node) : undefined;
      this.state.ended(effect.node, error === undefined ? 'completed' : 'failed', value, error);
    }
  }

  /** The list, and of an item twice its element. */
  async #valueOf(node: number): Promise<ValueInfo> {
    if (node === 0)
      return storeBytes(
        this.#store,
        encodeSplit(
          Array.from({ length: this.#items }, (_, i) => i),
          'x',
        ),
      );
    const element = this.state.item(1, node - 2);
    const bytes = element === undefined ? undefined : this.#store.smallValue(element.digest);
    const decoded = bytes === undefined ? undefined : decodeValue(bytes);
    return storeBytes(this.#store, encodeValue(2 * Number(decoded), 'x'));
  }
}

describe.each([
  { collects: false, concurrency: 0 },
  { collects: true, concurrency: 3 },
])('a map with %o', (o) => {
  it.each([0, 1, 100_000])(
    'of %i items gives an array of as many, in their order',
    async (items) => {
      const began = cpuMs();
      const run = new MapRun(items, o);
      const value = await run.run();
      const list: readonly unknown[] = Array.isArray(value) ? value : [];
      expect(list).toHaveLength(items);
      const ended = (i: number): object =>
        failsAt(i)
          ? { status: 'rejected', reason: { node: `work[${i}]`, message: 'no', code: 'TASK_THREW' } }
          : { status: 'fulfilled', value: 2 * i };
      const right = (one: unknown, i: number): boolean =>
        o.collects ? JSON.stringify(one) === JSON.stringify(ended(i)) : one === 2 * i;
      expect(list.findIndex((one, i) => !right(one, i))).toBe(-1);
      expect(verdictOf(run.state, false)).toEqual({ status: 'completed', errors: [] });
      // 100,000 took 2 to 3 s on a busy machine; what grows with their square takes minutes
      expect(cpuMs() - began).toBeLessThan(30_000);
    },
    120_000,
  );
});

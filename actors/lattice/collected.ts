/**
 * Maps with `onItemError: 'collect'`: which failures they take, and which of them an item is told to have failed of. What an item does beside what its value
 * needs fails as anywhere. Pure. Not here: what becomes of it (state.ts), how it is told (model/reason.ts).
 */
import type { WireNode } from '../../model/graph.ts';
import { hasValue, type ElectronStatus } from '../../model/lifecycle.ts';
import type { Plan, Region } from '../../model/plan.ts';

export const collects = (node: WireNode): boolean => node.kind === 'map' && node.onItemError === 'collect';

export class Collected {
  readonly #plan: Plan;
  readonly #status: (node: number) => ElectronStatus;
  /** Of each body: its nodes that the output needs. */
  readonly #needed = new Map<readonly WireNode[], Uint8Array>();

  constructor(plan: Plan, status: (node: number) => ElectronStatus) {
    this.#plan = plan;
    this.#status = status;
  }

  /** The end of this node without a value rejects an item of a map that collects, at whatever depth. */
  takes(node: number): boolean {
    for (let at = this.#plan.place(node); at.region.map >= 0; ) {
      if (this.#neededIn(at.region)[at.local] !== 1) return false;
      const map = this.#plan.place(at.region.map);
      if (collects(map.node)) return true;
      at = map;
    }
    return false;
  }

  /** The node that an item failed of, by its output. Of several it is the first in the graph: the same whatever came first, and after a restart. */
  causeOf(output: number): number {
    const { region, item } = this.#plan.place(output);
    const first = region.base + item * region.nodes.length;
    for (const [local, needed] of this.#neededIn(region).entries()) {
      const status = this.#status(first + local);
      if (needed === 1 && (status === 'failed' || status === 'cancelled')) return this.#within(first + local);
    }
    return output;
  }

  /** A map that failed with one of its items failed of what that did. */
  #within(node: number): number {
    const region = this.#plan.regionOf(node);
    if (region === undefined || this.#status(node) !== 'failed' || collects(this.#plan.place(node).node)) return node;
    for (let item = 0; item < region.items; item++) {
      const output = this.#plan.outputOf(region, item);
      if (!hasValue(this.#status(output))) return this.causeOf(output);
    }
    return node;
  }

  #neededIn({ nodes, links, map }: Region): Uint8Array {
    const known = this.#needed.get(nodes);
    if (known !== undefined) return known;
    const parents: number[][] = Array.from(nodes, () => []);
    for (let node = 0; node < nodes.length; node++)
      for (const dependent of links.dependents.subarray(links.starts[node], links.starts[node + 1]))
        parents[dependent]?.push(node);
    const needed = new Uint8Array(nodes.length);
    const { node: wire } = this.#plan.place(map);
    const open = wire.kind === 'map' ? [wire.body.output] : [];
    for (let node = open.pop(); node !== undefined; node = open.pop()) {
      if (needed[node] === 1) continue;
      needed[node] = 1;
      open.push(...(parents[node] ?? []));
    }
    this.#needed.set(nodes, needed);
    return needed;
  }
}

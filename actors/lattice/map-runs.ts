/**
 * The maps of a dispatch that were expanded: what their items work on, how many of these have begun, and how many nodes are open. Not here: what a node's
 * end means (state.ts), reading and putting together the arrays (maps.ts).
 */
import type { ValueInfo } from '../../model/outcome.ts';
import type { Plan, Region } from '../../model/plan.ts';

interface MapRun {
  readonly region: Region;
  readonly items: readonly ValueInfo[];
  /** Body nodes that have not ended. */
  open: number;
  /** Items begun, and those whose output has not ended. */
  begun: number;
  active: number;
  composing: boolean;
}

export class MapRuns {
  readonly #plan: Plan;
  readonly #runs = new Map<number, MapRun>();

  constructor(plan: Plan) {
    this.#plan = plan;
  }

  has(map: number): boolean {
    return this.#runs.has(map);
  }
  get all(): readonly number[] {
    return [...this.#runs.keys()];
  }
  /** The element that an item of a map works on. */
  item(map: number, item: number): ValueInfo | undefined {
    return this.#runs.get(map)?.items[item];
  }

  add(map: number, region: Region, items: readonly ValueInfo[]): void {
    const open = items.length * region.nodes.length;
    this.#runs.set(map, { region, items, open, begun: 0, active: 0, composing: false });
  }

  /** All nodes of its items. */
  nodesOf(map: number): readonly number[] {
    const run = this.#runs.get(map);
    if (run === undefined) return [];
    const { base, items, nodes } = run.region;
    return Array.from({ length: items * nodes.length }, (_, i) => base + i);
  }
  /** None of its nodes can change any more. */
  over(map: number): boolean {
    return this.#runs.get(map)?.open === 0;
  }

  /** Begins items as far as its limit lets it; `begin` gets the nodes of each. */
  begin(map: number, isOver: (node: number) => boolean, begin: (from: number, to: number) => void): void {
    const run = this.#runs.get(map);
    const { node } = this.#plan.place(map);
    if (run === undefined || node.kind !== 'map') return;
    const limit = node.concurrency === 0 ? Number.POSITIVE_INFINITY : node.concurrency;
    const width = run.region.nodes.length;
    while (run.begun < run.items.length && run.active < limit) {
      const from = run.region.base + run.begun * width;
      if (!isOver(this.#plan.outputOf(run.region, run.begun))) run.active++;
      run.begun++;
      begin(from, from + width);
    }
  }

  /** A node has ended before the dispatch goes on from its records. */
  restored(node: number): void {
    const run = this.#runs.get(this.#plan.place(node).region.map);
    if (run !== undefined) run.open--;
  }
  /** A node has ended. The map that it is an item's node of, and whether its item ended with it. */
  ended(node: number): { readonly map: number; readonly item: boolean } | undefined {
    if (this.#runs.size === 0) return undefined;
    const { region, item } = this.#plan.place(node);
    const run = this.#runs.get(region.map);
    if (run === undefined) return undefined;
    run.open--;
    if (node !== this.#plan.outputOf(region, item)) return { map: region.map, item: false };
    // One of an item that had not begun (it was cancelled or skipped) held no place.
    if (item < run.begun) run.active--;
    return { map: region.map, item: true };
  }

  /** The output node of each item, in order. */
  *outputsOf(map: number): Generator<number> {
    const run = this.#runs.get(map);
    if (run === undefined) return;
    for (let item = 0; item < run.items.length; item++) yield this.#plan.outputOf(run.region, item);
  }
  /** True once: its values are to be put together now. */
  composes(map: number): boolean {
    const run = this.#runs.get(map);
    if (run === undefined || run.composing) return false;
    return (run.composing = true);
  }
}

/**
 * What is known of a dispatch's electrons, by the node that is drawn for them: a map's body is drawn once for all of its items.
 * Not here: asking a hub.
 */
import type { WireGraph, WireNode } from '../../model/graph.ts';
import { electronStatuses, type ElectronStatus } from '../../model/lifecycle.ts';

export type Counts = Readonly<Partial<Record<ElectronStatus, number>>>;

/** An electron of a dispatch, as the hub lists it. */
export interface SeenElectron {
  readonly id: number;
  readonly status: ElectronStatus;
  /** Node id of the map that it is an item's node of. */
  readonly map?: number;
  /** A lattice's dispatch. */
  readonly inner?: string;
}

/** A map that became nodes: ids of its items' nodes begin at `base`. */
interface Expanded {
  readonly key: string;
  readonly body: readonly WireNode[];
  base: number | undefined;
}

export class Seen {
  readonly #graph: WireGraph;
  readonly #counts = new Map<string, Partial<Record<ElectronStatus, number>>>();
  /** Undefined: several. */
  readonly #dispatches = new Map<string, string | undefined>();
  readonly #maps = new Map<number, Expanded>();

  constructor(graph: WireGraph) {
    this.#graph = graph;
  }

  /** Takes the dispatch's electrons in the order of their ids, all of them: where a map's items begin is told by the first. */
  add({ id, status, map, inner }: SeenElectron): void {
    const place = this.#place(id, map);
    if (place === undefined) return;
    const { key, node } = place;
    if (node?.kind === 'map') this.#maps.set(id, { key, body: node.body.nodes, base: undefined });
    const counts = this.#counts.get(key) ?? {};
    counts[status] = (counts[status] ?? 0) + 1;
    if (inner !== undefined) this.#dispatches.set(key, this.#dispatches.has(key) ? undefined : inner);
    this.#counts.set(key, counts);
  }

  /** Of all electrons. */
  totals(): Counts {
    return sum(...this.#counts.values());
  }

  counts(key: string): Counts | undefined {
    return this.#counts.get(key);
  }

  /** The lattice's own, if it is one. */
  dispatch(key: string): string | undefined {
    return this.#dispatches.get(key);
  }

  /** How many items the map has become, in all items of the maps around it; undefined while it isn't known. */
  items(map: string): number | undefined {
    const items = totalOf(this.#counts.get(`${map}_0`) ?? {});
    const over = this.#counts.get(map)?.completed ?? 0;
    return items === 0 && over === 0 ? undefined : items;
  }

  #place(
    id: number,
    map: number | undefined,
  ): { readonly key: string; readonly node: WireNode | undefined } | undefined {
    if (map === undefined) return { key: `n${id}`, node: this.#graph.nodes[id] };
    const around = this.#maps.get(map);
    if (around === undefined) return undefined;
    around.base ??= id;
    const local = (id - around.base) % around.body.length;
    return { key: `${around.key}_${local}`, node: around.body[local] };
  }
}

export const totalOf = (counts: Counts): number => Object.values(counts).reduce((sum, n) => sum + n, 0);

/** All of both. */
export function sum(...all: readonly Counts[]): Counts {
  const total: Partial<Record<ElectronStatus, number>> = {};
  for (const counts of all)
    for (const status of electronStatuses) {
      const more = counts[status] ?? 0;
      if (more > 0) total[status] = (total[status] ?? 0) + more;
    }
  return total;
}

/**
 * What the result manager keeps in memory of dispatches that have not ended: counts by status, and what is running just now.
 * After a restart a dispatch is counted from its records when somebody first touches it: a hub with many of them is in service sooner.
 */
import type { DispatchId } from '../../model/ids.ts';
import type { ElectronStatus } from '../../model/lifecycle.ts';
import type { StatusCounts } from '../../model/records.ts';

interface Live {
  nodes: number;
  seq: number;
  /** What is made when it is first needed: most dispatches of a hub with many only wait. */
  counts: Map<ElectronStatus, number> | undefined;
  running: Map<number, number> | undefined;
}

export class LiveDispatches {
  readonly #live = new Map<DispatchId, Live>();
  /** Live since before the restart, and not counted yet. */
  readonly #uncounted = new Set<DispatchId>();
  #count: (id: DispatchId) => void = () => undefined;

  /** After a restart: these have not ended. `count` adds one and its records when it is needed. */
  restore(ids: Iterable<DispatchId>, count: (id: DispatchId) => void): void {
    for (const id of ids) this.#uncounted.add(id);
    this.#count = count;
  }

  has(id: DispatchId): boolean {
    return this.#live.has(id) || this.#uncounted.has(id);
  }
  /** It is live, and has yet to be counted. */
  isUncounted(id: DispatchId): boolean {
    return this.#uncounted.has(id);
  }
  #of(id: DispatchId): Live | undefined {
    if (this.#uncounted.size > 0 && this.#uncounted.has(id)) this.#count(id);
    return this.#live.get(id);
  }
  add(id: DispatchId, nodes: number): void {
    this.#uncounted.delete(id);
    this.#live.set(id, { nodes, seq: 0, counts: undefined, running: undefined });
  }
  grow(id: DispatchId, nodes: number): void {
    const live = this.#of(id);
    if (live !== undefined) live.nodes += nodes;
  }
  remove(id: DispatchId): void {
    this.#uncounted.delete(id);
    this.#live.delete(id);
  }
  changed(id: DispatchId, node: number, was: ElectronStatus | undefined, now: ElectronStatus, seq: number): void {
    const live = this.#of(id);
    if (live === undefined) return;
    live.seq = Math.max(live.seq, seq);
    const counts = (live.counts ??= new Map<ElectronStatus, number>());
    if (was !== undefined) counts.set(was, (counts.get(was) ?? 1) - 1);
    counts.set(now, (counts.get(now) ?? 0) + 1);
    live.running?.delete(node);
  }
  running(id: DispatchId, node: number, startedAt: number): void {
    const live = this.#of(id);
    if (live !== undefined) (live.running ??= new Map<number, number>()).set(node, startedAt);
  }
  runningSince(id: DispatchId, node: number): number | undefined {
    return this.#of(id)?.running?.get(node);
  }

  /** The last durable seq so far. */
  seq(id: DispatchId): number {
    return this.#of(id)?.seq ?? 0;
  }

  /** Electrons by status; those without a record are waiting. */
  counts(id: DispatchId): StatusCounts {
    const live = this.#of(id);
    if (live === undefined) return {};
    const counts: Partial<Record<ElectronStatus, number>> = {};
    let recorded = 0;
    for (const [status, count] of live.counts ?? []) {
      recorded += count;
      if (count > 0) counts[status] = count;
    }
    const running = live.running?.size ?? 0;
    if (running > 0) {
      counts.running = running + (counts.running ?? 0);
      const assigned = (counts.assigned ?? 0) - running;
      if (assigned > 0) counts.assigned = assigned;
      else delete counts.assigned;
    }
    if (live.nodes > recorded) counts.waiting = live.nodes - recorded;
    return counts;
  }
}

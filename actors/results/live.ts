/** What the result manager keeps in memory of dispatches that have not ended: counts by status, and what is running just now. */
import type { DispatchId } from '../../model/ids.ts';
import type { ElectronStatus } from '../../model/lifecycle.ts';
import type { StatusCounts } from '../../model/records.ts';

interface Live {
  nodes: number;
  seq: number;
  readonly counts: Map<ElectronStatus, number>;
  readonly running: Map<number, number>;
}

export class LiveDispatches {
  readonly #live = new Map<DispatchId, Live>();

  has(id: DispatchId): boolean {
    return this.#live.has(id);
  }
  add(id: DispatchId, nodes: number): void {
    this.#live.set(id, { nodes, seq: 0, counts: new Map(), running: new Map() });
  }
  grow(id: DispatchId, nodes: number): void {
    const live = this.#live.get(id);
    if (live !== undefined) live.nodes += nodes;
  }
  remove(id: DispatchId): void {
    this.#live.delete(id);
  }
  changed(id: DispatchId, node: number, was: ElectronStatus | undefined, now: ElectronStatus, seq: number): void {
    const live = this.#live.get(id);
    if (live === undefined) return;
    live.seq = Math.max(live.seq, seq);
    // A running electron's record still says `assigned`.
    const before = was === 'running' ? 'assigned' : was;
    if (before !== undefined) live.counts.set(before, (live.counts.get(before) ?? 1) - 1);
    live.counts.set(now, (live.counts.get(now) ?? 0) + 1);
    live.running.delete(node);
  }
  running(id: DispatchId, node: number, startedAt: number): void {
    this.#live.get(id)?.running.set(node, startedAt);
  }
  runningSince(id: DispatchId, node: number): number | undefined {
    return this.#live.get(id)?.running.get(node);
  }

  /** The last durable seq so far. */
  seq(id: DispatchId): number {
    return this.#live.get(id)?.seq ?? 0;
  }

  /** Electrons by status; those without a record are waiting. */
  counts(id: DispatchId): StatusCounts {
    const live = this.#live.get(id);
    if (live === undefined) return {};
    const counts: Partial<Record<ElectronStatus, number>> = {};
    let recorded = 0;
    for (const [status, count] of live.counts) {
      recorded += count;
      if (count > 0) counts[status] = count;
    }
    const running = live.running.size;
    if (running > 0) {
      counts.running = running;
      const assigned = (counts.assigned ?? 0) - running;
      if (assigned > 0) counts.assigned = assigned;
      else delete counts.assigned;
    }
    if (live.nodes > recorded) counts.waiting = live.nodes - recorded;
    return counts;
  }
}

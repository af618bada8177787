/** Of each node of a dispatch: its status, and how many parents it still waits for. Typed arrays: a lattice may have a million. Decides nothing. */
import { electronStatuses, type ElectronStatus } from '../../model/lifecycle.ts';
import type { Region } from '../../model/plan.ts';

const codes = new Map(electronStatuses.map((status, code) => [status, code]));

export class NodeTable {
  #status: Uint8Array;
  #pending: Uint32Array;

  constructor({ links }: Region) {
    this.#status = new Uint8Array(links.parents.length);
    this.#pending = links.parents.slice();
  }

  status(node: number): ElectronStatus {
    return electronStatuses[this.#status[node] ?? 0] ?? 'waiting';
  }
  set(node: number, status: ElectronStatus): void {
    this.#status[node] = codes.get(status) ?? 0;
  }

  waitsForNone(node: number): boolean {
    return this.#pending[node] === 0;
  }
  /** One of its parents has a value. Returns how many are left. */
  arrived(node: number): number {
    return (this.#pending[node] = (this.#pending[node] ?? 1) - 1);
  }

  /** The nodes of a map that was expanded, behind all others. */
  grow({ base, items, nodes, links }: Region): void {
    const status = new Uint8Array(base + items * nodes.length);
    status.set(this.#status);
    const pending = new Uint32Array(status.length);
    pending.set(this.#pending);
    for (let item = 0; item < items; item++) pending.set(links.parents, base + item * nodes.length);
    this.#status = status;
    this.#pending = pending;
  }
}

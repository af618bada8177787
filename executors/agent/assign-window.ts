/**
 * Which assigns of one (hub epoch, agent epoch) were carried out (A1), and what was refused in them, so that a repeat gets the first answer.
 * Pure. Invariants:
 *  W1 a number is fresh at most once;
 *  W2 `seen` never falls, and every number up to it was answered;
 *  W3 memory is bounded by WINDOW numbers: what lies below is refused, what lies too far ahead too.
 */
import type { AssignReply } from '../../bus/protocol/agent.ts';

export const WINDOW = 4_096;

export type Refused = AssignReply['refused'];
export type Sighting =
  | { readonly type: 'fresh' }
  | { readonly type: 'repeat'; readonly refused: Refused }
  | { readonly type: 'outside' };

export class AssignWindow {
  /** Highest number met. */
  #top = 0;
  /** Numbers in (seen, top] that have not come. */
  readonly #missing = new Set<number>();
  /** Refusals of answered numbers within the window; most assigns have none. */
  readonly #refusals = new Map<number, Refused>();

  /** The highest number below which, itself included, none is missing. */
  get seen(): number {
    let lowest = this.#top + 1;
    for (const n of this.#missing) lowest = Math.min(lowest, n);
    return lowest - 1;
  }

  /** Looks at a number and marks it as met. */
  meet(n: number): Sighting {
    if (n < 1 || n > this.#top + WINDOW) return { type: 'outside' };
    if (n > this.#top) {
      for (let gap = this.#top + 1; gap < n; gap++) this.#missing.add(gap);
      this.#top = n;
      this.#prune();
      return { type: 'fresh' };
    }
    const fresh = this.#missing.delete(n);
    if (n <= this.#top - WINDOW) return { type: 'outside' };
    return fresh ? { type: 'fresh' } : { type: 'repeat', refused: this.#refusals.get(n) ?? [] };
  }

  /** What has not come up to `n` is void: if it comes, it starts nothing. */
  skip(n: number): void {
    for (const gap of this.#missing) if (gap <= n) this.#missing.delete(gap);
    this.#top = Math.max(this.#top, n);
  }

  /** Remembers what was refused in `n`. */
  refuse(n: number, refused: Refused): void {
    if (refused.length > 0) this.#refusals.set(n, refused);
  }

  #prune(): void {
    const floor = this.#top - WINDOW;
    if (this.#refusals.size > WINDOW) {
      for (const n of this.#refusals.keys()) if (n <= floor) this.#refusals.delete(n);
    }
    // a gap that far below will be refused when it comes; keeping it missing keeps `seen` honest
  }
}

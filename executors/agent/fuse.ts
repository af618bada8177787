/**
 * How long exclusive attempts may still run: the hub may give them to another agent one lease after it heard of this one, and it heard of it no earlier than the last
 * answered sync was sent. So they end well before that by the own clock: a part of the lease is left for clocks that run within 5 % of each other, and for
 * killing (A3). Not here: which attempts those are (state.ts), how they are killed (tasks.ts).
 */
import type { Clock, Timer } from '../../model/clock.ts';

/** Of a lease. */
const SHARE_PERCENT = 85;

export class Fuse {
  readonly #clock: Clock;
  readonly #burnt: () => void;
  #until = Number.NEGATIVE_INFINITY;
  #timer: Timer | undefined;

  /** `burnt`: once each time that it has burnt down while it was watched. */
  constructor(clock: Clock, burnt: () => void) {
    this.#clock = clock;
    this.#burnt = burnt;
  }

  /** May an exclusive attempt run now? */
  get burns(): boolean {
    return this.#clock.monotonic() < this.#until;
  }

  /** A sync that was sent then was answered with this lease. */
  renew(sentAt: number, leaseMs: number): void {
    this.#until = Math.max(this.#until, sentAt + (SHARE_PERCENT / 100) * leaseMs);
  }

  /** Something is to be ended with it. */
  watch(): void {
    this.#timer ??= this.#clock.after(Math.max(0, this.#until - this.#clock.monotonic()), () => {
      this.#timer = undefined;
      if (this.burns) this.watch();
      else this.#burnt();
    });
  }

  stop(): void {
    this.#timer?.cancel();
  }
}

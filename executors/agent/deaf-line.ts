/**
 * Notices a line to the bus that is open, and over which no answer comes: the bus answers our pings, and has lost or refused our inbox since. Then it is dialled anew, elsewhere first if the bus has
 * other servers. That nobody listens is an answer. A hub that hangs looks the same, so the pause grows each time. Not here: a line that is dead (bus/nats/heartbeat.ts).
 */
import type { Bus } from '../../bus/bus.ts';
import type { Clock } from '../../model/clock.ts';
import { PolaronError } from '../../model/errors.ts';

/** Without any answer. */
const LEASES = 3;
const MOST_TIMES_LONGER = 16;
/** Until a hub has said how long one is. */
const USUAL_LEASE_MS = 15_000;

export interface DeafLineOptions {
  readonly clock: Clock;
  readonly random: () => number;
  /** All that this agent has. */
  readonly lines: readonly Pick<Bus, 'renew'>[];
  readonly say: (text: string) => void;
}

export class DeafLine {
  readonly #options: DeafLineOptions;
  #leaseMs = USUAL_LEASE_MS;
  /** Nothing has come since; undefined: nothing was asked since the last answer. */
  #silentSince: number | undefined;
  #times = 0;

  constructor(options: DeafLineOptions) {
    this.#options = options;
  }

  answered(leaseMs: number | undefined): void {
    this.#leaseMs = leaseMs ?? this.#leaseMs;
    this.#silentSince = undefined;
    this.#times = 0;
  }

  /** Something that was asked at this moment (monotonic, ms) came to nothing. */
  failed(askedAt: number, error: unknown): void {
    if (!(error instanceof PolaronError) || error.code !== 'REQUEST_TIMEOUT') {
      this.#silentSince = undefined;
      return;
    }
    const { clock, lines, random, say } = this.#options;
    this.#silentSince ??= askedAt;
    const silentMs = clock.monotonic() - this.#silentSince;
    const longestMs = LEASES * this.#leaseMs * Math.min(2 ** this.#times, MOST_TIMES_LONGER);
    if (silentMs < longestMs) return;
    this.#times++;
    this.#silentSince = undefined;
    say(`agent: no answer has come over the bus for ${Math.round(silentMs / 1_000)} s, dialling it anew`);
    // a thousand agents don't come in one moment
    for (const line of lines) if (line.renew !== undefined) clock.after(random() * this.#leaseMs, () => line.renew?.());
  }
}

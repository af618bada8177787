/**
 * Notices a line to the bus that is open, and over which something doesn't come any more: the bus answers our pings, and has lost or refused our inbox since, or what the hub sends assigns to. Then it is
 * dialled anew, elsewhere first if the bus has other servers. That nobody listens is an answer. A hub that hangs looks the same, so the pause grows each time.
 * Not here: a line that is dead (bus/nats/heartbeat.ts).
 */
import type { Bus } from '../../bus/bus.ts';
import type { SyncReply } from '../../bus/protocol/agent.ts';
import type { Clock } from '../../model/clock.ts';
import { PolaronError } from '../../model/errors.ts';

/** Without any answer. */
const LEASES = 3;
/** With answers that name assigns of which none comes. */
const LEASES_WITHOUT_ASSIGNS = 1;
const MOST_TIMES_LONGER = 16;
/** Until a hub has said how long one is. */
const USUAL_LEASE_MS = 15_000;

type Answer = Pick<Extract<SyncReply, { type: 'ok' }>, 'leaseMs' | 'sent'>;

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
  readonly #answers = new Patience(LEASES);
  readonly #assigns = new Patience(LEASES_WITHOUT_ASSIGNS);
  #seen = 0;

  constructor(options: DeafLineOptions) {
    this.#options = options;
  }

  /** Undefined: of a hub that isn't ready. `seen`: as the sync said. */
  answered(answer: Answer | undefined, seen: number): void {
    this.#answers.end();
    if (answer === undefined) return;
    const { sent = 0, leaseMs } = answer;
    this.#leaseMs = leaseMs;
    if (sent <= seen || seen !== this.#seen) this.#assigns.end();
    this.#seen = seen;
    if (sent > seen) this.#bear(this.#assigns, this.#options.clock.monotonic(), 'nothing of what the hub assigned has');
  }

  /** Something that was asked at this moment (monotonic, ms) came to nothing. */
  failed(askedAt: number, error: unknown): void {
    if (error instanceof PolaronError && error.code === 'REQUEST_TIMEOUT')
      this.#bear(this.#answers, askedAt, 'no answer has');
    else this.#answers.interrupt();
  }

  #bear(patience: Patience, since: number, what: string): void {
    const { clock, lines, random, say } = this.#options;
    const lasted = patience.lost(since, clock.monotonic(), this.#leaseMs);
    if (lasted === undefined) return;
    say(`agent: ${what} come over the bus for ${Math.round(lasted / 1_000)} s, dialling it anew`);
    // a thousand agents don't come in one moment
    for (const line of lines) if (line.renew !== undefined) clock.after(random() * this.#leaseMs, () => line.renew?.());
  }
}

/** With something that goes on; it is longer each time it is lost. Times are monotonic, ms. */
class Patience {
  readonly #leases: number;
  /** Undefined: it doesn't go on. */
  #since: number | undefined;
  #times = 0;

  constructor(leases: number) {
    this.#leases = leases;
  }

  /** It has gone on since this moment, or longer. How long, when that is too long: it counts from new then. */
  lost(since: number, now: number, leaseMs: number): number | undefined {
    this.#since ??= since;
    const lasted = now - this.#since;
    if (lasted < this.#leases * leaseMs * Math.min(2 ** this.#times, MOST_TIMES_LONGER)) return undefined;
    this.#times++;
    this.#since = undefined;
    return lasted;
  }

  /** It doesn't go on, for all that is known. */
  interrupt(): void {
    this.#since = undefined;
  }

  /** All is well again. */
  end(): void {
    this.#since = undefined;
    this.#times = 0;
  }
}

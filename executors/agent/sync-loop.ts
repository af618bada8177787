/**
 * When the agent syncs: every heartbeat, and soon after anything that may have left hub and agent of different minds. One at a time; a wish
 * during one is granted after it. Not here: what a sync says and what its answer changes (agent.ts).
 */
import type { Sync, SyncReply } from '../../bus/protocol/agent.ts';
import type { Bus } from '../../bus/bus.ts';
import { parseSyncReply } from '../../bus/protocol/wire-agent.ts';
import type { Clock, Timer } from '../../model/clock.ts';
import { isSaid } from '../../model/seldom.ts';
import { DeafLine } from './deaf-line.ts';
import type { Channel } from './channel.ts';

const NOT_READY_MS = 100;
const FIRST_RETRY_MS = 100;
const SHORTEST_TIMEOUT_MS = 1_000;
/** Syncs that are wished for keep at least this distance. */
const DISTANCE_MS = 50;

export interface SyncLoopOptions {
  readonly channel: Channel;
  /** `polaron.up.SITE.AGENT.sync` */
  readonly subject: string;
  readonly clock: Clock;
  readonly random: () => number;
  readonly heartbeatMs: number;
  /** See AgentOptions. */
  readonly load: (() => number) | undefined;
  readonly body: (seq: number) => Sync;
  /** Acts on an answer and says when to sync next. `sentAt`: when it was asked, or a little before (monotonic, ms). */
  readonly answered: (reply: SyncReply, sentAt: number) => 'heartbeat' | 'soon' | 'now' | 'never';
  /** All that this agent has to the bus. */
  readonly lines: readonly Pick<Bus, 'renew'>[];
  /** Seldom when it goes on. */
  readonly failed: (error: unknown) => void;
}

export class SyncLoop {
  readonly #options: SyncLoopOptions;
  readonly #line: DeafLine;
  #heartbeatMs: number;
  #seq = 0;
  #timer: Timer | undefined;
  #dueAt = Number.POSITIVE_INFINITY;
  #busy = false;
  #again = false;
  #lastAt = Number.NEGATIVE_INFINITY;
  #failures = 0;
  #roundTripMs: number | undefined;
  #stopped = false;

  constructor(options: SyncLoopOptions) {
    this.#options = options;
    this.#heartbeatMs = options.heartbeatMs;
    this.#line = new DeafLine({ ...options, say: (text) => options.channel.say('line', text) });
  }

  /** The hub may ask for a quicker heartbeat than ours. */
  setHeartbeat(ms: number): void {
    if (ms > 0) this.#heartbeatMs = Math.min(this.#options.heartbeatMs, ms);
  }

  /** Syncs within `delayMs`, or as soon as the distance to the last one allows. */
  soon(delayMs = 0): void {
    if (this.#busy) {
      this.#again = true;
      return;
    }
    const now = this.#options.clock.monotonic();
    this.#schedule(Math.max(delayMs, this.#lastAt + DISTANCE_MS - now, 0));
  }

  stop(): void {
    this.#stopped = true;
    this.#timer?.cancel();
  }

  /** The last words: one sync now, and none after it, which would make the hub think that it came back. Never rejects. */
  async last(): Promise<void> {
    this.stop();
    try {
      await this.#ask(true);
    } catch {
      // the hub finds out by the lease
    }
  }

  #schedule(delayMs: number, kind?: 'routine'): void {
    const at = this.#options.clock.monotonic() + delayMs;
    if (this.#stopped || at >= this.#dueAt) return;
    this.#timer?.cancel();
    this.#dueAt = at;
    const due = (): void => {
      this.#dueAt = Number.POSITIVE_INFINITY;
      void this.#sync();
    };
    this.#timer = this.#options.clock.after(delayMs, due, kind);
  }

  async #sync(): Promise<void> {
    if (this.#busy || this.#stopped) return;
    this.#busy = true;
    this.#again = false;
    this.#lastAt = this.#options.clock.monotonic();
    let next: number;
    try {
      const { reply, seen } = await this.#ask();
      this.#failures = 0;
      this.#line.answered(reply.type === 'ok' ? reply : undefined, seen);
      next = this.#delayAfter(this.#stopped ? 'never' : this.#options.answered(reply, this.#lastAt));
    } catch (error) {
      const wait = Math.min(this.#heartbeatMs, FIRST_RETRY_MS * 2 ** Math.min(this.#failures++, 10));
      if (isSaid(this.#failures)) this.#options.failed(error);
      this.#line.failed(this.#lastAt, error);
      next = wait * (0.75 + this.#options.random() / 2);
    }
    this.#busy = false;
    if (this.#again) this.soon();
    else if (next < Number.POSITIVE_INFINITY) this.#schedule(next, next === this.#heartbeatMs ? 'routine' : undefined);
  }

  async #ask(leaving = false): Promise<{ readonly reply: SyncReply; readonly seen: number }> {
    const { channel, subject, clock } = this.#options;
    const body = this.#withVitals(this.#options.body(++this.#seq), leaving);
    const askedAt = clock.monotonic();
    const reply = await channel.ask(subject, body, parseSyncReply, Math.max(SHORTEST_TIMEOUT_MS, this.#heartbeatMs));
    this.#roundTripMs = clock.monotonic() - askedAt;
    return { reply, seen: body.seen };
  }

  /** What people look at: no decision rests on it, but that nobody waits for who leaves with nothing in hand. */
  #withVitals(body: Sync, leaving: boolean): Sync {
    const { clock, load } = this.#options;
    return {
      ...body,
      sentAt: clock.now(),
      ...(this.#roundTripMs === undefined ? {} : { roundTripMs: this.#roundTripMs }),
      ...(load === undefined ? {} : { load: load() }),
      ...(leaving && body.run.length === 0 ? { leaving } : {}),
    };
  }

  #delayAfter(when: 'heartbeat' | 'soon' | 'now' | 'never'): number {
    switch (when) {
      case 'heartbeat':
        return this.#heartbeatMs;
      case 'soon':
        return NOT_READY_MS;
      case 'now':
        return 0;
      case 'never':
        this.stop();
        return Number.POSITIVE_INFINITY;
    }
  }
}

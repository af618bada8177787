/**
 * Reports outcomes until each is answered (A2): many per message, a few messages at once, back-off with jitter while nobody answers.
 * An idle agent reports at once; a busy one when the last report was answered, or after a moment. Not here: the spool, what a verdict means.
 */
import type { DoneReply, FinishedTask, Verdict } from '../../bus/protocol/agent.ts';
import { parseDoneReply } from '../../bus/protocol/wire-agent.ts';
import { encodeDone, encodeOutcomes, type EncodedTask } from '../../bus/protocol/write-done.ts';
import type { Clock, Timer } from '../../model/clock.ts';
import { PolaronError } from '../../model/errors.ts';
import type { TaskId } from '../../model/ids.ts';
import { sameToken, type TaskLogs, type Token } from '../../model/outcome.ts';
import type { Channel } from './channel.ts';

const BATCH_MS = 2;
const MOST_IN_FLIGHT = 4;
const MOST_PER_MESSAGE = 1_000;
const MOST_BYTES = 512 * 1024;
const ENVELOPE_BYTES = 8 * 1024;
const TIMEOUT_MS = 2_000;
const FIRST_RETRY_MS = 100;
const LONGEST_RETRY_MS = 5_000;
/** `later` and `missing` are asked again after this. */
const LATER_MS = 250;
/** Logs and stacks of an outcome that fits into no message are cut to so much. */
const SLIM_CHARS = 1_024;

type Verdicts = Extract<DoneReply, { verdicts: unknown }>['verdicts'];

export interface ReporterOptions {
  readonly channel: Channel;
  /** `polaron.up.SITE.AGENT.done` */
  readonly subject: string;
  readonly clock: Clock;
  readonly random: () => number;
  readonly epoch: () => number;
  /** Is this outcome still to be reported? It isn't when a newer attempt of its task took its place, or the hub dropped it. */
  readonly wanted: (task: TaskId, token: Token) => boolean;
  /** Every verdict; true: settled, false: it is reported again. */
  readonly judged: (task: TaskId, token: Token, verdict: Verdict) => boolean;
  /** After the verdicts of one message. */
  readonly answered: () => void;
}

export class Reporter {
  readonly #options: ReporterOptions;
  readonly #pending = new Map<TaskId, EncodedTask>();
  readonly #later = new Map<TaskId, EncodedTask>();
  #inFlight = 0;
  #sending = 0;
  #failures = 0;
  #timer: Timer | undefined;
  #laterTimer: Timer | undefined;
  #waiting = false;
  #stopped = false;

  constructor(options: ReporterOptions) {
    this.#options = options;
  }

  /** Outcomes that no hub has settled. */
  get unsettled(): number {
    return this.#pending.size + this.#later.size + this.#sending;
  }

  /** Reports outcomes that are in the spool already. */
  add(outcomes: readonly EncodedTask[]): void {
    for (const finished of outcomes) this.#pending.set(finished.task, finished);
    if (this.#inFlight === 0 && !this.#waiting) this.#send();
    else this.#plan(BATCH_MS);
  }

  /** Nobody wants this outcome any more. */
  drop(task: TaskId, token: Token): void {
    for (const map of [this.#pending, this.#later]) {
      const finished = map.get(task);
      if (finished !== undefined && sameToken(finished.token, token)) map.delete(task);
    }
  }

  /** The bus is back: don't sit out the back-off. */
  nudge(): void {
    this.#waiting = false;
    this.#send();
  }

  stop(): void {
    this.#stopped = true;
    this.#timer?.cancel();
    this.#laterTimer?.cancel();
  }

  #plan(delayMs: number): void {
    if (this.#timer !== undefined || this.#stopped) return;
    this.#timer = this.#options.clock.after(delayMs, () => {
      this.#timer = undefined;
      this.#waiting = false;
      this.#send();
    });
  }

  #send(): void {
    while (this.#pending.size > 0 && this.#inFlight < MOST_IN_FLIGHT && !this.#waiting && !this.#stopped) {
      const batch = this.#take();
      this.#inFlight++;
      this.#sending += batch.length;
      void this.#report(batch);
    }
  }

  async #report(batch: readonly EncodedTask[]): Promise<void> {
    const { channel, subject, epoch } = this.#options;
    let reply: DoneReply | undefined;
    try {
      reply = await channel.askEncoded(subject, encodeDone(epoch(), batch), parseDoneReply, TIMEOUT_MS);
    } catch (error) {
      if (error instanceof PolaronError && error.code === 'PAYLOAD_TOO_LARGE')
        batch = encodeOutcomes(batch.map(slim), 0).tasks;
      else if (error instanceof PolaronError && error.code === 'BUS_CLOSED') this.#stopped = true;
    }
    this.#inFlight--;
    this.#sending -= batch.length;
    // what was said after the end is heard by the next life
    if (this.#stopped) return;
    if (reply === undefined) this.#failed(batch);
    else this.#settle(batch, reply);
  }

  #failed(batch: readonly EncodedTask[]): void {
    for (const finished of batch) this.#putBack(this.#pending, finished);
    const full = Math.min(LONGEST_RETRY_MS, FIRST_RETRY_MS * 2 ** Math.min(this.#failures++, 10));
    this.#waiting = true;
    this.#timer?.cancel();
    this.#timer = undefined;
    this.#plan(full * (0.5 + this.#options.random() / 2));
  }

  #settle(batch: readonly EncodedTask[], reply: DoneReply): void {
    this.#failures = 0;
    if ('all' in reply) {
      for (const finished of batch)
        if (!this.#options.judged(finished.task, finished.token, reply.all)) this.#putBack(this.#later, finished);
    } else this.#settleEach(batch, reply.verdicts);
    if (this.#later.size > 0) this.#planLater();
    this.#options.answered();
    this.#send();
  }

  #settleEach(batch: readonly EncodedTask[], verdicts: Verdicts): void {
    const open = new Map(batch.map((finished) => [finished.task, finished] as const));
    for (const { task, token, verdict } of verdicts) {
      const finished = open.get(task);
      if (finished === undefined || !sameToken(finished.token, token)) continue;
      open.delete(task);
      if (!this.#options.judged(task, token, verdict)) this.#putBack(this.#later, finished);
    }
    // what the answer leaves out is reported again, though not at once
    for (const finished of open.values()) this.#putBack(this.#later, finished);
  }

  #planLater(): void {
    if (this.#laterTimer !== undefined || this.#stopped) return;
    this.#laterTimer = this.#options.clock.after(LATER_MS * (0.5 + this.#options.random()), () => {
      this.#laterTimer = undefined;
      const again = [...this.#later.values()].filter(({ task, token }) => this.#options.wanted(task, token));
      this.#later.clear();
      this.add(again);
    });
  }

  /** A newer attempt's outcome is not overwritten, nor kept from being put back itself: it may be under way, too. */
  #putBack(map: Map<TaskId, EncodedTask>, finished: EncodedTask): void {
    const { task, token } = finished;
    if (!this.#pending.has(task) && this.#options.wanted(task, token)) map.set(task, finished);
  }

  #take(): EncodedTask[] {
    const limit = Math.min(MOST_BYTES, this.#options.channel.bus.maxPayload - ENVELOPE_BYTES);
    const batch: EncodedTask[] = [];
    let bytes = 0;
    for (const [task, finished] of this.#pending) {
      bytes += finished.to - finished.from;
      if (batch.length > 0 && (bytes > limit || batch.length >= MOST_PER_MESSAGE)) break;
      batch.push(finished);
      this.#pending.delete(task);
    }
    return batch;
  }
}

const slimLogs = ({ stdout, stderr, log }: TaskLogs, cut: (text: string) => string): TaskLogs => ({
  stdout: cut(stdout),
  stderr: cut(stderr),
  ...(log === undefined ? {} : { log: cut(log) }),
});

function slim(finished: FinishedTask): FinishedTask {
  const { outcome } = finished;
  const cut = (text: string): string =>
    text.length > SLIM_CHARS ? `${text.slice(0, SLIM_CHARS)}… cut to fit into a message` : text;
  const logs = outcome.logs === undefined ? {} : { logs: slimLogs(outcome.logs, cut) };
  if (outcome.status !== 'failed') return { ...finished, outcome: { ...outcome, ...logs } };
  const { code, message } = outcome.error;
  return { ...finished, outcome: { ...outcome, ...logs, error: { code, message: cut(message) } } };
}

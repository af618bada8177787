/**
 * How the hub's actors reach the result manager: asks, and one ordered, numbered stream of writes.
 * Not here: what is written (the actors decide) and how it is stored (results/manager.ts).
 *
 * W1. Batches are numbered from 1 and sent in order; the ops of one turn of the event loop are one batch.
 * W2. A batch that isn't answered in time is sent again; a changed epoch in an answer means that the manager restarted, and everything unanswered is sent again.
 * W3. Callbacks of `afterFlush` run in order, only when the batch that held the ops before them is flushed.
 * W4. A request says which batch it comes after, since a bus between here and the manager may carry it there first.
 */
import { asPolaronError, PolaronError } from '../model/errors.ts';
import type { Clock } from '../model/clock.ts';
import type { Log } from '../model/log.ts';
import { Turnstile } from '../model/turnstile.ts';
import type { RecordOp, ResultsRequests, ResultsRequestType, WritePosition } from '../bus/protocol/results.ts';

/** Sends one request to the result manager, wherever it is. Rejects with its error, or REQUEST_TIMEOUT. `after`: it rests on what was written until then. */
export type AskResults = <T extends ResultsRequestType>(
  type: T,
  ask: ResultsRequests[T]['ask'],
  timeoutMs: number,
  after?: WritePosition,
) => Promise<ResultsRequests[T]['answer']>;

interface Batch {
  readonly n: number;
  readonly ops: readonly RecordOp[];
  readonly callbacks: readonly (() => void)[];
  flushed: boolean;
}

export interface ResultsClientOptions {
  readonly ask: AskResults;
  readonly sender: string;
  readonly clock: Clock;
  /** A write failed for good: the hub drops its memory and recovers. */
  readonly onFatal: (error: Error) => void;
  readonly log?: Log;
}

/** They rest on nothing that is still queued: who waits knows an id that is on disk, and a key's second use waits for its first. Sending first would cut batches short. */
const unordered: ReadonlySet<ResultsRequestType> = new Set(['results.admit', 'results.wait']);
const WRITE_TIMEOUT_MS = 15_000;
const ASK_TIMEOUT_MS = 30_000;
/** Each is some messages in mailboxes, which hold 100,000. */
const ASKED_AT_ONCE = 2_048;

export class ResultsClient {
  readonly #options: ResultsClientOptions;
  #ops: RecordOp[] = [];
  #callbacks: (() => void)[] = [];
  #scheduled = false;
  #n = 0;
  readonly #unanswered: Batch[] = [];
  #backlog = 0;
  #backlogBytes = 0;
  #epoch: string | undefined;
  #closed = false;
  /** For asks that one event makes for each of many nodes. */
  readonly turns = new Turnstile(ASKED_AT_ONCE);

  constructor(options: ResultsClientOptions) {
    this.#options = options;
  }

  /** Ops that are queued or not yet flushed: the back-pressure signal. */
  get backlog(): number {
    return this.#backlog;
  }
  /** Bytes of the values among them. */
  get backlogBytes(): number {
    return this.#backlogBytes;
  }

  /** Queues records, in order. Nothing is awaited. */
  write(...ops: readonly RecordOp[]): void {
    for (const op of ops) {
      this.#ops.push(op);
      if (op.op === 'value') this.#backlogBytes += op.bytes.byteLength;
    }
    this.#backlog += ops.length;
    this.#schedule();
  }

  /** Calls back once everything queued so far is on disk. Never called when the hub fails before. */
  afterFlush(callback: () => void): void {
    this.#callbacks.push(callback);
    this.#schedule();
  }

  /** Resolves once everything queued so far is on disk. */
  flushed(): Promise<void> {
    return new Promise((resolve) => this.afterFlush(resolve));
  }

  ask<T extends ResultsRequestType>(
    type: T,
    ask: ResultsRequests[T]['ask'],
    timeoutMs = ASK_TIMEOUT_MS,
  ): Promise<ResultsRequests[T]['answer']> {
    if (unordered.has(type)) return this.#options.ask(type, ask, timeoutMs);
    this.#send();
    return this.#options.ask(type, ask, timeoutMs, { sender: this.#options.sender, n: this.#n });
  }

  close(): void {
    this.#closed = true;
  }

  #schedule(): void {
    if (this.#scheduled) return;
    this.#scheduled = true;
    setImmediate(() => {
      this.#scheduled = false;
      this.#send();
    });
  }

  #send(): void {
    if (this.#closed || (this.#ops.length === 0 && this.#callbacks.length === 0)) return;
    const batch: Batch = { n: ++this.#n, ops: this.#ops, callbacks: this.#callbacks, flushed: false };
    this.#ops = [];
    this.#callbacks = [];
    this.#unanswered.push(batch);
    void this.#deliver(batch);
  }

  async #deliver(batch: Batch): Promise<void> {
    for (let tries = 0; !this.#closed && !batch.flushed; tries++) {
      try {
        const answer = await this.#options.ask(
          'results.write',
          { sender: this.#options.sender, from: this.#unanswered[0]?.n ?? batch.n, n: batch.n, ops: batch.ops },
          WRITE_TIMEOUT_MS,
        );
        if (this.#epoch !== undefined && answer.epoch !== this.#epoch) this.#resend(batch);
        this.#epoch = answer.epoch;
        batch.flushed = true;
        this.#settle();
      } catch (error) {
        const failure = asPolaronError(error, 'STORE_FAILED');
        const retryable =
          failure.code === 'REQUEST_TIMEOUT' || failure.code === 'NO_RESPONDERS' || failure.code === 'BUS_DISCONNECTED';
        if (!retryable || tries > 20) {
          this.#fail(failure);
          return;
        }
        await new Promise<void>((resolve) => this.#options.clock.after(100, resolve));
      }
    }
  }

  /** The manager restarted: what it may have lost is sent again, in order, before anything newer counts. */
  #resend(except: Batch): void {
    for (const batch of this.#unanswered) if (batch !== except && !batch.flushed) void this.#deliver(batch);
  }

  #settle(): void {
    while (this.#unanswered[0]?.flushed === true) {
      const batch = this.#unanswered.shift();
      this.#backlog -= batch?.ops.length ?? 0;
      for (const op of batch?.ops ?? []) if (op.op === 'value') this.#backlogBytes -= op.bytes.byteLength;
      for (const callback of batch?.callbacks ?? []) this.#call(callback);
    }
  }

  /** What is on disk stays there: a callback that throws (an event too large for the bus) is neither a failed write nor another's matter. */
  #call(callback: () => void): void {
    try {
      callback();
    } catch (error) {
      this.#options.log?.('error', `after a flush: ${asPolaronError(error, 'STORE_FAILED').message}`);
    }
  }

  #fail(error: PolaronError): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#options.onFatal(error);
  }
}

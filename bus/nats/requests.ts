/**
 * Requests that wait for an answer: one reply inbox and one Map for all of them (85k/s against 15k/s of nats.js `request()`).
 * Not here: sending (nats-bus.ts).
 *
 * R1. A request ends exactly once: by answer, deadline, disconnection, refusal or its signal.
 */
import type { BusMessage } from '../bus.ts';
import type { ErrorCode } from '../../model/errors.ts';
import { PolaronError } from '../../model/errors.ts';
import { Deadlines } from './deadlines.ts';

interface Pending {
  readonly token: string;
  readonly subject: string;
  readonly timeoutMs: number;
  tick: number;
  resolve(message: BusMessage): void;
  reject(error: unknown): void;
  readonly signal: AbortSignal | undefined;
  onAbort: (() => void) | undefined;
}

export interface Waiting {
  readonly reply: string;
  readonly answer: Promise<BusMessage>;
}

export class Requests {
  /** `_INBOX.<identity>.<random>.`: replies come to this and a token. */
  readonly inbox: string;
  readonly #pending = new Map<string, Pending>();
  readonly #deadlines: Deadlines<Pending>;
  /** Called when the number of waiting requests becomes 0 or 1. */
  readonly #busy: (busy: boolean) => void;
  #next = 0;

  constructor(inbox: string, busy: (busy: boolean) => void) {
    this.inbox = inbox;
    this.#busy = busy;
    this.#deadlines = new Deadlines((pending) => {
      const { subject, timeoutMs } = pending;
      this.#fail(pending, 'REQUEST_TIMEOUT', `request to ${subject} was not answered within ${timeoutMs} ms`);
    });
  }

  get size(): number {
    return this.#pending.size;
  }

  add(subject: string, timeoutMs: number, signal: AbortSignal | undefined): Waiting {
    const token = (this.#next++).toString(36);
    const answer = new Promise<BusMessage>((resolve, reject) => {
      const pending: Pending = { token, subject, timeoutMs, tick: 0, resolve, reject, signal, onAbort: undefined };
      this.#pending.set(token, pending);
      pending.tick = this.#deadlines.add(pending, timeoutMs);
      if (signal !== undefined) {
        pending.onAbort = () => {
          if (this.#end(pending)) reject(signal.reason);
        };
        signal.addEventListener('abort', pending.onAbort, { once: true });
      }
    });
    if (this.#pending.size === 1) this.#busy(true);
    return { reply: this.inbox + token, answer };
  }

  /** A message to the inbox. Late and unknown answers are ignored. */
  answered(message: BusMessage, noResponders: boolean): void {
    const pending = this.#pending.get(message.subject.slice(this.inbox.length));
    if (pending === undefined) return;
    if (noResponders) this.#fail(pending, 'NO_RESPONDERS', `nobody listens on ${pending.subject}`);
    else if (this.#end(pending)) pending.resolve(message);
  }

  /** It was not sent after all: its promise never settles. */
  forget(reply: string): void {
    const pending = this.#pending.get(reply.slice(this.inbox.length));
    if (pending !== undefined) this.#end(pending);
  }

  /** The server refused to take messages to `subject`, or (`reply`) with this reply subject. */
  refused(refusal: { readonly subject?: string; readonly reply?: string }, identity: string): void {
    for (const pending of this.#pending.values()) {
      if (refusal.subject !== pending.subject && refusal.reply !== this.inbox + pending.token) continue;
      this.#fail(pending, 'PERMISSION_DENIED', `${identity} may not send to ${pending.subject}`);
    }
  }

  failAll(code: ErrorCode, why: string): void {
    for (const pending of this.#pending.values()) {
      this.#fail(pending, code, `request to ${pending.subject}: ${why}`);
    }
  }

  #fail(pending: Pending, code: ErrorCode, message: string): void {
    if (!this.#end(pending)) return;
    pending.reject(new PolaronError(code, message, { details: { subject: pending.subject } }));
  }

  #end(pending: Pending): boolean {
    if (!this.#pending.delete(pending.token)) return false;
    this.#deadlines.remove(pending, pending.tick);
    if (pending.onAbort !== undefined) pending.signal?.removeEventListener('abort', pending.onAbort);
    if (this.#pending.size === 0) this.#busy(false);
    return true;
  }
}

/**
 * Request and answer over actor messages: an actor that asks the result manager and matches the answers.
 * A request carries `ask`, its number; the answer is `results.answer` with the same. Every request may be sent twice: over a bus, which may
 * lose it or its answer, it is sent again with longer and longer pauses.
 */
import { isErrorCode } from '../model/error-table.ts';
import { PolaronError } from '../model/errors.ts';
import { trusted } from '../model/trusted.ts';
import type { Clock, Timer } from '../model/clock.ts';
import type { ResultsRequests, ResultsRequestType, WritePosition } from '../bus/protocol/results.ts';
import type { ApiError } from '../bus/protocol/api.ts';
import type { AskResults } from './results-client.ts';
import type { Actor, ActorSystem, Address, Message } from './system.ts';

export interface ResultsAnswer extends Message {
  readonly type: 'results.answer';
  readonly ask: number;
  readonly body?: unknown;
  readonly error?: ApiError;
}
export const isResultsAnswer = (message: Message): message is ResultsAnswer => message.type === 'results.answer';

interface Pending {
  readonly type: ResultsRequestType;
  readonly message: Message;
  readonly resolve: (body: never) => void;
  readonly reject: (error: Error) => void;
  readonly dueAt: number;
  /** When it is sent again, and how long after that. */
  againAt: number;
  pauseMs: number;
}

const SWEEP_MS = 1_000;

export class Asker implements Actor<ResultsAnswer> {
  readonly #system: ActorSystem;
  readonly #self: Address;
  readonly #manager: Address;
  readonly #clock: Clock;
  readonly #overBus: boolean;
  readonly #pending = new Map<number, Pending>();
  #next = 1;
  #sweeper: Timer | undefined;

  /** `overBus`: the manager is in another process. */
  constructor(system: ActorSystem, manager: Address, clock: Clock, overBus: boolean) {
    this.#system = system;
    this.#overBus = overBus;
    this.#manager = manager;
    this.#clock = clock;
    this.#self = system.address('asker', 'main');
    system.spawn(this.#self, this, isResultsAnswer);
  }

  readonly ask: AskResults = <T extends ResultsRequestType>(
    type: T,
    ask: ResultsRequests[T]['ask'],
    timeoutMs: number,
    after?: WritePosition,
  ) =>
    new Promise<ResultsRequests[T]['answer']>((resolve, reject) => {
      const number = this.#next++;
      const message = after === undefined ? { type, ask: number, ...ask } : { type, ask: number, after, ...ask };
      const now = this.#clock.monotonic();
      const againAt = this.#overBus ? now + SWEEP_MS : Number.POSITIVE_INFINITY;
      const dueAt = now + timeoutMs;
      this.#pending.set(number, { type, message, resolve, reject, dueAt, againAt, pauseMs: SWEEP_MS });
      this.#sweeper ??= this.#clock.after(SWEEP_MS, this.#sweep, 'routine');
      this.#system.send(this.#manager, message, this.#self);
    });

  /** The result manager is another than before: it has heard nothing of what isn't answered. */
  askAgain(): void {
    for (const { message } of this.#pending.values()) this.#system.send(this.#manager, message, this.#self);
  }

  receive(answer: ResultsAnswer): void {
    const pending = this.#pending.get(answer.ask);
    if (pending === undefined) return;
    this.#pending.delete(answer.ask);
    if (answer.error === undefined) pending.resolve(trusted<never>(answer.body));
    else {
      const { code, message, details, help } = answer.error;
      pending.reject(new PolaronError(isErrorCode(code) ? code : 'STORE_FAILED', message, { details, help }));
    }
  }

  undeliverable(_to: Address, message: Message): void {
    if (!('ask' in message) || typeof message.ask !== 'number') return;
    const pending = this.#pending.get(message.ask);
    this.#pending.delete(message.ask);
    pending?.reject(new PolaronError('NO_RESPONDERS', `the result manager at ${this.#manager} is not there`));
  }

  close(): void {
    this.#sweeper?.cancel();
    for (const pending of this.#pending.values())
      pending.reject(new PolaronError('STORE_FAILED', 'the hub is stopping'));
    this.#pending.clear();
  }

  readonly #sweep = (): void => {
    this.#sweeper = undefined;
    const now = this.#clock.monotonic();
    for (const [number, pending] of this.#pending) {
      if (pending.dueAt > now) {
        this.#again(pending, now);
        continue;
      }
      this.#pending.delete(number);
      pending.reject(new PolaronError('REQUEST_TIMEOUT', `the result manager did not answer ${pending.type} in time`));
    }
    if (this.#pending.size > 0) this.#sweeper = this.#clock.after(SWEEP_MS, this.#sweep, 'routine');
  };

  #again(pending: Pending, now: number): void {
    if (pending.againAt > now) return;
    pending.pauseMs *= 2;
    pending.againAt = now + pending.pauseMs;
    this.#system.send(this.#manager, pending.message, this.#self);
  }
}

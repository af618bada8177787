/** One held task at work: from the assign to its outcome. Not here: whether it is held (state.ts), spool and report (agent.ts). */
import type { LogLine, Progress } from '../../bus/protocol/agent.ts';
import type { Stream } from '../../model/log-entry.ts';
import type { Outcome, TaskLogs } from '../../model/outcome.ts';
import type { ExecutorEvents, ExecutorHandle } from '../executor.ts';
import type { Held } from './state.ts';

/** What an attempt has for its time: a file, an environment. */
export interface Lent {
  giveBack(): void;
}

export interface AttemptListener {
  log(line: LogLine): void;
  progress(progress: Progress): void;
  ended(attempt: Attempt, outcome: Outcome, file: string | undefined): void;
}

export class Attempt implements ExecutorEvents {
  readonly held: Held;
  readonly #listener: AttemptListener;
  #handle: ExecutorHandle | undefined;
  #preparing: AbortController | undefined;
  #lines = 0;
  #lent: Lent[] = [];
  #over = false;
  #cancelled: string | undefined;
  /** Latest; undefined before the first. */
  fraction: number | undefined;

  constructor(held: Held, listener: AttemptListener) {
    this.held = held;
    this.#listener = listener;
  }

  /** Aborts when the attempt is stopped while its inputs and code are fetched. */
  get signal(): AbortSignal {
    this.#preparing ??= new AbortController();
    return this.#preparing.signal;
  }

  /** What it uses: given back when it is over. */
  holds(lent: Lent): void {
    if (this.#over) lent.giveBack();
    else this.#lent.push(lent);
  }

  /** Nobody asks for it any more. */
  over(): void {
    this.#over = true;
    for (const lent of this.#lent) lent.giveBack();
    this.#lent = [];
  }

  /** It is with an executor now. */
  begun(handle: ExecutorHandle): void {
    this.#handle = handle;
    if (this.#cancelled !== undefined) handle.cancel(this.#cancelled);
  }

  runningSince(): number {
    return this.#handle?.runningSince() ?? 0;
  }

  /** What it has written so far. */
  logs(): TaskLogs | undefined {
    return this.#handle?.logs?.();
  }

  /** Stops it; an outcome follows. False when it had not begun: then none does. */
  cancel(reason: string): boolean {
    this.#cancelled ??= reason;
    if (this.#handle === undefined) {
      this.#preparing?.abort();
      return false;
    }
    this.#handle.cancel(reason);
    return true;
  }

  /** Takes it back if it only waits. */
  revoke(): boolean {
    if (this.#handle !== undefined) return this.#handle.revoke();
    this.#preparing?.abort();
    return true;
  }

  /** Its executor goes on with it when the agent has ended. */
  leave(): boolean {
    return this.#handle?.leave?.() === true;
  }

  /** What holds keys or amounts is killed without grace: it isn't listed any more. */
  forget(): void {
    this.#preparing?.abort();
    this.#handle?.forget(this.held.holds !== undefined || this.held.taken !== undefined);
  }

  log(stream: Stream, text: string): void {
    const { task, token } = this.held;
    this.#listener.log({ task, token, n: ++this.#lines, stream, text });
  }

  progress(fraction: number, note: string): void {
    const { task, token } = this.held;
    this.fraction = fraction;
    this.#listener.progress({ task, token, fraction, note });
  }

  ended(outcome: Outcome, file?: string): void {
    this.#listener.ended(this, outcome, file);
  }
}

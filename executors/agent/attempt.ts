/** One held task at work: from the assign to its outcome. Not here: whether it is held (state.ts), spool and report (agent.ts). */
import type { LogLine, Progress } from '../../bus/protocol/agent.ts';
import type { Outcome } from '../../model/outcome.ts';
import type { LentFile } from './blob-cache.ts';
import type { ExecutorEvents, ExecutorHandle } from '../executor.ts';
import type { Held } from './state.ts';

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
  #files: LentFile[] = [];
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

  /** A file that it reads: given back when it is over. */
  holds(file: LentFile): void {
    if (this.#over) file.giveBack();
    else this.#files.push(file);
  }

  /** Nobody asks for it any more. */
  over(): void {
    this.#over = true;
    for (const file of this.#files) file.giveBack();
    this.#files = [];
  }

  /** It is with an executor now. */
  begun(handle: ExecutorHandle): void {
    this.#handle = handle;
    if (this.#cancelled !== undefined) handle.cancel(this.#cancelled);
  }

  runningSince(): number {
    return this.#handle?.runningSince() ?? 0;
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

  forget(): void {
    this.#preparing?.abort();
    this.#handle?.forget();
  }

  log(stream: 'stdout' | 'stderr', text: string): void {
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

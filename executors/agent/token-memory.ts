/**
 * The highest token seen per task, and the tokens cancelled before they came (A1). Bounded: the oldest entries are forgotten, which is safe
 * once they lie outside the window of assign numbers. Pure.
 */
import type { TaskId } from '../../model/ids.ts';
import { olderToken, type Token } from '../../model/outcome.ts';
import { Recent } from '../../model/recent.ts';

/** At least so many are kept, at most twice as many. */
export const TOKENS_KEPT = 65_536;
export const CANCELS_KEPT = 16_384;

export class TokenMemory {
  readonly #highest = new Recent<TaskId, Token>(TOKENS_KEPT);
  readonly #cancelled = new Recent<TaskId, Token>(CANCELS_KEPT);

  /** The highest token accepted for the task. */
  highest(task: TaskId): Token | undefined {
    return this.#highest.get(task);
  }

  accept(task: TaskId, token: Token): void {
    raise(this.#highest, task, token);
  }

  /** A cancel for a token that has not come: it must never start. */
  cancel(task: TaskId, token: Token): void {
    raise(this.#cancelled, task, token);
  }

  /** Was this token, or a later one of the task, cancelled before it came? */
  isCancelled(task: TaskId, token: Token): boolean {
    const cancelled = this.#cancelled.get(task);
    return cancelled !== undefined && !olderToken(cancelled, token);
  }

  clear(): void {
    this.#highest.clear();
    this.#cancelled.clear();
  }
}

function raise(tokens: Recent<TaskId, Token>, task: TaskId, token: Token): void {
  const known = tokens.get(task);
  if (known === undefined || !olderToken(token, known)) tokens.set(task, token);
}

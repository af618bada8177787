/**
 * The highest token seen per task, and the tokens cancelled before they came (A1). Bounded: the oldest entries are forgotten, which is safe
 * once they lie outside the window of assign numbers. Pure.
 */
import type { TaskId } from '../../model/ids.ts';
import { olderToken, type Token } from '../../model/outcome.ts';

export const TOKENS_KEPT = 65_536;
export const CANCELS_KEPT = 16_384;

export class TokenMemory {
  readonly #highest = new Map<TaskId, Token>();
  readonly #cancelled = new Map<TaskId, Token>();

  /** The highest token accepted for the task. */
  highest(task: TaskId): Token | undefined {
    return this.#highest.get(task);
  }

  accept(task: TaskId, token: Token): void {
    raise(this.#highest, TOKENS_KEPT, task, token);
  }

  /** A cancel for a token that has not come: it must never start. */
  cancel(task: TaskId, token: Token): void {
    raise(this.#cancelled, CANCELS_KEPT, task, token);
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

function raise(map: Map<TaskId, Token>, limit: number, task: TaskId, token: Token): void {
  const known = map.get(task);
  if (known !== undefined) {
    if (olderToken(token, known)) return;
    map.delete(task);
  }
  map.set(task, token);
  if (map.size <= limit) return;
  for (const oldest of map.keys()) {
    map.delete(oldest);
    return;
  }
}

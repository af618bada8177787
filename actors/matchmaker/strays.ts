/**
 * Attempts with keys that an agent lists though the hub doesn't count them as given to it: claims, and those that it shall drop. They run until the agent no longer
 * lists them, and hold their keys as long. Pure.
 */
import type { RunEntry } from '../../bus/protocol/agent.ts';
import type { TaskId } from '../../model/ids.ts';
import type { Token } from '../../model/outcome.ts';
import type { Keys, Permit } from './keys.ts';

const nameOf = (task: TaskId, token: Token): string => `${task} ${token[0]} ${token[1]}`;

export class Strays {
  readonly #keys: Keys;
  #permits = new Map<string, Permit>();

  constructor(keys: Keys) {
    this.#keys = keys;
  }

  /** These, and no others, are listed now. */
  listed(entries: readonly RunEntry[]): void {
    if (entries.length === 0 && this.#permits.size === 0) return; // nearly always
    const before = this.#permits;
    this.#permits = new Map();
    for (const { task, token, holds } of entries) {
      const name = nameOf(task, token);
      if (holds !== undefined) this.#permits.set(name, before.get(name) ?? this.#keys.take(task, holds));
      before.delete(name);
    }
    for (const permit of before.values()) permit.free();
  }

  /** It counts as given now: who has it gives its keys back. */
  adopt(task: TaskId, token: Token): Permit | undefined {
    if (this.#permits.size === 0) return undefined;
    const name = nameOf(task, token);
    const permit = this.#permits.get(name);
    this.#permits.delete(name);
    return permit;
  }
}

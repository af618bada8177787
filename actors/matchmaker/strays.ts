/**
 * Attempts with keys or amounts that an agent lists though the hub doesn't count them as given to it: claims, and those that it shall drop. They run until the agent no longer
 * lists them, and hold them as long. Pure.
 */
import type { RunEntry } from '../../bus/protocol/agent.ts';
import type { TaskId } from '../../model/ids.ts';
import type { Token } from '../../model/outcome.ts';
import type { Grip, Grips } from './grips.ts';

const nameOf = (task: TaskId, token: Token): string => `${task} ${token[0]} ${token[1]}`;

export class Strays {
  readonly #grips: Grips;
  #held = new Map<string, Grip>();

  constructor(grips: Grips) {
    this.#grips = grips;
  }

  /** These, and no others, are listed now. */
  listed(entries: readonly RunEntry[]): void {
    if (entries.length === 0 && this.#held.size === 0) return; // nearly always
    const before = this.#held;
    this.#held = new Map();
    for (const entry of entries) {
      const name = nameOf(entry.task, entry.token);
      const grip = before.get(name) ?? this.#grips.listed(entry);
      if (grip !== undefined) this.#held.set(name, grip);
      before.delete(name);
    }
    for (const grip of before.values()) grip.free();
  }

  /** It counts as given now: who has it gives back what it holds. */
  adopt(task: TaskId, token: Token): Grip | undefined {
    if (this.#held.size === 0) return undefined;
    const name = nameOf(task, token);
    const grip = this.#held.get(name);
    this.#held.delete(name);
    return grip;
  }
}

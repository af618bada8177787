/**
 * Dispatches that are accepted and have not begun, since more than enough others wait for the same agents: a row each. Pure.
 * By what they ask for; among those higher priority first, then users in turn, and of one user's in the order of their coming. Not here: when one begins
 * (beginnings.ts).
 */
import type { DispatchId } from '../../model/ids.ts';
import { needOf } from '../requirement.ts';
import type { FirstNeed } from './first-need.ts';

interface Line {
  readonly priority: number;
  /** Who has its turn stands in front. */
  users: Queue[];
}

interface Queue {
  readonly user: string;
  ids: DispatchId[];
  head: number;
}

export class WaitingRoom {
  readonly #rows = new Map<DispatchId, FirstNeed>();
  /** By the key of what is asked for; lines of the highest priority first. Those that were taken out of turn are still in them. */
  readonly #lines = new Map<string, Line[]>();
  /** One object for each of the few different needs. */
  readonly #needs = new Map<string, FirstNeed>();

  get size(): number {
    return this.#rows.size;
  }
  /** What it asks for; undefined: it isn't here. */
  needOf(id: DispatchId): FirstNeed | undefined {
    return this.#rows.get(id);
  }

  add(id: DispatchId, need: FirstNeed, priority: number, user: string): void {
    const key = needOf(need.requirement);
    const name = `${need.electrons} ${key}`;
    const shared = this.#needs.get(name) ?? need;
    this.#needs.set(name, shared);
    this.#rows.set(id, shared);
    const lines = this.#lines.get(key) ?? [];
    this.#lines.set(key, lines);
    let line = lines.find((one) => one.priority === priority);
    if (line === undefined) {
      line = { priority, users: [] };
      lines.push(line);
      lines.sort((a, b) => b.priority - a.priority);
    }
    let queue = line.users.find((one) => one.user === user);
    if (queue === undefined) line.users.push((queue = { user, ids: [], head: 0 }));
    queue.ids.push(id);
  }

  /** Out of turn. False: it isn't here. */
  remove(id: DispatchId): boolean {
    return this.#rows.delete(id);
  }

  /** For each thing that is asked for: the priority of who is next. */
  *fronts(): Iterable<{ readonly key: string; readonly priority: number }> {
    for (const [key, lines] of this.#lines) {
      const line = this.#front(lines);
      if (line === undefined) this.#lines.delete(key);
      else yield { key, priority: line.priority };
    }
    if (this.#lines.size === 0) this.#needs.clear();
  }

  /** Whose turn it is, of this priority and not a lower one. */
  take(key: string, priority: number): DispatchId | undefined {
    const line = this.#front(this.#lines.get(key) ?? []);
    const queue = line?.users[0];
    const id = queue?.ids[queue.head];
    if (line?.priority !== priority || queue === undefined || id === undefined) return undefined;
    line.users.shift();
    line.users.push(queue);
    pass(queue);
    this.#rows.delete(id);
    return id;
  }

  /** The first line with somebody in it; who stands in front of it has somebody who is still here at its head. */
  #front(lines: Line[]): Line | undefined {
    for (let line = lines[0]; line !== undefined; line = lines[0]) {
      for (let queue = line.users[0]; queue !== undefined; queue = line.users[0]) {
        for (let id = queue.ids[queue.head]; id !== undefined; id = queue.ids[queue.head]) {
          if (this.#rows.has(id)) return line;
          pass(queue);
        }
        line.users.shift();
      }
      lines.shift();
    }
    return undefined;
  }
}

function pass(queue: Queue): void {
  queue.head++;
  if (queue.head <= 1_024 || queue.head * 2 < queue.ids.length) return;
  queue.ids = queue.ids.slice(queue.head);
  queue.head = 0;
}

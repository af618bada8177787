/**
 * The processes that host an agent's threads: those of one bundle share some, of a few threads each. Whoever was disturbed by a neighbour runs in one of its own.
 * Not here: one of them (thread-host.ts).
 */
import { deferred } from '../../model/deferred.ts';
import type { Log } from '../../model/log.ts';
import type { RunnerListener, RunnerProcess, RunnerStart } from '../process/runner-process.ts';
import { ThreadHost } from './thread-host.ts';

/** They share four helpers for files and names (UV_THREADPOOL_SIZE), and a death. */
export const MOST_THREADS = 8;
const MOST_DISTURBED = 1_000;
/** Between code and task. */
const ALONE = '|';

interface Seats {
  readonly host: ThreadHost;
  readonly place: string;
}

export class ThreadHosts {
  readonly #log: Log;
  /** Those that take threads. */
  readonly #open = new Set<Seats>();
  readonly #living = new Set<ThreadHost>();
  /** Tasks, oldest first. */
  readonly #disturbed = new Set<string>();
  readonly #allGone = deferred<void>();
  #stopped = false;

  constructor(log: Log) {
    this.#log = log;
  }

  /** Where a task's thread has to be: threads of one place may share a process. */
  placeOf(task: string, code: string): string {
    return this.#disturbed.has(task) ? `${code}${ALONE}${task}` : code;
  }

  /** No other task's thread will ever be there. */
  isForOne(place: string): boolean {
    return place.includes(ALONE);
  }

  start(start: RunnerStart, listener: RunnerListener): RunnerProcess {
    let seats = [...this.#open].find(({ place, host }) => place === start.place && host.size < MOST_THREADS);
    seats ??= this.#begin(start);
    return seats.host.add(start, listener);
  }

  /** Kills all of them. Resolves when they are gone. */
  async stop(): Promise<void> {
    this.#stopped = true;
    if (this.#living.size === 0) return;
    for (const host of this.#living) host.kill();
    await this.#allGone.promise;
  }

  #begin(start: RunnerStart): Seats {
    const seats: Seats = {
      place: start.place,
      host: new ThreadHost(start, this.#log, {
        disturbed: (task) => this.#disturb(task),
        closed: () => this.#open.delete(seats),
        gone: () => {
          this.#living.delete(seats.host);
          if (this.#stopped && this.#living.size === 0) this.#allGone.resolve();
        },
      }),
    };
    this.#open.add(seats);
    this.#living.add(seats.host);
    return seats;
  }

  #disturb(task: string): void {
    this.#disturbed.delete(task);
    this.#disturbed.add(task);
    const [oldest] = this.#disturbed;
    if (this.#disturbed.size > MOST_DISTURBED && oldest !== undefined) this.#disturbed.delete(oldest);
  }
}

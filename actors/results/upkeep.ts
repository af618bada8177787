/**
 * Sweeps, purges and backups: one sweep or backup at a time, a sweep every hour and after a purge.
 * What takes long is asked for again and again: each answer comes within ANSWER_MS.
 */
import type { BackupReply, PurgePage, PurgeQuestion } from '../../bus/protocol/results.ts';
import type { Timer } from '../../model/clock.ts';
import { asPolaronError, PolaronError } from '../../model/errors.ts';
import type { Log } from '../../model/log.ts';
import type { Dropped } from '../../store/store.ts';
import { purgePage, type PurgeOptions } from './purge.ts';
import { sweep, type SweepOptions } from './sweep.ts';

/** Copies the data folder's records and values, as they are at one moment, into `folder`. */
export type CopyData = (folder: string, ticket: string) => Promise<{ readonly values: number; readonly bytes: number }>;

export interface UpkeepOptions extends SweepOptions, PurgeOptions {
  readonly log: Log;
  /** Absent: this store can't be copied. */
  readonly copy: CopyData | undefined;
}

const SWEEP_EVERY_MS = 3_600_000;
const ANSWER_MS = 10_000;
/** In place of a dispatch id: all records are removed, the values are next. */
const VALUES = 'values';

export class Upkeep {
  readonly #o: UpkeepOptions;
  /** The job before the next one. */
  #last: Promise<unknown> = Promise.resolve();
  #turn = 0;
  /** The sweep that purges wait for, until its result is told. */
  #sweep: Promise<Dropped> | undefined;
  readonly #backups = new Map<string, Promise<BackupReply>>();
  #timer: Timer | undefined;
  #closed = false;

  constructor(options: UpkeepOptions) {
    this.#o = options;
    this.#arm();
  }

  async purge(asked: PurgeQuestion): Promise<PurgePage> {
    if (asked.from !== VALUES) {
      const page = await purgePage(this.#o, asked);
      if (page.next !== undefined || asked.dryRun) return page;
      this.#sweep = this.#begin();
      return { ...page, next: VALUES };
    }
    const dropped = await this.#within((this.#sweep ??= this.#begin()));
    if (dropped === undefined) return { dispatches: 0, electrons: 0, next: VALUES };
    this.#sweep = undefined;
    return { dispatches: 0, electrons: 0, ...dropped };
  }

  /** Begins it, or asks how it goes: by its folder. Raises NOT_SUPPORTED, and what copying raises. */
  async backup(folder: string, ticket: string): Promise<BackupReply> {
    const { copy } = this.#o;
    if (copy === undefined) throw new PolaronError('NOT_SUPPORTED', 'this store cannot be copied');
    const name = `${ticket} ${folder}`;
    let running = this.#backups.get(name);
    if (running === undefined) {
      running = this.#alone(() => copy(folder, ticket)).then((copied) => ({ done: true, ...copied }));
      this.#backups.set(name, running);
    }
    try {
      const reply = await this.#within(running);
      if (reply !== undefined) this.#backups.delete(name);
      return reply ?? { done: false, values: 0, bytes: 0 };
    } catch (error) {
      this.#backups.delete(name);
      throw error;
    }
  }

  close(): void {
    this.#closed = true;
    this.#timer?.cancel();
  }

  #begin(): Promise<Dropped> {
    const begun = this.#alone(() => sweep(this.#o, this.#turn++));
    begun.catch((error: unknown) => {
      if (this.#closed) return;
      const { code, message } = asPolaronError(error, 'STORE_FAILED');
      this.#o.log('error', `the sweep of values stopped, and nothing more is removed: ${message}`, { code });
    });
    return begun;
  }

  #arm(): void {
    const due = (): void => {
      this.#begin().then(
        ({ values, bytes }) => {
          if (values > 0) this.#o.log('info', 'removed values that nothing refers to', { values, bytes });
        },
        () => undefined, // told by #begin
      );
      this.#arm();
    };
    this.#timer = this.#o.clock.after(SWEEP_EVERY_MS, due, 'routine');
  }

  #alone<T>(job: () => Promise<T>): Promise<T> {
    const done = this.#last.then(job);
    this.#last = done.catch(() => undefined);
    return done;
  }

  /** Undefined when it takes longer than an answer may. */
  async #within<T>(job: Promise<T>): Promise<T | undefined> {
    let timer: Timer | undefined;
    const late = new Promise<undefined>((resolve) => {
      timer = this.#o.clock.after(ANSWER_MS, () => resolve(undefined));
    });
    try {
      return await Promise.race([job, late]);
    } finally {
      timer?.cancel();
    }
  }
}

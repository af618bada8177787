/**
 * The time of a hub that runs inside a test: it stands still until it is moved, and then goes from one timer to the next. Not here: what users see of it (clock.ts).
 *
 * T1. Everything that follows from a timer comes to rest before the next one is called.
 * T2. Nobody waits for routine timers (heartbeats, looks): when time moves on, those that were due meanwhile are called once, late, as after a suspended machine, which
 *     hub and agents are made for. While `closely` holds they are called in their time.
 * T3. Time stands still while user code is at work, for so long of real time; what takes longer is taken to wait for time.
 */
import { clearTimeout, setImmediate, setTimeout } from 'node:timers';
import type { Clock, Timer } from '../model/clock.ts';
import { PolaronError } from '../model/errors.ts';

/** Of real time, for files. */
const FILES_MS = 10_000;

interface Due {
  readonly at: number;
  readonly order: number;
  callback: (() => void) | undefined;
}

/** What is due, in order of time and then of asking; the next one is the last of the list. */
class Agenda {
  readonly #list: Due[] = [];

  add(due: Due): void {
    let low = 0;
    for (let high = this.#list.length; low < high; ) {
      const middle = (low + high) >> 1;
      if ((this.#list[middle]?.at ?? 0) > due.at) low = middle + 1;
      else high = middle;
    }
    this.#list.splice(low, 0, due);
  }

  /** The first that wasn't cancelled. */
  get next(): Due | undefined {
    while (this.#list.length > 0 && this.#list.at(-1)?.callback === undefined) this.#list.pop();
    return this.#list.at(-1);
  }

  /** Calls those due at `time`, at most so many. False when there is none. */
  call(time: number, most: number): boolean {
    for (let called = 0; called < most; called++) {
      const due = this.next;
      if (due === undefined || due.at > time) return called > 0;
      this.#list.pop();
      due.callback?.();
      due.callback = undefined;
    }
    return true;
  }
}

interface Hold {
  /** It took so long that nobody waits for it any more. */
  passed: boolean;
}

export class Timeline implements Clock {
  readonly #startsAt: number;
  readonly #patienceMs: number;
  readonly #awaited = new Agenda();
  readonly #routine = new Agenda();
  readonly #holds = new Set<Hold>();
  #now = 0;
  #order = 0;
  #closelyUntil = 0;
  #released: () => void = () => undefined;
  #failure: Error | undefined;
  /** Files are waited for. Not when one never comes, as of a pipe that nobody writes to. */
  #files = true;

  /** @param startsAt wall clock, ms since 1970 @param patienceMs of real time, for user code at work */
  constructor(startsAt: number, patienceMs: number) {
    this.#startsAt = startsAt;
    this.#patienceMs = patienceMs;
  }

  now(): number {
    return this.#startsAt + Math.floor(this.#now);
  }

  monotonic(): number {
    return this.#now;
  }

  after(delayMs: number, callback: () => void, kind?: 'routine'): Timer {
    const due: Due = { at: this.#now + Math.max(0, delayMs), order: this.#order++, callback };
    (kind === 'routine' ? this.#routine : this.#awaited).add(due);
    return { cancel: () => void (due.callback = undefined) };
  }

  /** For the next `ms` nothing is passed over: somebody's silence counts. */
  closely(ms: number): void {
    this.#closelyUntil = Math.max(this.#closelyUntil, this.#now + ms);
  }

  /** User code is at work until the returned function is called (T3). */
  hold(): () => void {
    const hold: Hold = { passed: false };
    this.#holds.add(hold);
    return () => {
      if (this.#holds.delete(hold)) this.#released();
    };
  }

  /** The hub can't go on: whoever moves time is told. */
  fail(error: Error): void {
    this.#failure ??= error;
  }

  /** From rest to the next timer that somebody waits for, and to rest again. False when there is none before `until`, ms from the beginning. */
  async step(until = Number.POSITIVE_INFINITY): Promise<boolean> {
    const next = this.#next();
    if (next === undefined || next > until) return false;
    await this.#moveTo(next);
    return true;
  }

  /** To `time`, ms from the beginning, step by step. */
  async goTo(time: number): Promise<void> {
    await this.rest();
    while (await this.step(time));
    await this.#moveTo(time);
  }

  /** Until nothing is left to do but to wait for time. Raises what ended the hub. */
  async rest(): Promise<void> {
    refuseFakedTurns();
    const began = performance.now();
    for (;;) {
      await new Promise((resolve) => setImmediate(resolve));
      if (underWay(this.#files)) {
        this.#files = performance.now() - began < FILES_MS;
        continue;
      }
      const atWork = [...this.#holds].filter(({ passed }) => !passed);
      if (atWork.length === 0) break;
      await this.#release(atWork);
    }
    if (this.#failure !== undefined) throw this.#failure;
  }

  #next(): number | undefined {
    const awaited = this.#awaited.next?.at;
    const routine = this.#routine.next?.at;
    if (routine === undefined || routine > this.#closelyUntil) return awaited;
    return Math.min(routine, awaited ?? routine);
  }

  async #moveTo(time: number): Promise<void> {
    this.#now = Math.max(this.#now, time);
    if (this.#routine.call(this.#now, Number.POSITIVE_INFINITY)) await this.rest();
    if (this.#awaited.call(this.#now, 1)) await this.rest();
  }

  async #release(atWork: readonly Hold[]): Promise<void> {
    await new Promise<void>((resolve) => {
      const late = setTimeout(() => {
        for (const hold of atWork) hold.passed = true;
        resolve();
      }, this.#patienceMs);
      this.#released = () => {
        clearTimeout(late);
        resolve();
      };
    });
    this.#released = () => undefined;
  }
}

/** Does this process have a turn or a file operation under way? Our parts go on in those; what waits for a socket or a timer doesn't count. */
const underWay = (files: boolean): boolean =>
  process
    .getActiveResourcesInfo()
    .some((name) => name === 'Immediate' || (files && (name === 'CloseReq' || name.startsWith('FSReq'))));

/** Raises USAGE: with fake turns nothing here goes on. */
function refuseFakedTurns(): void {
  if (globalThis.setImmediate === setImmediate) return;
  throw new PolaronError('USAGE', 'setImmediate is faked, so that the test hub can do nothing', {
    help: "Move the hub's clock in place of vi.useFakeTimers(), or fake the date alone: { toFake: ['Date'] }.",
  });
}

/**
 * The process executor: warm runner processes, one group per bundle and memory limit, and who gets which job.
 * Invariants: Q1 at most `slots` lanes hold jobs, and few processes load at once; Q2 a lane at work is handed ahead only electrons measured short, about AHEAD_WORK_MS of
 * them, or, when all slots are at work and its job is about to end, one of any length (hand-over.ts); Q3 jobs of one group are handed over in the order in which
 * they came; Q4 idle lanes are kept while there are at most `slots` + SPARE_LANES processes, the least recently used go first.
 */
import { rm } from 'node:fs';
import { availableParallelism } from 'node:os';
import { join } from 'node:path';
import type { Clock, Timer } from '../../model/clock.ts';
import { DEFAULT_EXECUTOR } from '../../model/executor-choice.ts';
import type { ErrorInfo } from '../../model/outcome.ts';
import type { Executor, ExecutorEvents, ExecutorHandle, ExecutorTask } from '../executor.ts';
import { scratchDirOf } from '../runner/scratch-dir.ts';
import { systemMs } from '../runner/system-clock.ts';
import { loadErrorOf } from './death.ts';
import { Durations, TypicalDuration } from './durations.ts';
import { AHEAD_WORK_MS, STALL_MS, startsIn } from './hand-over.ts';
import { Job, LIVE_AFTER_MS, type JobOwner } from './job.ts';
import { Lane, type LaneOwner } from './lane.ts';
import { startRunner, type RunnerStart, type StartRunner } from './runner-process.ts';
import { Stopper } from './stopper.ts';

const SPARE_LANES = 2;
const TICK_MS = 25;
const MEMORY_EVERY_MS = 250;
/** Blank processes are made when nothing has been started for so long. */
const QUIET_MS = 500;
/** The start of the hub beside this agent goes first. */
const FIRST_SPARE_MS = 200;
/** Processes of a group that may be killed in a row while they load its code; none of its electrons has run in them. */
const MOST_KILLED_LOADS = 3;
/** Processes that load at once: with hundreds of slots all of them together would keep the processors from everybody else, the agent too. */
const MOST_STARTING = Math.max(4, 2 * availableParallelism());
/** Groups remembered without a process. */
const MOST_GROUPS = 64;

export interface PoolOptions {
  /** The executor's. @default process */
  readonly name?: string;
  /** Names where a task's runner has to be: none serves two places. @default everywhere the same */
  readonly placeOf?: (task: ExecutorTask) => string;
  readonly slots: number;
  /** How many of them may be at work now. @default all */
  readonly room?: () => number;
  readonly graceMs: number;
  readonly clock: Clock;
  /** Folder for scratch folders and outboxes. */
  readonly scratchDir: string;
  readonly start: Omit<RunnerStart, 'place' | 'memoryMb' | 'outbox' | 'scratchRoot'>;
  /** @default a real process */
  readonly run?: StartRunner;
  /** Keep a process without code ready. */
  readonly spare: boolean;
  /** A lane without work is let go after this. @default never */
  readonly idleMs?: number;
  /** Nobody else may use a lane of this place: it is let go as soon as nothing waits for it. @default none */
  readonly forOne?: (place: string) => boolean;
}

interface Group {
  readonly place: string;
  readonly memoryMb: number | undefined;
  readonly waiting: Job[];
  killedLoads: number;
}

export class ProcessPool implements Executor, LaneOwner {
  readonly name: string;
  readonly #options: PoolOptions;
  /** Who was given something last is last. */
  readonly #groups = new Map<string, Group>();
  readonly #lanes = new Set<Lane>();
  readonly #durations = new Durations();
  readonly #recent = new TypicalDuration();
  readonly #stopper: Stopper;
  readonly #owner: JobOwner = {
    unqueue: (job) => this.unqueue(job),
    stop: (job, reason) => this.#stopper.stop(job, 'cancel', reason),
    kill: (job, reason) => this.#stopper.kill(job, 'cancel', reason),
    noUsage: () => this.#noUsage(),
  };
  #planned = false;
  #stopped: Promise<void> | undefined;
  #stopping: (() => void) | undefined;
  #ticking: Timer | undefined;
  #spareTimer: Timer | undefined;
  #idleTimer: Timer | undefined;
  #memoryAt = 0;
  #processes = 0;

  constructor(options: PoolOptions) {
    this.#options = options;
    this.name = options.name ?? DEFAULT_EXECUTOR;
    this.#stopper = new Stopper(options.clock, options.graceMs);
    this.#planSpare(FIRST_SPARE_MS);
  }

  start(task: ExecutorTask, events: ExecutorEvents): ExecutorHandle {
    const { memoryMb } = task.electron;
    const place = this.#options.placeOf?.(task) ?? '';
    const key = [task.code.key, ...(memoryMb === undefined ? [] : [memoryMb]), ...(place === '' ? [] : [place])].join(
      '|',
    );
    let group = this.#groups.get(key);
    if (group === undefined) this.#groups.set(key, (group = { place, memoryMb, waiting: [], killedLoads: 0 }));
    const job = new Job(
      task,
      events,
      this.#durations.of(task.code.key, task.electron.name),
      group.waiting,
      this.#owner,
    );
    group.waiting.push(job);
    this.changed();
    return job;
  }

  roomChanged(): void {
    this.changed();
  }

  typicalMs(): number | undefined {
    return this.#recent.ms;
  }

  /** Looks for work at the end of this turn. */
  changed(): void {
    if (this.#planned) return;
    this.#planned = true;
    queueMicrotask(() => {
      this.#planned = false;
      if (this.#stopping === undefined) this.#assign();
    });
  }

  returned(lane: Lane, jobs: readonly Job[]): void {
    const group = this.#groups.get(lane.group);
    const again: Job[] = [];
    for (const job of jobs) {
      if (job.stop === undefined && !job.forgotten) again.push(job);
      else job.end({ status: 'cancelled' }, this.#noUsage());
    }
    group?.waiting.unshift(...again);
    this.changed();
  }

  ended(job: Job, ms: number): void {
    job.typical.add(ms);
    this.#recent.add(ms);
  }

  loaded(lane: Lane): void {
    const group = this.#groups.get(lane.group);
    if (group !== undefined) group.killedLoads = 0;
  }

  loadKilled(lane: Lane, error: ErrorInfo): void {
    const group = this.#groups.get(lane.group);
    if (group !== undefined && ++group.killedLoads > MOST_KILLED_LOADS) this.loadFailed(lane, error);
  }

  loadFailed(lane: Lane, error: ErrorInfo): void {
    const waiting = this.#groups.get(lane.group)?.waiting.splice(0) ?? [];
    for (const job of waiting) job.fail(loadErrorOf(job.task.electron.name, error), this.#options.clock.now());
  }

  gone(lane: Lane): void {
    this.#lanes.delete(lane);
    if (this.#lanes.size === 0) this.#stopping?.();
    this.changed();
  }

  scratchUsed(job: Job): void {
    const dir = scratchDirOf(this.#options.scratchDir, job.task.task, job.task.token);
    job.cleanUp = () => rm(dir, { recursive: true, force: true }, () => undefined);
  }

  /** The same promise, however often. */
  stop(): Promise<void> {
    this.#stopped ??= this.#stop();
    return this.#stopped;
  }

  async #stop(): Promise<void> {
    this.#ticking?.cancel();
    this.#spareTimer?.cancel();
    this.#idleTimer?.cancel();
    const gone = new Promise<void>((resolve) => {
      this.#stopping = resolve;
    });
    for (const { waiting } of this.#groups.values()) waiting.splice(0);
    for (const lane of this.#lanes) {
      for (const job of lane.jobs) {
        job.forgotten = true;
        job.escalation?.cancel();
      }
      lane.kill();
    }
    if (this.#lanes.size > 0) await gone;
  }

  unqueue(job: Job): boolean {
    const at = job.queue.indexOf(job);
    if (at !== -1) job.queue.splice(at, 1);
    return at !== -1;
  }

  #assign(): void {
    const waiting: { readonly key: string; readonly group: Group; readonly busy: boolean }[] = [];
    for (const [key, group] of this.#groups) {
      if (group.waiting.length > 0) waiting.push({ key, group, busy: this.#isBusy(key) });
      else if (this.#groups.size > MOST_GROUPS && !this.#hasLane(key)) this.#groups.delete(key);
    }
    // a group without a lane at work goes first, of several the one whose last turn is longest ago; while there is one nobody is given work ahead:
    // else it would never get a slot
    const starved = waiting.length > 1 && waiting.some(({ busy }) => !busy);
    if (starved) waiting.sort((a, b) => Number(a.busy) - Number(b.busy));
    for (const { key, group } of waiting) this.#fill(key, group, !starved);
    if (this.#options.forOne !== undefined)
      for (const lane of this.#lanes) if (isIdle(lane) && this.#isLeft(lane)) retire(lane);
    if (this.#ticking === undefined && this.#busy() > 0) this.#tick();
  }

  /** Hands over what it can, in order (Q3). */
  #fill(key: string, group: Group, ahead: boolean): void {
    const now = this.#options.clock.monotonic();
    const system = systemMs();
    const lanes = [...this.#lanes].filter((lane) => lane.group === key);
    let taken = 0;
    for (const job of group.waiting) {
      const lane = this.#laneFor(job, lanes, ahead, now);
      if (lane === undefined) break;
      taken++;
      const checked = lane.checked(job);
      if (checked === 'yes') lane.hand(job, now, system);
      else if (checked !== 'no') job.fail(checked, this.#options.clock.now());
      else {
        taken--;
        break;
      }
    }
    group.waiting.splice(0, taken);
    if (taken > 0) {
      this.#groups.delete(key);
      this.#groups.set(key, group);
    }
    const [first] = group.waiting;
    if (first !== undefined) this.#grow(key, group, lanes, first);
  }

  /** The lane that may take the job (Q1, Q2) and would start it first. */
  #laneFor(job: Job, lanes: readonly Lane[], ahead: boolean, now: number): Lane | undefined {
    const typical = job.typical.ms;
    job.expectedMs = typical ?? AHEAD_WORK_MS;
    const full = this.#busy() >= this.#room;
    let best: Lane | undefined;
    let first = Number.POSITIVE_INFINITY;
    for (const lane of lanes) {
      if (lane.state !== 'ready' || lane.tookBack(job)) continue;
      const idle = lane.jobs.length === 0;
      if (idle ? full : !ahead) continue;
      const wait = startsIn(lane, typical, now, full);
      if (wait !== undefined && wait < first) [best, first] = [lane, wait];
    }
    return best;
  }

  /** Starts a process for a group that waits, if its share of the slots allows. */
  #grow(key: string, group: Group, lanes: readonly Lane[], job: Job): void {
    const usable = lanes.filter((lane) => lane.state !== 'retiring' && lane.state !== 'gone');
    const busy = usable.filter((lane) => lane.jobs.length > 0).length;
    const wanted = Math.min(this.#room, busy + group.waiting.length);
    let starting = [...this.#lanes].filter((lane) => lane.state === 'loading').length;
    for (let n = usable.length; n < wanted && starting < MOST_STARTING; n++, starting++) {
      const blank = [...this.#lanes].find(
        (lane) => lane.state === 'blank' && lane.memoryMb === group.memoryMb && lane.place === group.place,
      );
      const lane = blank ?? (this.#makeRoom(key) ? this.#spawn(group.memoryMb, group.place) : undefined);
      if (lane === undefined) return;
      lane.load(key, job.task.code);
    }
    this.#planSpare(QUIET_MS);
  }

  #makeRoom(key: string): boolean {
    if (this.#lanes.size < this.#options.slots + SPARE_LANES) return true;
    let oldest: Lane | undefined;
    for (const lane of this.#lanes) {
      if (isIdle(lane) && lane.group !== key && (oldest === undefined || lane.usedAt < oldest.usedAt)) oldest = lane;
    }
    if (oldest === undefined) return this.#lanes.size < 2 * this.#options.slots + SPARE_LANES;
    retire(oldest);
    return true;
  }

  /** Lets go what has had no work for long (Q4), while there is a lane. */
  #planIdle(): void {
    const { idleMs, clock } = this.#options;
    if (idleMs === undefined || this.#idleTimer !== undefined) return;
    this.#idleTimer = clock.after(
      idleMs / 4,
      () => {
        this.#idleTimer = undefined;
        const now = clock.monotonic();
        for (const lane of this.#lanes) if (isIdle(lane) && now - lane.usedAt >= idleMs) retire(lane);
        if (this.#lanes.size > 0) this.#planIdle();
      },
      'routine',
    );
  }

  #spawn(memoryMb: number | undefined, place: string): Lane {
    const outbox = join(this.#options.scratchDir, `outbox-${process.pid}-${++this.#processes}`);
    const lane = new Lane({
      start: { ...this.#options.start, place, memoryMb, outbox, scratchRoot: this.#options.scratchDir },
      run: this.#options.run ?? startRunner,
      owner: this,
      clock: this.#options.clock,
    });
    lane.usedAt = this.#options.clock.monotonic();
    this.#lanes.add(lane);
    this.#planIdle();
    return lane;
  }

  #planSpare(delayMs: number): void {
    if (!this.#options.spare) return;
    this.#spareTimer?.cancel();
    this.#spareTimer = this.#options.clock.after(delayMs, () => {
      if (this.#busy() > 0) this.#planSpare(QUIET_MS);
      else if (![...this.#lanes].some((lane) => lane.state === 'blank') && this.#lanes.size <= this.#options.slots)
        this.#spawn(undefined, '');
    });
  }

  /** Timeouts, stalls, memory, live output, who is about to end: looked at while something runs. */
  #tick(): void {
    this.#ticking = this.#options.clock.after(TICK_MS, () => {
      this.#ticking = undefined;
      if (this.#stopping !== undefined) return;
      const now = this.#options.clock.monotonic();
      const memory = now - this.#memoryAt >= MEMORY_EVERY_MS;
      if (memory) this.#memoryAt = now;
      for (const lane of this.#lanes) this.#look(lane, now, memory);
      // some may be about to end now
      this.changed();
      if (this.#busy() > 0) this.#tick();
    });
  }

  #look(lane: Lane, now: number, memory: boolean): void {
    const [job] = lane.jobs;
    if (job === undefined) return;
    const age = now - job.since;
    if (memory) lane.watchMemory();
    if (age > LIVE_AFTER_MS) job.publish();
    // after the pipes have been read once more: what was answered meanwhile is no stall
    if (age > STALL_MS && lane.holdsLate(systemMs())) setImmediate(() => lane.takeBack(systemMs()));
    const { timeoutMs, electron } = job.task;
    const { silenceMs } = electron.timeouts;
    if (timeoutMs > 0 && age >= timeoutMs) this.#stopper.stop(job, 'attempt', `it took longer than ${timeoutMs} ms`);
    else if (silenceMs > 0 && job.silentMs(now) >= silenceMs)
      this.#stopper.stop(job, 'silence', `it gave no sign of life for ${silenceMs} ms`);
  }

  #isBusy(key: string): boolean {
    for (const lane of this.#lanes) if (lane.group === key && lane.jobs.length > 0) return true;
    return false;
  }

  readonly #hasLane = (key: string): boolean => [...this.#lanes].some((lane) => lane.group === key);

  readonly #isLeft = ({ place, group }: Lane): boolean =>
    this.#options.forOne?.(place) === true && this.#groups.get(group)?.waiting.length === 0;

  get #room(): number {
    const { slots, room } = this.#options;
    return room === undefined ? slots : room();
  }

  #busy(): number {
    let busy = 0;
    for (const lane of this.#lanes) if (lane.jobs.length > 0) busy++;
    return busy;
  }

  #noUsage(): { readonly startedAt: number; readonly endedAt: number } {
    const now = this.#options.clock.now();
    return { startedAt: now, endedAt: now };
  }
}

const isIdle = (lane: Lane): boolean => lane.jobs.length === 0 && (lane.state === 'ready' || lane.state === 'blank');

function retire(lane: Lane): void {
  lane.state = 'retiring';
  lane.kill();
}

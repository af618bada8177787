/** Machines, whose wall clocks may be wrong, and the processes on them, which may die at any instant. Not here: their disks (store-disk.ts, agent-folder.ts). */
import type { Clock } from '../../../model/clock.ts';
import type { Timeline } from './timeline.ts';

/** What the wall clocks say at the beginning. */
const WALL_MS = 1_700_000_000_000;

export class Machine {
  readonly name: string;
  readonly timeline: Timeline;
  /** Ms that its wall clock is ahead. */
  skewMs = 0;
  readonly #processes = new Set<SimProcess>();

  constructor(name: string, timeline: Timeline) {
    this.name = name;
    this.timeline = timeline;
  }

  start(name: string): SimProcess {
    const started = new SimProcess(name, this);
    this.#processes.add(started);
    started.onEnd(() => this.#processes.delete(started));
    return started;
  }

  now(): number {
    return Math.floor(WALL_MS + this.timeline.now + this.skewMs);
  }
}

/** A dead one's timers never come, and what it holds (connection, files) asks `alive` before it does anything. */
export class SimProcess {
  readonly name: string;
  readonly machine: Machine;
  readonly clock: Clock;
  alive = true;
  readonly #ends: (() => void)[] = [];

  constructor(name: string, machine: Machine) {
    this.name = name;
    this.machine = machine;
    const { timeline } = machine;
    this.clock = {
      now: () => machine.now(),
      monotonic: () => timeline.now,
      after: (delayMs, callback) => timeline.after(delayMs, () => (this.alive ? callback() : undefined)),
    };
  }

  onEnd(callback: () => void): void {
    this.#ends.push(callback);
  }

  kill(): void {
    if (!this.alive) return;
    this.alive = false;
    for (const end of this.#ends.splice(0)) end();
  }
}

/**
 * Stops an attempt by degrees: its AbortSignal, after the grace time SIGTERM to the process group, then SIGKILL. All is over within a second of the
 * grace time. One that ends by itself before is not waited for: lane.ts ends its group.
 */
import type { Clock } from '../../model/clock.ts';
import type { Job, StopReason } from './job.ts';

/** Between SIGTERM and SIGKILL at most. */
const TERM_MS = 500;

export class Stopper {
  readonly #clock: Clock;
  readonly #graceMs: number;

  constructor(clock: Clock, graceMs: number) {
    this.#clock = clock;
    this.#graceMs = graceMs;
  }

  /** The first reason counts. A job that waits behind another in its process is only taken back. */
  stop(job: Job, why: StopReason, reason: string): void {
    job.stop ??= why;
    if (job.escalation !== undefined || job.lane === undefined) return;
    job.lane.cancel(job, why === 'cancel' ? 'CANCELLED' : 'TIMEOUT', reason);
    job.escalation = this.#clock.after(this.#graceMs, () => this.#signal(job, 'SIGTERM'));
  }

  /** Without grace. One that waits behind another in its process is taken back, and killed if its turn comes all the same. */
  kill(job: Job, why: StopReason, reason: string): void {
    job.stop ??= why;
    if (job.lane === undefined) return;
    job.escalation?.cancel();
    job.lane.cancel(job, why === 'cancel' ? 'CANCELLED' : 'TIMEOUT', reason);
    this.#signal(job, 'SIGKILL');
  }

  #signal(job: Job, signal: 'SIGTERM' | 'SIGKILL'): void {
    const { lane } = job;
    if (job.over || lane === undefined) return;
    // behind another one: its own turn hasn't come, the other is not to suffer
    if (lane.jobs[0] === job) lane.kill(signal);
    const next = Math.min(TERM_MS, this.#graceMs);
    job.escalation = this.#clock.after(next, () => this.#signal(job, 'SIGKILL'));
  }
}

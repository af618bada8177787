/**
 * Looks for agents whose lease has ended (H7). What the hub couldn't hear is no agent's silence: while it is off the bus, or when it stood still
 * itself (a halted process, a paused machine) so that what agents said is still unread, every lease begins anew.
 * Not here: what the end of a lease means (agent-state.ts).
 */
import type { Clock, Timer } from '../../model/clock.ts';
import type { Log } from '../../model/log.ts';
import type { AgentState, Leases } from './agent-state.ts';

/** Ended leases are looked for so often, ms. */
const LOOK_MS = 250;

export interface LeaseWatchOptions {
  readonly clock: Clock;
  readonly log: Log;
  readonly leases: Leases;
  readonly agents: () => Iterable<AgentState>;
  /** Of each, at each look. */
  readonly silent: (agent: AgentState) => void;
  /** It had something, or was known in this life of the hub. */
  readonly ended: (agent: AgentState) => void;
  /** Lost a day ago. */
  readonly forgotten: (agent: AgentState) => void;
  /** After each look. */
  readonly looked: (now: number) => void;
}

export class LeaseWatch {
  readonly #o: LeaseWatchOptions;
  #timer: Timer | undefined;
  #lookedAt: number | undefined;
  /** Off the bus. */
  #deaf = false;

  constructor(options: LeaseWatchOptions) {
    this.#o = options;
  }

  /** Calls back when agents have had 1.5 leases to be heard (H8): time off the bus doesn't count. */
  afterJoining(callback: () => void): void {
    const { clock, leases } = this.#o;
    clock.after(1.5 * leases.leaseMs, () => (this.#deaf ? this.afterJoining(callback) : callback()));
  }

  /** The hub has lost its bus, or is back on it. */
  heard(connected: boolean): void {
    if (connected && this.#deaf) this.#excuse();
    this.#deaf = !connected;
  }

  /** From now on agents are heard: how long the hub took to recover is no silence of theirs. */
  start(): void {
    this.#excuse();
    this.#look();
  }

  /** It said that it goes: with nothing in hand it is forgotten at once. */
  left(agent: AgentState): void {
    if (agent.held > 0) return;
    this.#o.silent(agent);
    this.#o.ended(agent);
  }

  stop(): void {
    this.#timer?.cancel();
  }

  #look(): void {
    const { clock, log, leases, agents, silent, ended, forgotten, looked } = this.#o;
    const now = clock.monotonic();
    // shorter ones leave enough of each lease
    const stoodStill = this.#lookedAt !== undefined && now - this.#lookedAt > leases.leaseMs / 2;
    this.#lookedAt = now;
    if (this.#deaf || stoodStill) this.#excuse();
    for (const agent of agents()) {
      const patience = agent.synced ? leases.leaseMs : 1.5 * leases.leaseMs;
      if (agent.silentMs(now) <= patience) continue;
      silent(agent);
      if (agent.held === 0 && agent.last === undefined) {
        agent.missed();
        if (agent.isForgettable(now)) forgotten(agent);
        continue;
      }
      if (agent.last !== undefined)
        log('warn', 'agent lost: no sync for one lease', {
          agent: agent.key,
          leaseMs: leases.leaseMs,
          held: agent.held,
        });
      ended(agent);
    }
    looked(now);
    this.#timer = clock.after(Math.min(leases.heartbeatMs, LOOK_MS), () => this.#look(), 'routine');
  }

  #excuse(): void {
    const now = this.#o.clock.monotonic();
    for (const agent of this.#o.agents()) agent.excuse(now);
  }
}

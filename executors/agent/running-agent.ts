/** What whoever starts an agent holds in hand. Not here: the agent (agent.ts). */

export type EndReason = 'stopped' | 'drained' | 'superseded' | 'name-taken' | 'other-version' | 'unreadable-offer';

export interface AgentView {
  readonly epoch: number;
  readonly joined: boolean;
  readonly draining: boolean;
  /** Running or queued. */
  readonly unfinished: number;
  /** Ended, not yet settled by the hub. */
  readonly unacknowledged: number;
  readonly queue: number;
  /** Messages that were dropped because they made no sense. */
  readonly dropped: number;
}

export interface RunningAgent {
  /** The hub knows this agent. Rejects with AGENT_NAME_TAKEN, SUPERSEDED, WRONG_VERSION, or BUS_CLOSED when it was stopped before. */
  readonly joined: Promise<void>;
  readonly ended: Promise<EndReason>;
  status(): AgentView;
  /** A4: takes nothing new, lets what runs finish within the grace time, reports, leaves. Of two drains the earlier end counts. @default graceMs of its options */
  drain(graceMs?: number): Promise<void>;
  /** Kills what runs and leaves; outcomes that aren't settled stay in the spool. The bus stays open. */
  stop(): Promise<void>;
}

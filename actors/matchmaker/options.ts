/** What a matchmaker is given. The composition root makes it. */
import type { Clock } from '../../model/clock.ts';
import type { AgentKey, DispatchId } from '../../model/ids.ts';
import type { Log } from '../../model/log.ts';
import type { ResultsClient } from '../results-client.ts';
import type { Epoch } from '../services.ts';
import type { ActorSystem } from '../system.ts';
import type { Leases } from './agent-state.ts';
import type { AgentGateway } from './gateway.ts';

/** Bytes of values that may wait for the disk before matching pauses. */
export const MOST_BACKLOG_BYTES = 64 * 1024 * 1024;

export interface MatchmakerOptions {
  readonly system: ActorSystem;
  readonly results: ResultsClient;
  readonly gateway: AgentGateway;
  readonly clock: Clock;
  readonly log: Log;
  readonly epoch: Epoch;
  readonly leases: Leases;
  readonly maxPayload: () => number;
  /** An agent joined and may be given work. */
  readonly onAgentReady: (agent: AgentKey) => void;
  /** Some of what waited was given out, or withdrawn. */
  readonly onTaken: () => void;
  /** An agent has something of a dispatch that has no supervisor. */
  readonly onUnheard: (dispatch: DispatchId) => void;
  /** Records that may wait for the disk before matching pauses. @default 50000 */
  readonly maxBacklog?: number;
}

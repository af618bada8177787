/** What `start` and `agent` ask of host/. Bound in host-bindings.ts; tests give a fake. */
import type { AgentInProcess, AgentOptions } from '../host/agent.ts';
import type { HubOptions, RunningHub } from '../host/hub.ts';

export type HubStartOptions = Omit<HubOptions, 'leaseMs' | 'heartbeatMs'>;
export type { RunningHub };

export interface HostPort {
  startHub(options: HubStartOptions): Promise<RunningHub>;
  runAgent(options: AgentOptions): Promise<AgentInProcess>;
}

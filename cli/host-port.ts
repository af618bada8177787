/** What `start` and `agent` ask of host/. Bound in host-bindings.ts; tests give a fake. */
import type { AgentInProcess, AgentOptions } from '../host/agent.ts';
import type { CheckReport } from '../host/check.ts';
import type { Compacted } from '../host/compact.ts';
import type { DoctorOptions, Finding } from '../host/doctor.ts';
import type { Log } from '../model/log.ts';
import type { HubOptions, RunningHub } from '../host/hub.ts';

export type HubStartOptions = Omit<HubOptions, 'leaseMs' | 'heartbeatMs' | 'agentChild'>;
export type { RunningHub };

export interface HostPort {
  /** A hub is about to start, if none runs: begins what takes long, and touches nothing. */
  prepareHub(options: Pick<HubStartOptions, 'home' | 'data' | 'agent'>): void;
  startHub(options: HubStartOptions): Promise<RunningHub>;
  runAgent(options: AgentOptions): Promise<AgentInProcess>;
  /** Makes the folder, and puts a ticket into it. */
  prepareBackup(folder: string): string;
  checkFolder(data: string): Promise<CheckReport>;
  /** What this machine has, and what an agent here would offer. */
  examine(
    options: DoctorOptions,
  ): Promise<{ readonly findings: readonly Finding[]; readonly offers: readonly string[] }>;
  compactData(data: string, log: Log): Promise<Compacted>;
}

/** Binds `start` and `agent` to host/, the composition root: apart from bindings.ts, so that neither loads what only the other needs. */
import { beginAgentEarly, type AgentChild } from '../host/agent-child.ts';
import { prepareBackup } from '../host/backup.ts';
import { boundHeapGrowth } from '../host/heap-growth.ts';
import type { HostPort } from './host-port.ts';

/** Of the hub that is about to start. */
let agentChild: AgentChild | undefined;

export const loadHost = (): HostPort => ({
  prepareHub: ({ agent, home, data }) => {
    agentChild = agent ? beginAgentEarly(home, data) : undefined;
  },
  startHub: async (options) => {
    boundHeapGrowth();
    const { startHub } = await import('../host/hub.ts');
    return startHub({ ...options, ...(agentChild === undefined ? {} : { agentChild }) });
  },
  prepareBackup,
  checkFolder: async (data) => (await import('../host/check.ts')).checkFolder(data),
  compactData: async (data, log) => (await import('../host/compact.ts')).compactData(data, log),
  examine: async (options) => {
    const [{ examine }, { usualOffers }] = await Promise.all([
      import('../host/doctor.ts'),
      import('../host/usual-executors.ts'),
    ]);
    return { findings: await examine(options), offers: usualOffers(options.env) };
  },
  runAgent: async (options) => (await import('../host/agent.ts')).runAgent(options),
});

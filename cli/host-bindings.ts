/** Binds `start` and `agent` to host/, the composition root: apart from bindings.ts, so that neither loads what only the other needs. */
import { prepareBackup } from '../host/backup.ts';
import { boundHeapGrowth } from '../host/heap-growth.ts';
import type { HostPort } from './host-port.ts';

export const loadHost = (): HostPort => ({
  startHub: async (options) => {
    boundHeapGrowth();
    return (await import('../host/hub.ts')).startHub(options);
  },
  prepareBackup,
  checkFolder: async (data) => (await import('../host/check.ts')).checkFolder(data),
  compactData: async (data, log) => (await import('../host/compact.ts')).compactData(data, log),
  runAgent: async (options) => (await import('../host/agent.ts')).runAgent(options),
});

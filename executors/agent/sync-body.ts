/** What a sync says: the agent's absolute state. Not here: when it is sent (sync-loop.ts), what its answer changes (agent.ts). */
import type { Sync } from '../../bus/protocol/agent.ts';
import type { ResolvedAgent } from './options.ts';
import type { AgentState } from './state.ts';
import type { Tasks } from './tasks.ts';

/** `queue`: how many it takes beyond its slots. */
export function syncBody(
  { slots, capabilities, host, version }: ResolvedAgent,
  state: AgentState,
  tasks: Tasks,
  { seq, queue, instance }: Pick<Sync, 'seq' | 'queue' | 'instance'>,
): Sync {
  const { epoch, seen, hub, history, draining } = state;
  const run = state.list((held) => {
    const attempt = tasks.attemptOf(held);
    return { startedAt: attempt?.runningSince() ?? 0, progress: attempt?.fraction };
  });
  let running = 0;
  for (const entry of run) if (entry.state === 'running') running++;
  const free = draining ? 0 : Math.max(0, slots - running);
  const { pid } = process;
  return {
    epoch,
    seq,
    seen,
    hub,
    history,
    slots,
    free,
    queue,
    capabilities,
    host,
    pid,
    version,
    draining,
    instance,
    run,
  };
}

/** `polaron agents drain NAME`: has an agent take nothing new, finish and leave. Not here: what the agent does then (executors/agent). */
import { setTimeout as pause } from 'node:timers/promises';
import { many } from '../bytes.ts';
import { withHub, writeJson } from '../context.ts';
import type { Context } from '../context.ts';
import { exitCodes } from '../exit-code.ts';
import type { ExitCode } from '../exit-code.ts';

export interface DrainArguments {
  /** `site.name`, or a name that only one site has. */
  readonly agent: string;
  /** Until it has left. */
  readonly wait: boolean;
  readonly graceMs?: number;
}

/** How often it is asked for, ms. */
const LOOK_MS = 200;

/** Raises UNKNOWN_AGENT, AGENT_SILENT. Interrupted while it waits it exits with 4: the agent drains on. */
export async function drain(context: Context, { agent: wanted, wait, graceMs }: DrainArguments): Promise<ExitCode> {
  const request = { agent: wanted, ...(graceMs === undefined ? {} : { graceMs }) };
  return withHub(context, async (hub) => {
    const { agent, running, queued } = await hub.drain(request);
    if (!context.json) {
      const has =
        running + queued === 0
          ? 'it has nothing to finish'
          : `of ${many(running + queued, 'electron')} it finishes what has begun, and gives back the rest`;
      context.terminal.out(`agent ${agent} drains: ${has}`);
    }
    const left = wait && (await hasLeft(context, agent, (only) => hub.agents({ only })));
    if (context.json) writeJson(context, { agent, running, queued, left });
    else if (left) context.terminal.out(`agent ${agent} has left`);
    return wait && !left ? exitCodes.notFinished : exitCodes.ok;
  });
}

type Look = (agent: string) => Promise<{ readonly agents: readonly { readonly state: string }[] }>;

/** False: interrupted before. A lost one has left, too. */
async function hasLeft(context: Context, agent: string, look: Look): Promise<boolean> {
  const signal = context.interrupted();
  for (;;) {
    const [found] = (await look(agent)).agents;
    if (found === undefined || found.state === 'lost') return true;
    if (signal.aborted) return false;
    await pause(LOOK_MS, undefined, { signal }).catch(() => undefined);
  }
}

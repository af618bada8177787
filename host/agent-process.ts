/** Entry of the local agent's process. Its settings come by IPC when it is to go (agent-child.ts); where the bus is stands in a file that it reads at each dial. */
import { PolaronError } from '../model/errors.ts';
import { runAgentOn } from './agent.ts';
import type { AgentSettings } from './agent-child.ts';
import { readAgentTarget } from './data-folder.ts';
import { ownCapabilities } from './own-capabilities.ts';
import { stderrLog } from './stderr-log.ts';

const isSettings = (x: unknown): x is AgentSettings =>
  typeof x === 'object' && x !== null && 'stateDir' in x && 'targetFile' in x && 'slots' in x;

/** Whoever began it tells it to go, or goes away. */
const told = (): Promise<unknown> =>
  new Promise((resolve) => {
    process.once('message', resolve);
    process.once('disconnect', () => resolve(undefined));
    // what came before this line is still to be delivered
    if (!process.connected) setImmediate(() => resolve(undefined));
  });

async function main(): Promise<void> {
  const settings = await told();
  if (settings === undefined) return;
  if (!isSettings(settings)) throw new PolaronError('USAGE', 'agent-process: settings expected as its first message');
  if (process.connected) process.disconnect();
  const target = (): ReturnType<typeof readAgentTarget> => readAgentTarget(settings.targetFile);
  const agent = await runAgentOn({ ...settings, capabilities: ownCapabilities(), log: stderrLog('agent'), target });
  const stop = (): void => void agent.drain();
  process.on('SIGTERM', stop);
  process.on('SIGINT', stop);
  await agent.ended;
  process.exit(0);
}

main().catch((error: unknown) => {
  process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`);
  process.exit(1);
});

/** Entry of the local agent's process. Its one argument is its settings as JSON; where the bus is stands in a file that it reads at each dial. */
import { PolaronError } from '../model/errors.ts';
import { runAgentOn } from './agent.ts';
import { readAgentTarget } from './data-folder.ts';
import { stderrLog } from './stderr-log.ts';

interface Settings {
  readonly home: string;
  readonly site: string;
  readonly name: string;
  readonly slots: number;
  readonly stateDir: string;
  readonly targetFile: string;
}

const isSettings = (x: unknown): x is Settings =>
  typeof x === 'object' && x !== null && 'stateDir' in x && 'targetFile' in x && 'slots' in x;

async function main(): Promise<void> {
  const settings: unknown = JSON.parse(process.argv[2] ?? '{}');
  if (!isSettings(settings)) throw new PolaronError('USAGE', 'agent-process: settings expected as its one argument');
  const target = (): ReturnType<typeof readAgentTarget> => readAgentTarget(settings.targetFile);
  const agent = await runAgentOn({ ...settings, capabilities: ['process'], log: stderrLog('agent'), target });
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

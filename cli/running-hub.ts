/** Is a hub of this home running, and is it the one that is asked for? */
import { setTimeout as sleep } from 'node:timers/promises';
import { readHubFile } from '../host/home.ts';
import type { HubFile } from '../host/home.ts';
import { comparableOptions, differingOptions } from '../host/home.ts';
import { livingInstances } from '../host/instances.ts';
import { PolaronError } from '../model/errors.ts';
import { withoutPassword } from './start-options.ts';
import type { ResolvedStart } from './start-options.ts';

/** How long one that is starting or stopping may take, ms. */
const BETWEEN_MS = 20_000;
const POLL_MS = 25;

/** The hub file of a living hub. A file that a killed one left counts as none. */
export function runningHub(home: string): HubFile | undefined {
  const file = readHubFile(home);
  if (file === undefined) return undefined;
  return livingInstances(home).some(({ kind, pid }) => kind === 'hub' && pid === file.pid) ? file : undefined;
}

/** Like `runningHub`, but waits for one that is just starting or stopping. Raises ALREADY_RUNNING when it does neither. */
export async function settledHub(home: string): Promise<HubFile | undefined> {
  const deadline = performance.now() + BETWEEN_MS;
  for (;;) {
    const running = runningHub(home);
    if (running !== undefined) return running;
    const between = livingInstances(home).find(({ kind, pid }) => kind === 'hub' && pid !== process.pid);
    if (between === undefined) return undefined;
    if (performance.now() > deadline) {
      throw new PolaronError('ALREADY_RUNNING', `a hub (pid ${between.pid}) runs but is not ready`);
    }
    await sleep(POLL_MS);
  }
}

/** Raises ALREADY_RUNNING when the running hub was started with other options. */
export function checkSameHub(running: HubFile, wanted: ResolvedStart): void {
  const other = differingOptions(running.options, comparableOptions(wanted));
  if (other.length === 0) return;
  const list = other.map((name) => {
    const value = running.options[name];
    return typeof value === 'string'
      ? `${name} ${withoutPassword(value)}`
      : `${name} ${JSON.stringify(value ?? 'unset')}`;
  });
  throw new PolaronError(
    'ALREADY_RUNNING',
    `a hub (pid ${running.pid}) runs already with other options: ${list.join(', ')}`,
  );
}

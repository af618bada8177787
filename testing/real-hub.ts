/** A real hub for a test: embedded broker, LMDB in a temporary folder, one local agent. Nothing is faked. Not here: one inside the test (create-test-hub.ts). */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { readHubFile } from '../bus/hub-file.ts';
import { PolaronError } from '../model/errors.ts';
import type { Log } from '../model/log.ts';

/** How the hub of a test is. */
export interface TestHubOptions {
  /** Electrons that run at once. @default 2 */
  readonly slots?: number;
  /** Where the hub's log lines go. @default nowhere */
  readonly log?: Log;
}

/** A hub of a test. */
export interface TestHub {
  /** Bus URL with the user's credentials: for `connect({ bus: hub.url })` or POLARON_URL. */
  readonly url: string;
  /** Its temporary POLARON_HOME. */
  readonly home: string;
  /** Stops the hub and its agent, and removes the folder. */
  stop(): Promise<void>;
}

/** Starts a hub in this process; ready when it resolves. Raises what `polaron start` raises. */
export async function startTestHub(options: TestHubOptions = {}): Promise<TestHub> {
  const { startHub } = await import('../host/hub.ts');
  const home = await mkdtemp(join(tmpdir(), 'polaron-test-'));
  const log = options.log ?? ((): void => undefined);
  const hub = await startHub({
    home,
    data: join(home, 'data'),
    slots: options.slots ?? 2,
    agent: true,
    insecure: false,
    isolateResults: false,
    traceActors: false,
    log,
  });
  const stop = async (): Promise<void> => {
    await hub.stop();
    await rm(home, { recursive: true, force: true });
  };
  try {
    await hub.ready;
    const url = readHubFile(home)?.userUrl;
    if (url === undefined) throw new PolaronError('START_FAILED', `the test hub wrote no hub file in ${home}`);
    return { url, home, stop };
  } catch (error) {
    await stop();
    throw error;
  }
}

/**
 * Entry of the result manager's own process (`start --isolate results`). Its parent sends the settings over IPC and is told `ready`;
 * it ends when the parent does.
 */
import { connectNats } from '../bus/nats-bus.ts';
import { makeSubjects } from '../bus/subjects.ts';
import { openDataStore } from './data-store.ts';
import { flushThrough } from './flush-through.ts';
import { boundHeapGrowth } from './heap-growth.ts';
import { systemRandom } from './random.ts';
import { startResultsCore } from './results-core.ts';
import { systemClock } from './system-clock.ts';
import { stderrLog } from './stderr-log.ts';
import { packageVersion } from './version.ts';

export interface ResultsProcessSettings {
  readonly node: string;
  /** The hub's own: a server with permissions per identity knows no second one for this process. */
  readonly identity: string;
  readonly data: string;
  readonly url: string;
  readonly user?: string;
  readonly password?: string;
  readonly ownTls?: boolean;
}

const isSettings = (x: unknown): x is ResultsProcessSettings =>
  typeof x === 'object' && x !== null && 'node' in x && 'identity' in x && 'data' in x && 'url' in x;

async function run(settings: ResultsProcessSettings): Promise<void> {
  boundHeapGrowth();
  const { node, identity, data, url, user, password, ownTls } = settings;
  const log = stderrLog('results');
  const subjects = makeSubjects();
  const opened = await openDataStore(data, log);
  const { store } = opened;
  const bus = await connectNats({
    servers: url,
    name: `hub.${node}`,
    identity,
    log,
    ...(ownTls === true ? { tls: { insecureSkipVerify: true } } : {}),
    ...(user === undefined || password === undefined ? {} : { user, password }),
  });
  const fatal = (error: Error): void => {
    log('error', `the result manager can't go on: ${error.message}`);
    void opened.close().finally(() => process.exit(1));
  };
  const random = systemRandom();
  const stop = startResultsCore({
    node,
    by: identity,
    bus,
    subjects,
    store,
    copy: opened.copy,
    clock: systemClock,
    random,
    log,
    version: packageVersion(),
    onFatal: fatal,
  });
  await flushThrough(bus);
  process.on('disconnect', () => {
    stop();
    void opened.close().finally(() => process.exit(0));
  });
  process.send?.({ type: 'ready' });
}

process.on('SIGINT', () => undefined); // the parent decides
process.once('message', (settings: unknown) => {
  if (!isSettings(settings)) process.exit(2);
  run(settings).catch((error: unknown) => {
    const told = {
      type: 'failed',
      code: error instanceof Error && 'code' in error ? error.code : 'START_FAILED',
      message: error instanceof Error ? error.message : String(error),
    };
    // what is open by now, such as a bus connection that dials on, must not keep it: the parent waits for its end
    process.send?.(told, () => process.exit(1));
  });
});

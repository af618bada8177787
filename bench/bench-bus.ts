/** The bus that a bench runs on: of one kind for the hub and the ceiling. Not responsible for what runs on it. */
import { startBrokerProcess } from './broker-process.ts';
import { findNatsServer, startNatsServer } from './nats-server.ts';

export type BusKind = 'embedded' | 'nats-server';

export interface BenchBus {
  readonly kind: BusKind;
  readonly description: string;
  /** What the hub is told to use; undefined: its own embedded broker. */
  readonly hubUrl: string | undefined;
  /** A bus without credentials for the ceiling. */
  readonly ceilingUrl: string;
  readonly serverVersion: string | undefined;
  close(): Promise<void>;
}

/** Raises Error when a nats-server is asked for and there is none. */
export async function openBus(kind: BusKind): Promise<BenchBus> {
  if (kind === 'embedded') {
    const broker = await startBrokerProcess();
    return {
      kind,
      description: 'the embedded broker: in the hub’s process, and for the bare loop in a process of its own',
      hubUrl: undefined,
      ceilingUrl: broker.url,
      serverVersion: undefined,
      close: () => broker.stop(),
    };
  }
  const path = findNatsServer();
  if (path === undefined) throw new Error('--bus nats-server: no nats-server on the PATH; --bus embedded needs none');
  const server = await startNatsServer(path);
  return {
    kind,
    description: `one real nats-server (${server.version}, ${path})`,
    hubUrl: server.url,
    ceilingUrl: server.url,
    serverVersion: server.version,
    close: () => server.stop(),
  };
}

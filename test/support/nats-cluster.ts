/** A cluster of nats-servers, each in a container of its own, through testcontainers. A node can be killed; it doesn't come back. */
import { connect } from 'nats';
import { GenericContainer, getContainerRuntimeClient, Wait, type StartedTestContainer } from 'testcontainers';
import { freePort } from './nats-server.ts';
import { until } from './until.ts';

export interface NatsCluster {
  readonly urls: readonly string[];
  /** SIGKILL. Resolves when it is gone. */
  kill(node: number): Promise<void>;
  stop(): Promise<void>;
}

const ROUTES_MS = 30_000;

/** Resolves when each node knows all others. */
export async function startNatsCluster(image: string, size: number): Promise<NatsCluster> {
  const nodes: { readonly url: string; readonly container: StartedTestContainer; gone: boolean }[] = [];
  const stop = async (): Promise<void> => {
    await Promise.all(nodes.filter(({ gone }) => !gone).map(({ container }) => container.stop({ timeout: 0 })));
  };
  try {
    for (let node = 0; node < size; node++) {
      const port = await freePort();
      // The others are learnt from the first.
      const routes = nodes.slice(0, 1).map(({ container }) => `nats://${addressOf(container)}:6222`);
      const config = `server_name: node${node}
listen: "0.0.0.0:4222"
client_advertise: "127.0.0.1:${port}"
cluster { name: c, listen: "0.0.0.0:6222", routes: ${JSON.stringify(routes)} }
`;
      const container = await new GenericContainer(image)
        .withCopyContentToContainer([{ content: config, target: '/tmp/nats.conf' }])
        .withCommand(['-c', '/tmp/nats.conf'])
        .withExposedPorts({ container: 4222, host: port })
        .withUlimits({ nofile: { soft: 16_384, hard: 16_384 }, nproc: { soft: 4_096, hard: 4_096 } })
        .withWaitStrategy(Wait.forLogMessage(/Server is ready/))
        .withStartupTimeout(60_000)
        .start();
      nodes.push({ url: `nats://127.0.0.1:${port}`, container, gone: false });
    }
    for (const { url } of nodes)
      await until(async () => (await known(url)) === size, `${url} knows all nodes`, ROUTES_MS);
  } catch (error) {
    await stop();
    throw error;
  }
  return {
    urls: nodes.map(({ url }) => url),
    kill: async (node) => {
      const killed = nodes[node];
      if (killed === undefined) throw new RangeError(`there is no node ${node}`);
      const { container } = await getContainerRuntimeClient();
      const runtime = container.getById(killed.container.getId());
      await runtime.kill();
      killed.gone = true;
      await runtime.remove({ force: true, v: true });
    },
    stop,
  };
}

function addressOf(container: StartedTestContainer): string {
  const [network] = container.getNetworkNames();
  if (network === undefined) throw new Error('the container has no network');
  return container.getIpAddress(network);
}

/** How many nodes clients of this one are told of. */
async function known(url: string): Promise<number> {
  const nats = await connect({ servers: url });
  const found = nats.info?.connect_urls?.length ?? 0;
  await nats.close();
  return found;
}

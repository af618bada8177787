/** A nats-server in a container, through testcontainers. In CI `.ci/podman-nats.sh` provides image and API. */
import { GenericContainer, Wait } from 'testcontainers';
import type { StartedTestContainer } from 'testcontainers';
import type { BusServer } from './bus-server.ts';
import { serverConfig } from './bus-server.ts';
import { freePort, realPartsRequired } from './nats-server.ts';

export const natsImage = process.env['POLARON_NATS_IMAGE'] ?? (realPartsRequired ? 'localhost/nats:ci' : 'nats');

/** Undefined when no Docker API was named. */
export const containerImage = process.env['DOCKER_HOST'] === undefined ? undefined : natsImage;

export async function startNatsContainer(image: string): Promise<BusServer> {
  // A fixed port, so that the server is found again after a restart.
  const port = await freePort();
  const run = (): Promise<StartedTestContainer> =>
    new GenericContainer(image)
      .withCopyContentToContainer([{ content: serverConfig('0.0.0.0:4222'), target: '/tmp/nats.conf' }])
      .withCommand(['-c', '/tmp/nats.conf'])
      .withExposedPorts({ container: 4222, host: port })
      .withUlimits({ nofile: { soft: 16_384, hard: 16_384 }, nproc: { soft: 4_096, hard: 4_096 } })
      .withWaitStrategy(Wait.forLogMessage(/Server is ready/))
      .withStartupTimeout(60_000)
      .start();
  let container = await run();
  return {
    url: `nats://${container.getHost() === 'localhost' ? '127.0.0.1' : container.getHost()}:${port}`,
    restart: async (down) => {
      await container.stop({ timeout: 0 });
      await down();
      container = await run();
    },
    stop: async () => {
      await container.stop({ timeout: 0 });
    },
  };
}

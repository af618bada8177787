/** Where a container engine listens: where it is said to, else the sockets that Podman and Docker have by default. Not here: talking to it (engine.ts). */
import { PolaronError } from '../../model/errors.ts';

export interface EngineAddress {
  /** As it was given: for messages. */
  readonly text: string;
  readonly dial: { readonly socketPath: string } | { readonly host: string; readonly port: number };
}

const DOCKER_PORT = 2375;

/**
 * In the order in which they are tried: `told`, else the usual ones, of which one is in `runtimeDir`. Raises EXECUTOR_SETUP when it is something else than a socket or a TCP
 * address.
 */
export function engineAddresses(told: string, runtimeDir: string): readonly EngineAddress[] {
  if (told !== '') return [addressOf(told)];
  const own = runtimeDir === '' ? [] : [`${runtimeDir}/podman/podman.sock`];
  return ['/run/podman/podman.sock', '/var/run/docker.sock', ...own].map((path) => addressOf(`unix://${path}`));
}

function addressOf(text: string): EngineAddress {
  const socketPath = /^unix:\/\/(\/.+)$/.exec(text)?.[1];
  if (socketPath !== undefined) return { text, dial: { socketPath } };
  const url = URL.canParse(text) ? new URL(text) : undefined;
  if (url !== undefined && /^(tcp|http):$/.test(url.protocol) && url.hostname !== '')
    return { text, dial: { host: url.hostname, port: Number(url.port || DOCKER_PORT) } };
  throw new PolaronError('EXECUTOR_SETUP', `${JSON.stringify(text)} is no address of a container engine`, {
    help: 'Give unix:///path/of/the.sock, or tcp://host:port of an engine that takes requests without TLS.',
  });
}

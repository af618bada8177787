/** Where a container engine listens: DOCKER_HOST, else the sockets that Podman and Docker have by default. Not here: talking to it (engine.ts). */
import { PolaronError } from '../../model/errors.ts';

export interface EngineAddress {
  /** As it was given: for messages. */
  readonly text: string;
  readonly dial: { readonly socketPath: string } | { readonly host: string; readonly port: number };
}

const DOCKER_PORT = 2375;

/** In the order in which they are tried. Raises EXECUTOR_SETUP when DOCKER_HOST is something else than a socket or a TCP address. */
export function engineAddresses(env: Readonly<Record<string, string | undefined>>): readonly EngineAddress[] {
  const told = env['DOCKER_HOST'];
  if (told !== undefined && told !== '') return [addressOf(told)];
  const runtime = env['XDG_RUNTIME_DIR'];
  const own = runtime === undefined || runtime === '' ? [] : [`${runtime}/podman/podman.sock`];
  return ['/run/podman/podman.sock', '/var/run/docker.sock', ...own].map((path) => addressOf(`unix://${path}`));
}

function addressOf(text: string): EngineAddress {
  const socketPath = /^unix:\/\/(\/.+)$/.exec(text)?.[1];
  if (socketPath !== undefined) return { text, dial: { socketPath } };
  const url = URL.canParse(text) ? new URL(text) : undefined;
  if (url !== undefined && /^(tcp|http):$/.test(url.protocol) && url.hostname !== '')
    return { text, dial: { host: url.hostname, port: Number(url.port || DOCKER_PORT) } };
  throw new PolaronError('EXECUTOR_SETUP', `DOCKER_HOST is ${JSON.stringify(text)}`, {
    help: 'Give unix:///path/of/the.sock, or tcp://host:port of an engine that takes requests without TLS.',
  });
}

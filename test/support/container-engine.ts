/** A real container engine and images for it. In CI `.ci/podman-nats.sh` provides both. */
import { withRealPart } from './real-part.ts';
import { realPartsRequired } from './nats-server.ts';

export interface ContainerImages {
  /** glibc, libstdc++, a shell with its commands, Python. */
  readonly image: string;
  /** Nothing but glibc. */
  readonly bare: string;
}

const env = process.env;
const image = env['POLARON_CONTAINER_IMAGE'] ?? (realPartsRequired ? 'localhost/polaron-shell:ci' : undefined);
const bare = env['POLARON_CONTAINER_BARE_IMAGE'] ?? (realPartsRequired ? 'localhost/polaron-libc:ci' : undefined);

/** Only where an engine and both images are named: nothing is pulled for a test. */
const images =
  env['DOCKER_HOST'] === undefined || image === undefined || bare === undefined ? undefined : { image, bare };

export const withContainerEngine = (what: string, define: (images: ContainerImages) => void): void =>
  withRealPart(what, images, 'DOCKER_HOST, POLARON_CONTAINER_IMAGE or POLARON_CONTAINER_BARE_IMAGE is not set', define);

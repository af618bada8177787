/** What whoever runs an agent says for its containers: by its file, else by the environment. Not here: what electrons say (container-options.ts). */
import { PolaronError } from '../../model/errors.ts';
import { engineAddresses, type EngineAddress } from './engine-address.ts';
import { mountRoots, type MountRoot } from './mounts.ts';

export interface ContainerSettings {
  /** In the order in which they are tried. */
  readonly addresses: readonly EngineAddress[];
  readonly roots: readonly MountRoot[];
}

export const MOUNTS_VARIABLE = 'POLARON_CONTAINER_MOUNTS';

const isTexts = (value: unknown): value is readonly string[] =>
  Array.isArray(value) && value.every((each) => typeof each === 'string');

/** `mounts`, a list as of mounts.ts, and `engine`, as DOCKER_HOST. Raises EXECUTOR_SETUP. */
export function containerSettings(
  given: Readonly<Record<string, unknown>>,
  env: Readonly<Record<string, string | undefined>>,
): ContainerSettings {
  const {
    mounts = (env[MOUNTS_VARIABLE] ?? '').split(':').filter((part) => part !== ''),
    engine = env['DOCKER_HOST'] ?? '',
    ...others
  } = given;
  const [unknown] = Object.keys(others);
  if (unknown !== undefined) throw wrong(unknown, 'there are only mounts and engine');
  if (!isTexts(mounts)) throw wrong('mounts', 'it is a list of folders, /data or /data=ro');
  if (typeof engine !== 'string') throw wrong('engine', 'it is a text such as unix:///run/podman/podman.sock');
  return { addresses: engineAddresses(engine, env['XDG_RUNTIME_DIR'] ?? ''), roots: mountRoots(mounts) };
}

const wrong = (name: string, why: string): PolaronError =>
  new PolaronError('EXECUTOR_SETUP', `executor "container": setting ${name}: ${why}`);

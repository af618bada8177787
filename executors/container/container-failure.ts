/** Why a container didn't come to run the bridge, from what the engine and the container's stderr say: the first tells of files that are missing, the second of libraries. Pure. */
import { asPolaronError, PolaronError } from '../../model/errors.ts';
import type { ContainerOptions } from './container-options.ts';

const LIBRARY = /error while loading shared libraries/;
const TOO_OLD = /version [`'](GLIBC(?:XX)?_[\d.]+)' not found|polaron: Node\.js \S+ is too old/;
const NOT_RUNNABLE =
  /no such file or directory|executable file not found|executable file .* not found|exec format error|not found in \$PATH/i;

/** `no-library`: Node.js lacks a library that could be brought along; `libraries`: they have been. */
export function startFailure(
  options: ContainerOptions,
  error: unknown,
  stderr: string,
  libraries: boolean,
): PolaronError | 'no-library' {
  const { image, node = 'bring' } = options;
  const said = stderr.trim();
  if (node === 'bring' && !libraries && LIBRARY.test(said)) return 'no-library';
  const failure = asPolaronError(error, 'EXECUTOR_FAILED');
  if (/ENOSPC|no space left on device/i.test(said))
    return new PolaronError('DISK_FULL', failure.message, { cause: error });
  const noNode = (why: string): PolaronError =>
    new PolaronError('CONTAINER_NO_NODE', `image "${image}": ${why}`, { cause: error });
  const old = TOO_OLD.exec(said);
  if (old !== null)
    return node === 'image'
      ? noNode(`${lastLine(said).replace('polaron: ', 'its ')}; 20.19 or newer is needed`)
      : noNode(
          `its libraries are too old for the agent's Node.js (${lastLine(said)}); take a newer image, or its own Node.js by { node: 'image' }`,
        );
  const all = `${failure.message}\n${said}`;
  if (/\bnode\b/.test(all) && (NOT_RUNNABLE.test(all) || LIBRARY.test(all)))
    return node === 'image'
      ? noNode(
          `it has no node in its PATH (${lastLine(all)}); leave out { node: 'image' }, and the agent's is brought along`,
        )
      : noNode(
          `the agent's Node.js can't be run in it, as it has no glibc (${lastLine(all)}); take an image that has it (Alpine and other musl images don't), or its own Node.js by { node: 'image' }`,
        );
  return failure;
}

const lastLine = (text: string): string => (text.trim().split('\n').at(-1) ?? '').slice(0, 300);

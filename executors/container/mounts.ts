/**
 * Which folders of its machine an agent lets electrons mount: none, unless its operator names some. The engine works as root and would give anything to
 * whoever may dispatch. Links are followed before the comparison, and the engine gets what they lead to.
 */
import { realpathSync } from 'node:fs';
import { isAbsolute, sep } from 'node:path';
import { PolaronError } from '../../model/errors.ts';
import { wrongOption, type MountOption } from './container-options.ts';

/** A folder that may be mounted, with all that is below. */
export interface MountRoot {
  readonly path: string;
  /** For reading only. */
  readonly readOnly: boolean;
}

const READ_ONLY = '=ro';

/** `/data`, or `/data=ro` for reading only. Raises EXECUTOR_SETUP. */
export function mountRoots(folders: readonly string[]): readonly MountRoot[] {
  return folders.flatMap((part) => {
    if (part === '') return [];
    const readOnly = part.endsWith(READ_ONLY);
    const path = readOnly ? part.slice(0, -READ_ONLY.length) : part;
    if (!isAbsolute(path)) throw notARoot(part, 'it is not an absolute path');
    try {
      return [{ path: realpathSync(path), readOnly }];
    } catch (error) {
      throw notARoot(part, error instanceof Error ? error.message : String(error));
    }
  });
}

const notARoot = (part: string, why: string): PolaronError =>
  new PolaronError(
    'EXECUTOR_SETUP',
    `executor "container": ${JSON.stringify(part)} can't be offered for mounts: ${why}`,
  );

/** As the engine is told of them. Raises EXECUTOR_OPTION when one isn't there, or isn't allowed. */
export function allowedMounts(
  mounts: readonly MountOption[],
  roots: readonly MountRoot[],
): readonly Required<MountOption>[] {
  return mounts.map(({ from, to, readOnly = false }) => {
    let path: string;
    try {
      path = realpathSync(from);
    } catch {
      // whether it is there is nobody's business who may not have it
      path = from;
    }
    const root = roots.find((each) => isBelow(path, each.path));
    if (root === undefined) throw wrongOption('mounts', refused(from, roots));
    if (root.readOnly && !readOnly)
      throw wrongOption('mounts', `asks to write to ${from}, and ${root.path} is for reading only: say readOnly: true`);
    return { from: existing(path, from), to, readOnly };
  });
}

const isBelow = (path: string, root: string): boolean =>
  path === root || path.startsWith(root.endsWith(sep) ? root : root + sep);

function existing(path: string, from: string): string {
  try {
    return realpathSync(path);
  } catch {
    throw wrongOption('mounts', `names ${from}, which is not there`);
  }
}

const refused = (from: string, roots: readonly MountRoot[]): string =>
  roots.length === 0
    ? `names ${from}, and this agent lets nothing be mounted; its operator can allow folders (docs/guides/executors.md)`
    : `names ${from}, and this agent lets only ${roots.map(({ path }) => path).join(', ')} be mounted`;

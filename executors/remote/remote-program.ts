/** What has to be brought to a place where runners are to be: few files, the same for every place, named together by their content. */
import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { PolaronError } from '../../model/errors.ts';
import { packageFile } from '../program.ts';

export interface RemoteFile {
  /** Its path in the folder over there: one word, or one in a folder. */
  readonly name: string;
  readonly content: Buffer;
}

export interface RemoteProgram {
  /** Hash of all files: 16 hex digits. */
  readonly version: string;
  readonly files: readonly RemoteFile[];
}

/**
 * What is started over there: `node bridge.cjs <folder> <version>` keeps runners at the end of its input and output (bridge-main.ts); `ssh.cjs` does so behind connections that come and go
 * (ssh/host-main.ts).
 */
export type RemoteEntry = 'bridge' | 'ssh';
const BESIDE = ['runner.cjs', 'python/polaron_lepton.py', 'python/polaron_values.py'];

const read = new Map<RemoteEntry, RemoteProgram>();

/** Read once. Raises EXECUTOR_SETUP when the package is incomplete. */
export function remoteProgram(entry: RemoteEntry = 'bridge'): RemoteProgram {
  let program = read.get(entry);
  if (program === undefined) read.set(entry, (program = readProgram(entry)));
  return program;
}

function readProgram(entry: RemoteEntry): RemoteProgram {
  const hash = createHash('sha256');
  const files = [`${entry}.cjs`, ...BESIDE].map((name) => {
    const path = fileURLToPath(packageFile(`dist/executors/remote/pack/${name}`));
    let content: Buffer;
    try {
      content = readFileSync(path);
    } catch (cause) {
      throw new PolaronError('EXECUTOR_SETUP', `${path} can't be read; install polaron again`, { cause });
    }
    hash.update(`${name}\0${content.length}\0`).update(content);
    return { name, content };
  });
  return { version: hash.digest('hex').slice(0, 16), files };
}

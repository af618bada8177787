/** Where the scratch folder of an attempt is: agent and runner say the same. */
import { join } from 'node:path';
import type { Token } from '../../model/outcome.ts';

/** Below `root`, one for each task and token. */
export const scratchDirOf = (root: string, task: string, token: Token): string =>
  join(root, `${task}.${token[0]}.${token[1]}`);

/** Where the running SDK is, and the file of it that stands for it on agents. Not here: what that holds (sdk/agent-shim.ts). */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

/** The running SDK's own folder: `sdk/` or `dist/sdk/`. */
export const SDK_FOLDER = fileURLToPath(new URL('..', import.meta.url));

/** The shim next to the running SDK. `draws`: lattices are drawn on agents. */
export const defaultShim = (draws: boolean): string => {
  const name = draws ? 'agent-shim-drawing' : 'agent-shim';
  const compiled = join(SDK_FOLDER, `${name}.js`);
  return existsSync(compiled) ? compiled : join(SDK_FOLDER, `${name}.ts`);
};

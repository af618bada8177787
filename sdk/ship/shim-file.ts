/** Where the running SDK is, and the file of it that stands for it on agents. Not here: what that holds (sdk/agent-shim.ts). */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

/** The running SDK's own folder: `sdk/` or `dist/sdk/`. */
export const SDK_FOLDER = fileURLToPath(new URL('..', import.meta.url));

/** The shim next to the running SDK. */
export const defaultShim = (): string => {
  const compiled = join(SDK_FOLDER, 'agent-shim.js');
  return existsSync(compiled) ? compiled : join(SDK_FOLDER, 'agent-shim.ts');
};

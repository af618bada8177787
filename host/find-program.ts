/** Where a program is, as a shell would find it. A look at files: it isn't run. */
import { accessSync, constants, statSync } from 'node:fs';
import { delimiter, join } from 'node:path';

/** Undefined: it isn't there, or can't be run. */
export function findProgram(program: string, env: NodeJS.ProcessEnv): string | undefined {
  if (program.includes('/')) return isProgram(program) ? program : undefined;
  return (env['PATH'] ?? '')
    .split(delimiter)
    .filter((folder) => folder !== '')
    .map((folder) => join(folder, program))
    .find(isProgram);
}

function isProgram(file: string): boolean {
  try {
    accessSync(file, constants.X_OK);
    return statSync(file).isFile();
  } catch {
    return false;
  }
}

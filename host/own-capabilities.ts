/** What an agent offers by itself, beside what it is told to and its executors: the languages of leptons that are on the machine. */
import { accessSync, constants, statSync } from 'node:fs';
import { delimiter, join } from 'node:path';

/** A look at files, not at whether they work: what runs nothing here says so itself (LEPTON_MISSING). */
export function ownCapabilities(env: NodeJS.ProcessEnv = process.env): readonly string[] {
  const { POLARON_PYTHON: set = '', PATH: path = '' } = env;
  const python = set === '' ? 'python3' : set;
  const there = python.includes('/')
    ? isProgram(python)
    : path.split(delimiter).some((folder) => folder !== '' && isProgram(join(folder, python)));
  return there ? ['python'] : [];
}

function isProgram(file: string): boolean {
  try {
    accessSync(file, constants.X_OK);
    return statSync(file).isFile();
  } catch {
    return false;
  }
}

/** The Pythons of this machine: one, and one with NumPy. */
import { execFileSync } from 'node:child_process';

const candidates = [process.env['POLARON_PYTHON'], 'python3', '/usr/bin/python3'].filter((name) => name !== undefined);

/** Its own path, where what is found by a name may be a script that looks for it each time; undefined when it can't run `code`. */
function pathOf(program: string, code: string): string | undefined {
  try {
    const told = execFileSync(program, ['-c', `${code}; import sys; print(sys.executable)`], {
      encoding: 'utf8',
      stdio: ['ignore', 'pipe', 'ignore'],
    });
    return told.trim() === '' ? program : told.trim();
  } catch {
    return undefined;
  }
}

const first = (code: string): string | undefined => {
  for (const program of candidates) {
    const path = pathOf(program, code);
    if (path !== undefined) return path;
  }
  return undefined;
};

/** Undefined where none is installed. */
export const python: string | undefined = first('pass');
/** Undefined where none has NumPy. */
export const pythonWithNumPy: string | undefined = first('import numpy');

/** The Pythons of this machine: one, and one with NumPy. */
import { execFileSync } from 'node:child_process';

function works(program: string, code: string): boolean {
  try {
    execFileSync(program, ['-c', code], { stdio: 'ignore' });
    return true;
  } catch {
    return false;
  }
}

const candidates = [process.env['POLARON_PYTHON'], 'python3', '/usr/bin/python3'].filter((name) => name !== undefined);

/** Undefined where none is installed. */
export const python: string | undefined = candidates.find((program) => works(program, ''));
/** Undefined where none has NumPy. */
export const pythonWithNumPy: string | undefined = candidates.find((program) => works(program, 'import numpy'));

/**
 * The warm interpreters of this process: one for each module (by its sources' content), environment and program; a call gets an idle one or a new one.
 * Not here: the process itself (python-process.ts).
 */
import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import type { PythonSpec } from '../model/lepton.ts';
import { PythonProcess } from './python-process.ts';

/** Idle ones that are kept; who was used longest ago goes first. */
const MOST_IDLE = 4;

/** Of a module's text; specs are data that stay. */
const digests = new WeakMap<object, string>();

function digestOf(spec: PythonSpec): string {
  const { module, sources } = spec;
  if (sources === undefined) return module;
  let digest = digests.get(sources);
  if (digest === undefined) {
    digest = createHash('sha256')
      .update(JSON.stringify([module, sources]))
      .digest('hex');
    digests.set(sources, digest);
  }
  return digest;
}

class Interpreters {
  /** In the order in which they became idle. */
  #idle: { readonly key: string; readonly python: PythonProcess }[] = [];
  readonly #keys = new WeakMap<PythonProcess, string>();

  /** Belongs to the caller until it is given back. */
  take(spec: PythonSpec): PythonProcess {
    const env = { ...process.env };
    const program = pythonOf(env);
    const key = JSON.stringify([program, digestOf(spec), env]);
    this.#idle = this.#idle.filter(({ python }) => python.alive);
    const at = this.#idle.findLastIndex((one) => one.key === key);
    const [found] = at === -1 ? [] : this.#idle.splice(at, 1);
    if (found !== undefined) return found.python;
    const python = new PythonProcess(program, spec, env);
    this.#keys.set(python, key);
    return python;
  }

  giveBack(python: PythonProcess): void {
    const key = this.#keys.get(python);
    if (key === undefined || !python.alive) return;
    this.#idle.push({ key, python });
    if (this.#idle.length > MOST_IDLE) this.#idle.shift()?.python.end();
  }
}

export const interpreters = new Interpreters();

/** The one of the electron's dependencies, else the one that is set, else the first in PATH. */
function pythonOf(env: NodeJS.ProcessEnv): string {
  const { VIRTUAL_ENV: venv, POLARON_DEPS: deps, POLARON_PYTHON: set } = env;
  if (deps !== undefined && venv !== undefined && existsSync(join(venv, 'bin', 'python')))
    return join(venv, 'bin', 'python');
  return set === undefined || set === '' ? 'python3' : set;
}

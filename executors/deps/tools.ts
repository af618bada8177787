/** The programs that install: which npm and which Python this agent has. Not here: running an installation (install.ts). */
import { existsSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { PolaronError } from '../../model/errors.ts';
import type { CommandEnd } from './command.ts';

/** Runs a program to its end, somewhere that doesn't matter. */
export type Ask = (file: string, args: readonly string[]) => Promise<CommandEnd>;

/** npm comes with Node.js: the one beside the runners' goes first. */
export function npmBeside(nodePath: string): string {
  const beside = join(dirname(nodePath), 'npm');
  return existsSync(beside) ? beside : 'npm';
}

const ABOUT =
  'import sys; print(sys.implementation.cache_tag, sys.version.split()[0], sys.base_prefix); print(sys.executable)';

export interface BasePython {
  /** What tells one Python from another, so that a venv of an older one isn't used. */
  readonly about: string;
  /** Its own path: where a venv is on the PATH, its name is that of the venv's. */
  readonly program: string;
}

/** Raises DEPS_INSTALL_FAILED. */
export async function aboutPython(python: string, agent: string, ask: Ask): Promise<BasePython> {
  const { how, tail, end } = await ask(python, ['-c', ABOUT]);
  const [about = '', program = ''] = tail.trim().split('\n');
  if (how === 'ok') return { about, program: program.startsWith('/') ? program : python };
  throw how === 'missing' ? missingTool('Python', python, agent) : brokenPython(python, agent, `${end} ${tail}`);
}

/** Raised when the program isn't there. */
export function missingTool(what: 'npm' | 'Python' | 'the shell', file: string, agent: string): PolaronError {
  const help = {
    npm: 'Install npm on the machine of that agent, or run the electron on another one (needs).',
    Python: 'Install Python 3 with venv on the machine of that agent, or say where it is by POLARON_PYTHON.',
    'the shell': 'deps.shell needs /bin/sh on the machine of the agent.',
  }[what];
  return new PolaronError('DEPS_INSTALL_FAILED', `agent ${agent} has no ${what}: "${file}" was not found. ${help}`, {
    details: { agent, tool: what, file },
    help,
  });
}

const brokenPython = (python: string, agent: string, why: string): PolaronError =>
  new PolaronError('DEPS_INSTALL_FAILED', `on agent ${agent} "${python}" can't be used: ${why.trim()}`, {
    details: { agent, tool: 'Python', file: python },
  });

/**
 * One installation: npm, then pip, then the shell commands, in a folder that is empty at first. What it leaves is an environment.
 * Not here: when it is done, and for whom (environments.ts).
 */
import { mkdirSync, writeFileSync } from 'node:fs';
import { delimiter, dirname, join } from 'node:path';
import { PolaronError } from '../../model/errors.ts';
import type { DepsDef } from '../../model/graph.ts';
import type { InstalledDeps } from '../executor.ts';
import { runCommand, type CommandEnd, type CommandStart } from './command.ts';
import { missingTool, npmBeside } from './tools.ts';

/** In the environment of those who use what was installed. */
const DEPS_FOLDER = 'POLARON_DEPS';
/** All of an installation, ms. */
export const INSTALL_MS = 30 * 60_000;
/** While a command says nothing else, this is said. */
const STILL_MS = 10_000;
const SHOWN_LINES = 15;
/** What Python says where pip is missing, and what one before 22.3 says. */
const NO_PIP = /No module named pip|no such option: --python/;
const PIP_HINT = 'on Debian and Ubuntu it comes with the package python3-pip or python3-venv';

export interface InstallOptions extends Pick<CommandStart, 'roster' | 'clock' | 'env'> {
  readonly agent: string;
  readonly nodePath: string;
  readonly python: string;
  /** @default INSTALL_MS */
  readonly timeoutMs?: number;
}

/** Where things are in an environment, and the variables of those who use it. */
export function describe(
  key: string,
  dir: string,
  deps: DepsDef,
  env: InstallOptions['env'],
  nodePath: string,
): InstalledDeps {
  const venv = join(dir, 'venv');
  const folders = [
    join(dir, 'bin'),
    ...(deps.pip === undefined ? [] : [join(venv, 'bin')]),
    ...(deps.npm === undefined ? [] : [join(dir, 'node_modules', '.bin')]),
  ];
  const path = [...folders, env['PATH'] ?? '', dirname(nodePath)].filter((folder) => folder !== '');
  const variables = { PATH: path.join(delimiter), [DEPS_FOLDER]: dir };
  if (deps.pip === undefined) return { key, dir, env: variables };
  const python = join(venv, 'bin', 'python');
  // also a `pip` of a shell command is to install there
  return { key, dir, python, env: { ...variables, VIRTUAL_ENV: venv, PIP_PYTHON: python } };
}

/** Raises DEPS_INSTALL_FAILED, the signal's reason, or the system's error. `tell` gets lines for people. */
export async function install(
  options: InstallOptions,
  installed: InstalledDeps,
  deps: DepsDef,
  tell: (line: string) => void,
  signal: AbortSignal,
): Promise<void> {
  await new Installation(options, installed, deps, tell, signal).run();
}

class Installation {
  readonly #options: InstallOptions;
  readonly #installed: InstalledDeps;
  readonly #deps: DepsDef;
  readonly #tell: (line: string) => void;
  readonly #signal: AbortSignal;
  readonly #deadline: number;

  constructor(
    options: InstallOptions,
    installed: InstalledDeps,
    deps: DepsDef,
    tell: (line: string) => void,
    signal: AbortSignal,
  ) {
    this.#options = options;
    this.#installed = installed;
    this.#deps = deps;
    this.#tell = tell;
    this.#signal = signal;
    this.#deadline = options.clock.monotonic() + (options.timeoutMs ?? INSTALL_MS);
  }

  async run(): Promise<void> {
    const { npm, pip, shell } = this.#deps;
    mkdirSync(join(this.#installed.dir, 'bundles'), { recursive: true, mode: 0o700 });
    mkdirSync(join(this.#installed.dir, 'bin'), { recursive: true });
    if (npm !== undefined) await this.#npm(npm);
    if (pip !== undefined) await this.#pip(pip);
    for (const command of shell ?? []) await this.#shell(command);
  }

  async #npm(dependencies: Readonly<Record<string, string>>): Promise<void> {
    const { dir } = this.#installed;
    writeFileSync(join(dir, 'package.json'), JSON.stringify({ private: true, dependencies }, undefined, 2));
    const npm = npmBeside(this.#options.nodePath);
    const packages = Object.entries(dependencies).map(([name, version]) => `${name}@${version}`);
    const args = ['install', '--ignore-scripts', '--install-links', '--no-audit', '--no-fund', '--omit=dev'];
    const end = await this.#carryOut(`npm ${packages.join(' ')}`, npm, [...args, '--no-update-notifier']);
    if (end.how === 'missing') throw missingTool('npm', npm, this.#options.agent);
    if (end.how !== 'ok') throw await this.#failed(`npm could not install ${packages.join(' ')}`, end, npm, 'npm');
  }

  /** By the pip of the Python that the venv is made of, which needs no second one; where it has none, or an old one, the venv gets its own. */
  async #pip(requirements: readonly string[]): Promise<void> {
    const { dir, python = '' } = this.#installed;
    const base = this.#options.python;
    const venv = await this.#carryOut('a Python venv', base, ['-m', 'venv', '--without-pip', join(dir, 'venv')]);
    if (venv.how === 'missing') throw missingTool('Python', base, this.#options.agent);
    if (venv.how !== 'ok') throw await this.#failed('Python could not make a venv', venv, base, 'Python');
    writeFileSync(join(dir, 'requirements.txt'), `${requirements.join('\n')}\n`);
    const what = `pip ${requirements.join(' ')}`;
    const args = ['install', '--no-input', '--disable-pip-version-check', '-r', 'requirements.txt'];
    let [tool, before] = [base, ['-m', 'pip', '--python', python]];
    let end = await this.#carryOut(what, tool, [...before, ...args]);
    if (end.how === 'failed' && NO_PIP.test(end.tail)) {
      const own = await this.#carryOut('pip itself', python, ['-m', 'ensurepip']);
      if (own.how !== 'ok') throw await this.#failed(`there is no pip (${PIP_HINT})`, own, base, 'Python');
      [tool, before] = [python, ['-m', 'pip']];
      end = await this.#carryOut(what, tool, [...before, ...args]);
    }
    if (end.how !== 'ok')
      throw await this.#failed(`pip could not install ${requirements.join(' ')}`, end, tool, '', [...before]);
  }

  async #shell(command: string): Promise<void> {
    const shell = '/bin/sh';
    const end = await this.#carryOut(`shell ${command}`, shell, ['-c', command]);
    if (end.how === 'missing') throw missingTool('the shell', shell, this.#options.agent);
    if (end.how !== 'ok') throw await this.#failed(`the command ${JSON.stringify(command)} failed`, end);
  }

  async #carryOut(what: string, file: string, args: readonly string[]): Promise<CommandEnd> {
    const { clock } = this.#options;
    const began = clock.monotonic();
    const seconds = (): string => ((clock.monotonic() - began) / 1_000).toFixed(1);
    this.#tell(`installing ${what}`);
    const still = (): void => {
      this.#tell(`still installing ${what} (${seconds()} s)`);
      timer = clock.after(STILL_MS, still);
    };
    let timer = clock.after(STILL_MS, still);
    try {
      const end = await this.#command(file, args, Math.max(1, this.#deadline - began));
      if (end.how === 'ok') this.#tell(`installed ${what} in ${seconds()} s`);
      return end;
    } finally {
      timer.cancel();
    }
  }

  #command(file: string, args: readonly string[], timeoutMs: number): Promise<CommandEnd> {
    const { roster, clock, env } = this.#options;
    const { dir, env: own } = this.#installed;
    const signal = this.#signal;
    return runCommand({ file, args, cwd: dir, env: { ...env, ...own }, roster, clock, timeoutMs, signal });
  }

  /** With the last lines, and with which tool of which version on which machine. */
  async #failed(
    what: string,
    { how: ended, end, tail }: CommandEnd,
    tool?: string,
    name = '',
    before: readonly string[] = [],
  ): Promise<PolaronError> {
    const { agent } = this.#options;
    const late = ended === 'timeout';
    const asked = tool === undefined ? undefined : await this.#command(tool, [...before, '--version'], 10_000);
    const said = asked?.how === 'ok' ? `, ${`${name} ${asked.tail.trim()}`.trim().replace(/ from .*$/, '')}` : '';
    const machine = `${process.platform}-${process.arch}, Node ${process.versions.node}${said}`;
    const how = late ? `it was not done in ${(this.#options.timeoutMs ?? INSTALL_MS) / 1_000} s` : end;
    const lines = tail.trimEnd().split('\n').slice(-SHOWN_LINES).join('\n');
    return new PolaronError(
      'DEPS_INSTALL_FAILED',
      `${what} on agent ${agent} (${machine}): ${how}${lines === '' ? '' : `\n${lines}`}`,
      { details: { agent, end: how, platform: process.platform, node: process.versions.node, output: tail } },
    );
  }
}

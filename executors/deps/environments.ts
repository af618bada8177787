/**
 * The environments of a machine: what electrons' `deps` became, one folder for each content, shared by electrons, runners, agents and their restarts.
 * An environment is made in its own place, since venvs and what commands build hold their path; a mark that is written last says that it is whole.
 *
 * V1. `<root>/KEY` is used only while `<root>/KEY.json` is there. What has no mark is thrown away, at the next start or when somebody wants it.
 * V2. Making, claiming and removing one happen under `KEY.lock`, over all agents of the machine.
 * V3. One that is in use has a claim, `KEY.claim-PID-…`, of a living process, and isn't removed.
 * Not here: what an installation does (install.ts), electrons that wait for one together (dependencies.ts).
 */
import { createHash, randomUUID } from 'node:crypto';
import { mkdirSync, readdirSync, readFileSync, renameSync, rmSync, statSync, utimesSync, writeFileSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { DepsDef } from '../../model/graph.ts';
import type { Log } from '../../model/log.ts';
import type { InstalledDeps } from '../executor.ts';
import { tryLock } from '../process/lock-file.ts';
import { startTimeOf } from '../process/process-table.ts';
import { runCommand, type CommandEnd } from './command.ts';
import { describe, install, type InstallOptions } from './install.ts';
import { aboutPython, type BasePython } from './tools.ts';

/** Part of every key: raise it when the same deps are installed in another way. */
const MAKER = 1;
const LOCK_POLL_MS = 100;
const ASK_MS = 30_000;
export const MOST_ENVIRONMENTS = 64;
export const ENVIRONMENT_BYTES = 10 * 1024 ** 3;

export interface EnvironmentsOptions extends InstallOptions {
  /** Shared by the agents of this machine. */
  readonly root: string;
  readonly log: Log;
  /** @default MOST_ENVIRONMENTS */
  readonly most?: number;
  /** @default ENVIRONMENT_BYTES */
  readonly bytes?: number;
}

/** An environment in use, until it is released. */
export interface Claim {
  readonly installed: InstalledDeps;
  release(): void;
}

interface Whole {
  readonly key: string;
  readonly usedAt: number;
  readonly bytes: number;
}

export class Environments {
  readonly #options: EnvironmentsOptions;
  readonly #instance = randomUUID().slice(0, 8);
  #claims = 0;
  #python: Promise<BasePython> | undefined;

  constructor(options: EnvironmentsOptions) {
    this.#options = options;
  }

  /** Names what these deps become here. Raises DEPS_INSTALL_FAILED when there is no Python for pip. */
  async keyOf(deps: DepsDef): Promise<string> {
    const python = deps.pip === undefined ? '' : (await this.#aboutPython()).about;
    const { platform, arch, versions } = process;
    const content = [MAKER, deps.npm ?? {}, deps.pip ?? [], deps.shell ?? [], platform, arch, versions.modules, python];
    return createHash('sha256').update(JSON.stringify(content)).digest('hex').slice(0, 24);
  }

  /** Asked once, and again when it failed. */
  async #aboutPython(): Promise<BasePython> {
    const { python, agent } = this.#options;
    const never = new AbortController().signal;
    this.#python ??= aboutPython(python, agent, (file, args) => this.#ask(file, args, never));
    try {
      return await this.#python;
    } catch (error) {
      this.#python = undefined;
      throw error;
    }
  }

  #ask(file: string, args: readonly string[], signal: AbortSignal): Promise<CommandEnd> {
    const { roster, clock, env, root } = this.#options;
    mkdirSync(root, { recursive: true, mode: 0o700 });
    return runCommand({ file, args, cwd: root, env, roster, clock, timeoutMs: ASK_MS, signal });
  }

  /** Makes it if it isn't there. Raises DEPS_INSTALL_FAILED, the signal's reason, or the system's error. */
  async claim(key: string, deps: DepsDef, tell: (line: string) => void, signal: AbortSignal): Promise<Claim> {
    const { root, env, nodePath } = this.#options;
    mkdirSync(root, { recursive: true, mode: 0o700 });
    const installed = describe(key, join(root, key), deps, env, nodePath);
    const unlock = await this.#lock(key, tell, signal);
    let made = false;
    try {
      if (this.#whole(key) === undefined) {
        await this.#make(installed, deps, tell, signal);
        made = true;
      }
      return this.#claimed(installed);
    } finally {
      unlock();
      if (made) this.tidy();
    }
  }

  async #make(
    installed: InstalledDeps,
    deps: DepsDef,
    tell: (line: string) => void,
    signal: AbortSignal,
  ): Promise<void> {
    const { dir, key } = installed;
    await rm(dir, { recursive: true, force: true });
    try {
      const python = deps.pip === undefined ? this.#options.python : (await this.#aboutPython()).program;
      await install({ ...this.#options, python }, installed, deps, tell, signal);
      const { how, tail } = await this.#ask('du', ['-sk', dir], signal);
      // a power cut must not leave a mark on files that aren't there; where `sync` can't do it, the mark is only as good as the disk
      await this.#ask('sync', ['-f', dir], signal);
      const bytes = how === 'ok' ? (Number.parseInt(tail, 10) || 0) * 1024 : 0;
      const mark = join(this.#options.root, `${key}.json`);
      writeFileSync(`${mark}.new`, JSON.stringify({ bytes, deps }));
      renameSync(`${mark}.new`, mark);
    } catch (error) {
      await rm(dir, { recursive: true, force: true }).catch(() => undefined);
      throw error;
    }
  }

  #claimed(installed: InstalledDeps): Claim {
    const { root } = this.#options;
    const file = join(root, `${installed.key}.claim-${process.pid}-${this.#instance}-${++this.#claims}`);
    writeFileSync(file, startTimeOf(process.pid) ?? '');
    const now = Date.now() / 1_000;
    utimesSync(join(root, `${installed.key}.json`), now, now);
    return { installed, release: () => rmSync(file, { force: true }) };
  }

  async #lock(key: string, tell: (line: string) => void, signal: AbortSignal): Promise<() => void> {
    const file = join(this.#options.root, `${key}.lock`);
    for (let told = false; ; ) {
      signal.throwIfAborted();
      const got = tryLock(file);
      if ('release' in got) return got.release;
      if (!told) tell(`waiting for process ${got.holder?.pid ?? '?'} of this machine, which installs the same`);
      told = true;
      await new Promise<void>((resolve) => this.#options.clock.after(LOCK_POLL_MS, resolve));
    }
  }

  /** Removes what an earlier life left half made, and what is over the limits. Never throws. */
  tidy(): void {
    const { root, most = MOST_ENVIRONMENTS, bytes = ENVIRONMENT_BYTES, log } = this.#options;
    try {
      const names = readdirSync(root);
      for (const name of names) if (name.includes('.claim-')) this.#livingClaim(name);
      const whole = names.flatMap((name) => (name.endsWith('.json') ? (this.#whole(name.slice(0, -5)) ?? []) : []));
      const marked = new Set(whole.map(({ key }) => key));
      for (const name of names) if (!name.includes('.') && !marked.has(name)) this.#remove(name);
      whole.sort((a, b) => a.usedAt - b.usedAt);
      let [left, sum] = [whole.length, whole.reduce((total, one) => total + one.bytes, 0)];
      for (const one of whole) {
        if (left <= most && sum <= bytes) break;
        if (!this.#remove(one.key)) continue;
        [left, sum] = [left - 1, sum - one.bytes];
      }
    } catch (error) {
      if (isMissing(error)) return; // nothing was ever installed
      log('warn', `agent: ${root} can't be tidied: ${error instanceof Error ? error.message : String(error)}`);
    }
  }

  /** V2, V3. False when it is in use. */
  #remove(key: string): boolean {
    const { root, log } = this.#options;
    const got = tryLock(join(root, `${key}.lock`));
    if (!('release' in got)) return false;
    try {
      const claims = readdirSync(root).filter((name) => name.startsWith(`${key}.claim-`));
      if (claims.some((name) => this.#livingClaim(name))) return false;
      const wasWhole = this.#whole(key) !== undefined;
      rmSync(join(root, `${key}.json`), { force: true });
      // aside under the lock, gone without it
      const aside = join(root, `gone.${key}.${randomUUID().slice(0, 8)}`);
      renameSync(join(root, key), aside);
      void rm(aside, { recursive: true, force: true }).catch(() => undefined);
      log(
        'info',
        `agent: removed ${wasWhole ? 'an environment that was not used for long' : 'an unfinished environment'}`,
        {
          key,
        },
      );
      return true;
    } finally {
      got.release();
    }
  }

  /** Is the process alive that made the claim? The file of a dead one is removed. */
  #livingClaim(name: string): boolean {
    const file = join(this.#options.root, name);
    const pid = Number(/\.claim-(\d+)-/.exec(name)?.[1]);
    if (startTimeOf(pid) === readText(file)) return true;
    rmSync(file, { force: true });
    return false;
  }

  #whole(key: string): Whole | undefined {
    const file = join(this.#options.root, `${key}.json`);
    try {
      const { mtimeMs } = statSync(file);
      const mark: { readonly bytes?: unknown } = JSON.parse(readFileSync(file, 'utf8'));
      return { key, usedAt: mtimeMs, bytes: typeof mark.bytes === 'number' ? mark.bytes : 0 };
    } catch {
      return undefined;
    }
  }
}

const isMissing = (error: unknown): boolean => error instanceof Error && 'code' in error && error.code === 'ENOENT';

function readText(file: string): string | undefined {
  try {
    return readFileSync(file, 'utf8');
  } catch {
    return undefined;
  }
}

/**
 * A whole system for the e2e tests: the built command in a home of its own, which starts hub, broker, agent and runners as a user's would.
 * POLARON_TEST_ISOLATE=1 gives every hub its result manager in a process of its own.
 */
import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { connectNats } from '../../bus/nats-bus.ts';
import type { Bus } from '../../bus/bus.ts';
import { readHubFile, type HubFile } from '../../bus/hub-file.ts';
import { endProcesses } from '../../host/end-processes.ts';
import { livingInstances, type InstanceKind } from '../../host/instances.ts';
import { listProcesses, processInfo } from '../../executors/process/process-table.ts';
import { noLog } from './log-list.ts';
import { until } from './until.ts';

const root = fileURLToPath(new URL('../..', import.meta.url));
const command = join(root, 'dist', 'cli', 'main.cjs');

/** What every `polaron start` of a test is given, so that the same tests hold for a result manager in a process of its own. */
export const isolation: readonly string[] = process.env['POLARON_TEST_ISOLATE'] === '1' ? ['--isolate', 'results'] : [];

export interface Finished {
  readonly exit: number | null;
  readonly out: string;
  readonly err: string;
}

/** A process of a test: what it says so far, and its end. */
export interface Running {
  readonly child: ChildProcess;
  readonly pid: number;
  readonly out: () => string;
  readonly err: () => string;
  readonly finished: Promise<Finished>;
}

export interface RealHubOptions {
  /** After `start --detach --slots 2`; another `--slots` wins. */
  readonly start?: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
}

export class RealHub {
  readonly home: string;
  readonly env: NodeJS.ProcessEnv;
  /** What `start` is given besides --detach. */
  readonly options: readonly string[];
  readonly #children = new Set<Running>();

  constructor(o: RealHubOptions = {}) {
    this.home = mkdtempSync(join(tmpdir(), 'polaron-e2e-'));
    const { POLARON_URL: _, POLARON_HOME: __, ...inherited } = process.env;
    this.env = { ...inherited, NO_COLOR: '1', ...o.env, POLARON_HOME: this.home };
    const slots = o.start?.includes('--slots') === true ? [] : ['--slots', '2'];
    const isolate = o.start?.includes('--isolate') === true ? [] : isolation;
    this.options = [...slots, ...isolate, ...(o.start ?? [])];
  }

  /** `polaron start --detach`; the SDK in this process uses this hub from now on. */
  async start(): Promise<HubFile> {
    const { exit, err } = await this.polaron(['start', '--detach', ...this.options]);
    if (exit !== 0) throw new Error(`polaron start ended with ${exit}: ${err}`);
    this.use();
    return this.file();
  }

  /** From now on the SDK in this process talks to this hub. */
  use(): void {
    delete process.env['POLARON_URL'];
    process.env['POLARON_HOME'] = this.home;
  }

  file(): HubFile {
    const file = readHubFile(this.home);
    if (file === undefined) throw new Error(`there is no hub file in ${this.home}`);
    return file;
  }

  /** Runs the command to its end; `within`: where that is (namespaces.ts). */
  polaron(args: readonly string[], env: NodeJS.ProcessEnv = {}, within: readonly string[] = []): Promise<Finished> {
    return this.launch([command, ...args], env, within).finished;
  }

  /** The one JSON document that the command prints. */
  async json(args: readonly string[]): Promise<unknown> {
    const { out, err } = await this.polaron([...args, '--json']);
    if (out === '') throw new Error(`polaron ${args.join(' ')} said nothing: ${err}`);
    return JSON.parse(out);
  }

  /** Starts a long-running command. */
  launchPolaron(args: readonly string[], env: NodeJS.ProcessEnv = {}, within: readonly string[] = []): Running {
    return this.launch([command, ...args], env, within);
  }

  /** Starts a user's script: a plain module in a folder where `polaron` is installed. */
  launchScript(
    source: string,
    args: readonly string[] = [],
    env: NodeJS.ProcessEnv = {},
    files: Readonly<Record<string, string>> = {},
  ): Running {
    const folder = mkdtempSync(join(this.home, 'script-'));
    mkdirSync(join(folder, 'node_modules'));
    symlinkSync(root, join(folder, 'node_modules', 'polaron'));
    for (const [name, text] of Object.entries(files)) {
      mkdirSync(dirname(join(folder, name)), { recursive: true });
      writeFileSync(join(folder, name), text);
    }
    const file = join(folder, 'script.mjs');
    writeFileSync(file, source);
    return this.launch([file, ...args], env);
  }

  /** The same to its end; `files` lie beside the script. */
  script(
    source: string,
    args: readonly string[] = [],
    env: NodeJS.ProcessEnv = {},
    files: Readonly<Record<string, string>> = {},
  ): Promise<Finished> {
    return this.launchScript(source, args, env, files).finished;
  }

  launch(args: readonly string[], env: NodeJS.ProcessEnv, within: readonly string[] = []): Running {
    const [program = '', ...rest] = [...within, process.execPath, ...args];
    const child = spawn(program, rest, {
      cwd: this.home,
      env: { ...this.env, ...env },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    let [out, err] = ['', ''];
    child.stdout.setEncoding('utf8').on('data', (text: string) => (out += text));
    child.stderr.setEncoding('utf8').on('data', (text: string) => (err += text));
    const finished = once(child, 'close').then(() => {
      this.#children.delete(running);
      return { exit: child.exitCode, out, err };
    });
    const running: Running = { child, pid: child.pid ?? 0, out: () => out, err: () => err, finished };
    this.#children.add(running);
    return running;
  }

  /** Pids of the living processes of a kind that this home knows. */
  pids(kind: InstanceKind): readonly number[] {
    return livingInstances(this.home)
      .filter((instance) => instance.kind === kind)
      .map(({ pid }) => pid);
  }

  pid(kind: InstanceKind): number {
    const [pid, ...more] = this.pids(kind);
    if (pid === undefined || more.length > 0) throw new Error(`${pid === undefined ? 'no' : 'several'} ${kind}`);
    return pid;
  }

  /** The result manager's process of an isolated hub: the hub's only child that isn't the agent. */
  resultsPid(): number {
    const [hub, agents] = [this.pid('hub'), this.pids('local-agent')];
    const found = listProcesses().filter(({ pid, parent }) => parent === hub && !agents.includes(pid));
    if (found.length !== 1) throw new Error(`the hub has ${found.length} children`);
    return found[0]?.pid ?? 0;
  }

  /** SIGKILL of one process; resolves when it is gone. */
  async kill(pid: number): Promise<void> {
    process.kill(pid, 'SIGKILL');
    await until(() => processInfo(pid) === undefined, `process ${pid} is gone`);
  }

  /** A bus connection with the user's credentials, for raw requests. */
  bus(): Promise<Bus> {
    const { userUrl } = this.file();
    const { host, username, password } = new URL(userUrl);
    const user = decodeURIComponent(username);
    return connectNats({
      servers: host,
      name: user,
      identity: user,
      user,
      password: decodeURIComponent(password),
      log: noLog,
    });
  }

  stop(): Promise<Finished> {
    return this.polaron(['stop']);
  }

  /** Ends everything of this home and removes it, unless it is to be kept. */
  async close(o: { readonly keep?: boolean } = {}): Promise<void> {
    for (const { child } of this.#children) child.kill('SIGKILL');
    await this.stop();
    await endProcesses(livingInstances(this.home), { graceMs: 0 });
    if (o.keep !== true) rmSync(this.home, { recursive: true, force: true });
  }
}

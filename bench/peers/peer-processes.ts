/**
 * The processes and folders of one peer: started here, and ended and removed together. Not responsible for what they do.
 * Each process leads a group of its own: a Ctrl-C leaves it alone until its owner stops it, and what it leaves behind can be ended with it.
 */
import { type ChildProcessWithoutNullStreams, spawn } from 'node:child_process';
import { mkdtempSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { basename, isAbsolute, join } from 'node:path';
import { createInterface } from 'node:readline';
import { setTimeout as sleep } from 'node:timers/promises';
import { Interrupted } from '../openings.ts';
import { isAnswered } from './loopback.ts';

/** How a process is asked to end: by the end of its stdin, or by a signal. */
export type StopBy = 'stdin' | 'SIGTERM' | 'SIGINT' | 'SIGKILL';

export interface StartOptions {
  readonly stopBy?: StopBy;
  readonly cwd?: string;
  /** Besides this process's own. */
  readonly env?: Readonly<Record<string, string>>;
  /** As whom, when this process is root. */
  readonly uid?: number;
  readonly gid?: number;
}

const SAID_CHARACTERS = 4_000;
const STOP_MS = 10_000;

export class PeerProcess {
  readonly #child: ChildProcessWithoutNullStreams;
  readonly #name: string;
  readonly #stopBy: StopBy;
  readonly #ended: Promise<string>;
  readonly #readers = new Set<(line: string) => boolean>();
  #said = '';
  #running = true;
  #stopped = false;

  constructor(command: string, args: readonly string[], options: StartOptions) {
    const { stopBy = 'SIGTERM', env = {}, ...rest } = options;
    this.#name = [command, ...args.slice(0, 1).filter(isAbsolute)].map((path) => basename(path)).join(' ');
    this.#stopBy = stopBy;
    this.#child = spawn(command, args, { ...rest, env: { ...process.env, ...env }, detached: true, stdio: 'pipe' });
    this.#ended = new Promise((resolve) => {
      this.#child.once('exit', () => {
        this.#running = false;
        // At once: later the id may be another's.
        killGroup(this.#child.pid);
        // Something that left the group may hold its output open: it isn't waited for.
        const late = setTimeout(() => [this.#child.stdout, this.#child.stderr].forEach((one) => one.destroy()), 1_000);
        this.#child.once('close', () => clearTimeout(late));
      });
      this.#child.once('close', (code, signal) => resolve(signal ?? `code ${code}`));
      this.#child.once('error', (error) => resolve(error.message));
    });
    this.#child.stdin.on('error', () => undefined);
    for (const stream of [this.#child.stdout, this.#child.stderr]) {
      createInterface({ input: stream }).on('line', (line) => this.#take(line));
    }
  }

  /** The first line from now on, of either stream, that `read` makes something of. Raises Error with what it said when it ends before, or takes longer. */
  async line<T>(read: (line: string) => T | undefined, withinMs: number): Promise<T> {
    let take: ((line: string) => boolean) | undefined;
    const found = new Promise<T>((resolve) => {
      take = (line) => {
        const value = read(line);
        if (value !== undefined) resolve(value);
        return value !== undefined;
      };
      this.#readers.add(take);
    });
    try {
      return await this.#within(found, withinMs);
    } finally {
      if (take !== undefined) this.#readers.delete(take);
    }
  }

  /** Waits until a GET of `url` is answered. Raises Error with what it said when it ends before, or takes longer. */
  async answers(url: string, withinMs: number): Promise<void> {
    const deadline = Date.now() + withinMs;
    while (this.#running && Date.now() < deadline) {
      if (await isAnswered(url)) return;
      await sleep(50);
    }
    throw this.#failed(`had no answer at ${url} within ${withinMs / 1_000} s, or ended before`);
  }

  /** Waits for its own end. Raises Error with what it said unless its exit code is 0. */
  async succeed(withinMs: number): Promise<void> {
    const how = await this.#within(this.#ended, withinMs, true);
    if (how !== 'code 0') throw this.#failed(`ended with ${how}`);
  }

  send(line: string): void {
    this.#child.stdin.write(`${line}\n`);
  }

  /** Asks it to end, and kills it and its group after ten seconds. */
  async stop(): Promise<void> {
    this.#stopped = true;
    this.#child.stdin.end();
    if (this.#running && this.#stopBy !== 'stdin') this.#child.kill(this.#stopBy);
    const late = setTimeout(() => this.#running && killGroup(this.#child.pid), STOP_MS);
    await this.#ended;
    clearTimeout(late);
  }

  #take(line: string): void {
    const taken = [...this.#readers].some((reader) => reader(line));
    if (!taken) this.#said = `${this.#said}${line}\n`.slice(-SAID_CHARACTERS);
  }

  async #within<T>(result: Promise<T>, withinMs: number, endIsFine = false): Promise<T> {
    let timer: NodeJS.Timeout | undefined;
    const late = new Promise<never>((_, reject) => {
      timer = setTimeout(() => reject(this.#failed(`gave no result within ${withinMs / 1_000} s`)), withinMs);
    });
    const ended = this.#ended.then((how) => {
      if (endIsFine) return result;
      throw this.#failed(`ended with ${how}`);
    });
    try {
      return await Promise.race([result, late, ended]);
    } finally {
      clearTimeout(timer);
    }
  }

  #failed(how: string): Error {
    if (this.#stopped) return new Interrupted();
    return new Error(`${this.#name} ${how}${this.#said === '' ? '' : `:\n${this.#said.trimEnd()}`}`);
  }
}

function killGroup(leader: number | undefined): void {
  if (leader === undefined) return;
  try {
    process.kill(-leader, 'SIGKILL');
  } catch {
    // Nothing is left of it.
  }
}

export class PeerProcesses {
  readonly #started: PeerProcess[] = [];
  readonly #folders: string[] = [];
  #closing: Promise<void> | undefined;

  /** Raises Interrupted once these are closed. */
  start(command: string, args: readonly string[], options: StartOptions = {}): PeerProcess {
    if (this.#closing !== undefined) throw new Interrupted();
    const one = new PeerProcess(command, args, options);
    this.#started.push(one);
    return one;
  }

  /** An empty folder that goes when these processes have ended. Raises Interrupted once these are closed. */
  folder(): string {
    if (this.#closing !== undefined) throw new Interrupted();
    const path = mkdtempSync(join(tmpdir(), 'polaron-peer-'));
    this.#folders.push(path);
    return path;
  }

  /** Stops the last one first, and removes the folders. What still waits for one of them raises Interrupted. */
  close(): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  async #close(): Promise<void> {
    for (const one of this.#started.reverse()) await one.stop();
    for (const path of this.#folders) await rm(path, { recursive: true, force: true, maxRetries: 5 });
  }
}

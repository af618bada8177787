/**
 * The bridge: keeps runners where the agent isn't, and talks with it over one stream. It knows nothing of electrons: who gets what is decided by the agent's pool.
 * Everything that it keeps lies in its folder: runners' scratch folders, files that the agent has sent, records of process groups. When the stream ends, all runners are
 * killed and the folder is removed. Not here: how the stream comes about (bridge-main.ts, ssh/daemon.ts).
 */
import { closeSync, mkdirSync, openSync, rmSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import type { Duplex } from 'node:stream';
import { deferred } from '../../model/deferred.ts';
import type { Clock } from '../../model/clock.ts';
import { asPolaronError } from '../../model/errors.ts';
import { startRunner } from '../process/runner-process.ts';
import { RunnerRoster } from '../process/runner-roster.ts';
import { systemMs } from '../runner/system-clock.ts';
import { FarRunner } from './far-runner.ts';
import { FrameStream } from './frame-stream.ts';
import { decodeToBridge, FRAME, type ToBridge } from './wire.ts';

const MEMORY_EVERY_MS = 250;

export interface BridgeOptions {
  readonly stream: Duplex;
  /** Of this bridge alone; made here. */
  readonly folder: string;
  /** What Node starts a runner with. */
  readonly program: readonly string[];
  readonly nodePath: string;
  /** Environment and working folder of user code. */
  readonly env: Readonly<Record<string, string>>;
  readonly cwd: string;
  readonly version: string;
  readonly clock: Clock;
}

interface Coming {
  readonly path: string;
  fd: number | undefined;
  error: unknown;
}

export class Bridge {
  readonly #options: BridgeOptions;
  readonly #stream: FrameStream;
  readonly #roster: RunnerRoster;
  readonly #runners = new Map<number, FarRunner>();
  readonly #files = new Map<number, string>();
  readonly #coming = new Map<number, Coming>();
  readonly #over = deferred<void>();
  #ending = false;
  #watching: NodeJS.Timeout | undefined;

  /** Raises the system's error when its folder can't be used. */
  constructor(options: BridgeOptions) {
    this.#options = options;
    const { folder, version } = options;
    for (const part of ['runners', 'files', join('node_modules', '.bundles')])
      mkdirSync(join(folder, part), { recursive: true, mode: 0o700 });
    this.#stream = new FrameStream(options.stream, {
      frame: (kind, number, payload) => this.#frame(kind, number, payload),
      ended: () => this.#end(),
    });
    this.#roster = new RunnerRoster(join(folder, 'groups', '1'), (level, message) =>
      this.#stream.tell({ type: 'log', level, message }),
    );
    this.#stream.tell({ type: 'hello', version, pid: process.pid, node: process.versions.node, now: systemMs() });
  }

  /** Resolves when its stream has ended, no runner is left, and its folder is gone. */
  get over(): Promise<void> {
    return this.#over.promise;
  }

  #frame(kind: number, number: number, payload: Buffer): void {
    if (this.#ending) return;
    if (kind === FRAME.control) this.#control(decodeToBridge(payload));
    else if (kind === FRAME.runner) this.#runners.get(number)?.feed(payload);
    else if (kind === FRAME.file) this.#piece(number, payload);
  }

  #control(message: ToBridge): void {
    switch (message.type) {
      case 'start':
        this.#start(message);
        return;
      case 'kill':
        this.#runners.get(message.runner)?.kill(message.signal);
        return;
      case 'hear':
        this.#runners.get(message.runner)?.hear(message.after);
        return;
      case 'file':
        this.#receive(message);
        return;
      case 'file-end':
        this.#received(message.file);
        return;
      case 'drop':
        this.#drop(message.file);
        return;
      case 'ping':
        this.#stream.tell({ type: 'pong', sent: message.sent, now: systemMs() });
        return;
      case 'bye':
        this.#end();
    }
  }

  #start({ runner, memoryMb, maxValueBytes, agent, env }: Extract<ToBridge, { type: 'start' }>): void {
    const { folder, clock, nodePath, program, cwd } = this.#options;
    try {
      const started = new FarRunner({
        number: runner,
        stream: this.#stream,
        folder: join(folder, 'runners', String(runner)),
        start: {
          nodePath,
          program,
          env: { ...this.#options.env, ...env },
          cwd,
          place: '',
          memoryMb,
          maxValueBytes,
          agent,
          roster: this.#roster,
          clock,
        },
        run: startRunner,
        gone: () => this.#gone(runner),
      });
      this.#runners.set(runner, started);
    } catch (cause) {
      const { code, message } = asPolaronError(cause, 'DISK_FULL');
      const error = { code, message: `a runner can't be started: ${message}` };
      this.#stream.tell({ type: 'leaving', runner });
      this.#stream.tell({ type: 'exit', runner, overMemory: false, error });
      return;
    }
    this.#watching ??= setInterval(() => {
      for (const each of this.#runners.values()) each.watchMemory();
    }, MEMORY_EVERY_MS);
  }

  #gone(runner: number): void {
    this.#runners.delete(runner);
    if (this.#runners.size > 0) return;
    clearInterval(this.#watching);
    this.#watching = undefined;
    if (this.#ending) this.#leave();
  }

  #receive({ file, ending, code }: Extract<ToBridge, { type: 'file' }>): void {
    const folder = join(this.#options.folder, code ? join('node_modules', '.bundles') : 'files');
    const path = join(folder, `${file}${ending.replaceAll(/[^.a-z0-9]/gi, '')}`);
    const coming: Coming = { path, fd: undefined, error: undefined };
    this.#coming.set(file, coming);
    try {
      coming.fd = openSync(path, 'w', 0o600);
    } catch (error) {
      coming.error = error;
    }
  }

  /** Written at once: what comes faster than the disk takes it waits in the stream. */
  #piece(file: number, bytes: Buffer): void {
    const coming = this.#coming.get(file);
    if (coming?.fd === undefined || coming.error !== undefined) return;
    try {
      for (let at = 0; at < bytes.length; ) at += writeSync(coming.fd, bytes, at);
    } catch (error) {
      coming.error = error;
    }
  }

  #received(file: number): void {
    const coming = this.#coming.get(file);
    if (coming === undefined) return;
    this.#coming.delete(file);
    const { path, fd } = coming;
    if (fd !== undefined) closeSync(fd);
    if (coming.error === undefined) {
      this.#files.set(file, path);
      this.#stream.tell({ type: 'kept', file, path });
      return;
    }
    rmSync(path, { force: true });
    const { code, message } = asPolaronError(coming.error, 'DISK_FULL');
    this.#stream.tell({ type: 'not-kept', file, error: { code, message } });
  }

  #drop(file: number): void {
    const path = this.#files.get(file);
    this.#files.delete(file);
    if (path !== undefined) rmSync(path, { force: true });
  }

  #end(): void {
    if (this.#ending) return;
    this.#ending = true;
    clearInterval(this.#watching);
    for (const { fd } of this.#coming.values()) if (fd !== undefined) closeSync(fd);
    for (const runner of this.#runners.values()) runner.kill('SIGKILL');
    if (this.#runners.size === 0) this.#leave();
  }

  #leave(): void {
    this.#roster.close();
    this.#stream.close();
    rmSync(this.#options.folder, { recursive: true, force: true });
    this.#over.resolve();
  }
}

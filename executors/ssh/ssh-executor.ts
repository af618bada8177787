/**
 * The executor `ssh`: a pool of runners for each host that electrons name, kept as long as there is work for it and a while longer.
 * Not here: how runners get there (ssh-host.ts, remote/), who gets what (process/pool.ts).
 */
import { createHash } from 'node:crypto';
import { execFile } from 'node:child_process';
import { join } from 'node:path';
import type { Timer } from '../../model/clock.ts';
import { asPolaronError, PolaronError } from '../../model/errors.ts';
import type { ExecutorFactory, ExecutorGround } from '../executor-ground.ts';
import { counted } from '../counted-attempt.ts';
import { refuse } from '../refused-attempt.ts';
import type { Executor, ExecutorEvents, ExecutorHandle, ExecutorTask } from '../executor.ts';
import { ProcessPool } from '../process/pool.ts';
import { remoteProgram } from '../remote/remote-program.ts';
import { remoteRunners } from '../remote/remote-runner.ts';
import { SshHost } from './ssh-host.ts';
import { VisitedHosts } from './visited-hosts.ts';
import { checkSshOptions, type SshOptions } from './ssh-options.ts';

/** A host without work is let go after this. */
const IDLE_MS = 10 * 60 * 1_000;
const HASH_CHARS = 12;

export const SSH = 'ssh';

/** A host as it is reached, and its pools: runners of another environment or number are other ones, over the same connection. */
interface Place {
  readonly key: string;
  readonly host: SshHost;
  readonly pools: Map<string, ProcessPool>;
  active: number;
  idle: Timer | undefined;
}

export class SshExecutor implements Executor {
  readonly name = SSH;
  /** Over there an electron outlives its agent's lease. */
  readonly handsAway = true;
  readonly #ground: ExecutorGround;
  readonly #program: string;
  readonly #places = new Map<string, Place>();
  /** Those that are being let go. */
  readonly #leaving = new Map<string, Promise<void>>();
  readonly #visited: VisitedHosts;
  /** The pool that was used last. */
  #latest: ProcessPool | undefined;

  constructor(ground: ExecutorGround, program = 'ssh') {
    this.#ground = ground;
    this.#program = program;
    this.#visited = new VisitedHosts(join(ground.stateDir, 'ssh-hosts.json'), (error) =>
      ground.log('warn', `executor "ssh": a host can't be noted: ${String(error)}`),
    );
  }

  /** Rejects with EXECUTOR_SETUP where there is no `ssh`. */
  async setUp(): Promise<void> {
    remoteProgram('ssh');
    await this.#tryProgram();
    for (const options of this.#visited.earlier) void this.#cleanUp(options);
  }

  /** Whatever connects ends what an earlier life has left there (A5). One that isn't there now ends it by itself, a lease later. */
  async #cleanUp(left: object): Promise<void> {
    try {
      const place = this.#placeOf(checkSshOptions({ ...left }));
      await place.host.link();
      if (place.active === 0) this.#letGo(place);
    } catch (error) {
      const { message } = asPolaronError(error, 'SSH_UNREACHABLE');
      this.#ground.log('warn', `executor "ssh": what an earlier life may have left can't be ended now: ${message}`);
    }
  }

  #tryProgram(): Promise<void> {
    return new Promise((resolve, reject) => {
      execFile(this.#program, ['-V'], (error) => {
        if (error === null) resolve();
        else
          reject(
            new PolaronError('EXECUTOR_SETUP', `${this.#program} -V: ${error.message}; install an OpenSSH client`),
          );
      });
    });
  }

  start(task: ExecutorTask, events: ExecutorEvents): ExecutorHandle {
    const { name, executorOptions } = task.electron;
    let options: SshOptions;
    try {
      options = checkSshOptions(executorOptions);
    } catch (error) {
      const { code, message } = asPolaronError(error, 'EXECUTOR_OPTION');
      return refuse(this.#ground.clock, events, { code, message: `electron "${name}": ${message}` });
    }
    if (task.code.deps !== undefined) {
      const message = `electron "${name}": its deps are installed on the agent's machine, and it runs on host ${options.host}; install them there, or use executor "process"`;
      return refuse(this.#ground.clock, events, { code: 'DEPS_REFUSED', message });
    }
    const place = this.#placeOf(options);
    const pool = this.#poolOf(place, options);
    this.#latest = pool;
    return this.#counted(place, events, (heard) => pool.start(task, heard));
  }

  roomChanged(): void {
    for (const { pools } of this.#places.values()) for (const pool of pools.values()) pool.roomChanged();
  }

  typicalMs(): number | undefined {
    return this.#latest?.typicalMs();
  }

  /** Of the ssh processes at work. */
  connectionPids(): readonly number[] {
    return [...this.#places.values()].flatMap(({ host }) => host.connectionPid ?? []);
  }

  async stop(): Promise<void> {
    const places = [...this.#places.values()];
    this.#places.clear();
    await Promise.all([...places.map((place) => this.#leave(place)), ...this.#leaving.values()]);
  }

  #placeOf(options: SshOptions): Place {
    const { env: _env, slots: _slots, ...way } = options;
    const key = keyOf(way);
    const known = this.#places.get(key);
    if (known !== undefined) return known;
    const { clock, log, life, site, agent } = this.#ground;
    const after = this.#leaving.get(key);
    const host = new SshHost({
      ...(after === undefined ? {} : { after }),
      host: options,
      agent: hashOf(`${site}.${agent}.${life.id}`),
      boot: life.epoch,
      way: hashOf(key),
      clock,
      log,
      program: this.#program,
    });
    const place: Place = { key, host, pools: new Map(), active: 0, idle: undefined };
    this.#places.set(key, place);
    this.#visited.add(key, way);
    return place;
  }

  #poolOf({ host, pools }: Place, options: SshOptions): ProcessPool {
    const { env = {}, slots = this.#ground.slots } = options;
    const key = keyOf({ env, slots });
    let pool = pools.get(key);
    if (pool !== undefined) return pool;
    const { clock, graceMs, scratchDir, start } = this.#ground;
    pool = new ProcessPool({
      name: SSH,
      slots,
      graceMs,
      clock,
      scratchDir,
      spare: false,
      start,
      run: remoteRunners({ link: () => host.link(), env: () => env }),
    });
    pools.set(key, pool);
    return pool;
  }

  #counted(place: Place, events: ExecutorEvents, begin: (events: ExecutorEvents) => ExecutorHandle): ExecutorHandle {
    place.idle?.cancel();
    place.active++;
    const over = (): void => {
      place.active--;
      if (place.active > 0) return;
      place.idle = this.#ground.clock.after(IDLE_MS, () => this.#letGo(place));
    };
    return counted(events, over, begin);
  }

  #letGo(place: Place): void {
    if (place.active > 0) return;
    this.#places.delete(place.key);
    const leaving = this.#leave(place).finally(() => {
      if (this.#leaving.get(place.key) === leaving) this.#leaving.delete(place.key);
    });
    this.#leaving.set(place.key, leaving);
  }

  async #leave({ key, host, pools, idle }: Place): Promise<void> {
    idle?.cancel();
    // a pool whose host can't be reached would wait for the ends of its runners
    const [clean] = await Promise.all([host.close(), ...[...pools.values()].map((pool) => pool.stop())]);
    if (clean && !this.#places.has(key)) this.#visited.remove(key);
  }
}

const keyOf = (options: object): string =>
  JSON.stringify(Object.entries(options).toSorted(([a], [b]) => (a < b ? -1 : 1)));
const hashOf = (text: string): string => createHash('sha256').update(text).digest('hex').slice(0, HASH_CHARS);

export const sshExecutor: ExecutorFactory = (ground) => new SshExecutor(ground);

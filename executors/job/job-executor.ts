/**
 * An executor of jobs on its agent: which jobs there are, when they are looked at and asked about, which of them an earlier life left. One timer and one `poll` for all of them.
 * Not here: one job (job-run.ts), what its author writes (definition.ts).
 */
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import type { Timer } from '../../model/clock.ts';
import type { Executor, ExecutorEvents, ExecutorHandle, ExecutorTask, FoundTask } from '../executor.ts';
import type { ExecutorFactory, ExecutorGround } from '../executor-ground.ts';
import { RUNNER_MARK } from '../process/runner-roster.ts';
import { programArgs } from '../program.ts';
import { isLast } from '../runner/messages.ts';
import type { CustomExecutor, ExecutorAgent, ExecutorDefinition, JobState } from './definition.ts';
import { jobName, readHandle, readIntents, removeJob, type Intent } from './job-folder.ts';
import type { JobHome } from './job-home.ts';
import { JobRun } from './job-run.ts';
import { spawnJob } from './job-spawn.ts';
import { OutcomeReader } from './outcome-reader.ts';

const LOOK_MS = 250;
/** Of very many each is looked at less often: a look opens files, maybe on a disk behind a network. */
const LOOK_EACH_MS = 1;
const POLL_MS = 2_000;
/** Jobs are asked about soon after something happened, but not each by itself. */
const SOON_MS = 100;
/** How long its author's code may take. */
const SETUP_MS = 30_000;
const POLL_WAIT_MS = 60_000;

/** For an agent's list of executors. */
export const jobExecutor =
  (custom: CustomExecutor): ExecutorFactory =>
  (ground) =>
    custom.use((definition) => new JobExecutor(definition, ground));

class JobExecutor<O, S> implements Executor {
  readonly name: string;
  readonly handsAway = true;
  readonly #definition: ExecutorDefinition<O, S>;
  readonly #ground: ExecutorGround;
  readonly #root: string;
  readonly #agent: ExecutorAgent;
  readonly #runs = new Map<string, JobRun<O, S>>();
  #home: JobHome<O, S> | undefined;
  #left: readonly { readonly dir: string; readonly intent: Intent }[] = [];
  #looking: Timer | undefined;
  #polling: Timer | undefined;
  #pollAt = Number.POSITIVE_INFINITY;
  #asking = false;
  #turn: Promise<void> = Promise.resolve();
  #stopped = false;

  constructor(definition: ExecutorDefinition<O, S>, ground: ExecutorGround) {
    this.name = definition.name;
    this.#definition = definition;
    this.#ground = ground;
    this.#root = join(ground.jobsDir, definition.name);
    const { site, agent, slots, start, log } = ground;
    this.#agent = {
      site,
      name: agent,
      slots,
      settings: ground.settings ?? {},
      folder: join(this.#root, 'shared'),
      env: start.env,
      log: (level, message) => log(level, `executor ${this.name}: ${message}`, {}),
    };
  }

  async setUp(): Promise<void> {
    mkdirSync(this.#agent.folder, { recursive: true, mode: 0o700 });
    const shared = await this.#within(SETUP_MS, 'setup', this.#definition.setup(this.#agent));
    const { start, clock, graceMs } = this.#ground;
    this.#home = {
      definition: this.#definition,
      shared,
      polls: this.#definition.poll !== undefined,
      ground: this.#ground,
      agent: this.#agent,
      settings: { maxValueBytes: start.maxValueBytes, graceMs, agent: start.agent },
      command: (folder, memoryMb) => [
        start.nodePath,
        '--enable-source-maps',
        ...(memoryMb === undefined ? [] : [`--max-old-space-size=${Math.max(16, Math.floor(memoryMb))}`]),
        ...programArgs('executors/runner/job'),
        folder,
      ],
      env: () =>
        this.#definition.poll === undefined ? { ...start.env, [RUNNER_MARK]: start.roster.nextMark() } : start.env,
      spawn: (o) => spawnJob({ ...o, clock, graceMs, roster: start.roster }),
      pollSoon: () => this.#pollIn(SOON_MS),
      over: (dir) => void this.#runs.delete(dir),
    };
    this.#left = this.#findLeft();
  }

  found(): readonly FoundTask[] {
    return this.#left.map(({ intent }) => intent);
  }

  resume({ task, token }: FoundTask, events: ExecutorEvents): ExecutorHandle {
    const name = jobName(task, token);
    const left = this.#left.find(({ intent }) => intent.name === name);
    const home = this.#home;
    if (left === undefined || home === undefined) throw new Error(`job ${name} was not found`);
    const run = new JobRun(home, left.intent, left.dir, events);
    this.#add(run);
    void run.goOn(readHandle(left.dir));
    return run;
  }

  start(work: ExecutorTask, events: ExecutorEvents): ExecutorHandle {
    const home = this.#home;
    if (home === undefined) throw new Error(`executor ${this.name} was not set up`);
    const { task, token, inputsDigest, holds, takes, electron, dispatch, timeoutMs } = work;
    const { memoryMb } = electron;
    const name = jobName(task, token);
    const intent: Intent = {
      name,
      task,
      token,
      inputsDigest,
      ...(holds === undefined ? {} : { holds }),
      ...(takes === undefined ? {} : { takes }),
      dispatch,
      electron: electron.name,
      options: electron.executorOptions ?? {},
      ...(memoryMb === undefined ? {} : { memoryMb }),
      timeoutMs,
      silenceMs: electron.timeouts.silenceMs,
      at: this.#ground.clock.now(),
    };
    const run = new JobRun(home, intent, join(this.#root, 'jobs', name), events);
    this.#add(run);
    // one after the other, with what else there is to do in between
    this.#turn = this.#turn.then(() => new Promise<void>((next) => setImmediate(next))).then(() => run.begin(work));
    return run;
  }

  typicalMs(): undefined {
    return undefined;
  }

  async stop(): Promise<void> {
    this.#stopped = true;
    this.#looking?.cancel();
    this.#polling?.cancel();
    await Promise.all([...this.#runs.values()].map((run) => run.drop()));
    this.#runs.clear();
    const home = this.#home;
    if (home === undefined) return;
    try {
      await this.#within(this.#ground.graceMs, 'teardown', this.#definition.teardown?.(home.shared));
    } catch (error) {
      this.#agent.log('warn', `teardown: ${error instanceof Error ? error.message : String(error)}`);
    }
  }

  /** Without `poll` only what has ended can be taken up. */
  #findLeft(): readonly { readonly dir: string; readonly intent: Intent }[] {
    return readIntents(join(this.#root, 'jobs'), (name, why) =>
      this.#agent.log('warn', `the folder of job ${name} stays: ${why}`),
    ).filter(({ dir }) => {
      if (this.#definition.poll !== undefined || hasEnded(dir)) return true;
      removeJob(dir);
      return false;
    });
  }

  #add(run: JobRun<O, S>): void {
    this.#runs.set(run.dir, run);
    if (this.#looking === undefined) this.#look();
    if (this.#definition.poll !== undefined) this.#pollIn(this.#pollMs);
  }

  /** Rejects when it takes longer. */
  async #within<T>(ms: number, what: string, work: T | Promise<T>): Promise<T> {
    let timer: Timer | undefined;
    const late = new Promise<never>((_, reject) => {
      timer = this.#ground.clock.after(ms, () => reject(new Error(`${what} took longer than ${ms / 1_000} s`)));
    });
    try {
      return await Promise.race([work, late]);
    } finally {
      timer?.cancel();
    }
  }

  get #pollMs(): number {
    return this.#definition.pollMs ?? POLL_MS;
  }

  #look(): void {
    this.#looking = this.#ground.clock.after(Math.max(LOOK_MS, this.#runs.size * LOOK_EACH_MS), () => {
      this.#looking = undefined;
      for (const run of this.#runs.values()) {
        run.look();
        run.tell();
      }
      if (this.#runs.size > 0 && !this.#stopped) this.#look();
    });
  }

  #pollIn(ms: number): void {
    const at = this.#ground.clock.monotonic() + ms;
    if (this.#stopped || this.#asking || at >= this.#pollAt) return;
    this.#polling?.cancel();
    this.#pollAt = at;
    this.#polling = this.#ground.clock.after(ms, () => {
      this.#pollAt = Number.POSITIVE_INFINITY;
      void this.#poll();
    });
  }

  async #poll(): Promise<void> {
    const home = this.#home;
    const definition = this.#definition;
    const asked = [...this.#runs.values()].flatMap((run) => {
      const job = run.submitted;
      return job === undefined ? [] : [{ run, job }];
    });
    if (home === undefined || definition.poll === undefined) return;
    this.#asking = true;
    try {
      if (asked.length > 0) {
        const jobs = asked.map(({ job }) => job);
        const states = await this.#within(POLL_WAIT_MS, 'poll', definition.poll(jobs, home.shared));
        for (const { run, job } of asked) run.told(states.get(job.name) ?? UNKNOWN);
      }
    } catch (error) {
      this.#agent.log(
        'warn',
        `its jobs can't be asked about: ${error instanceof Error ? error.message : String(error)}`,
      );
    }
    this.#asking = false;
    if (this.#runs.size > 0) this.#pollIn(this.#pollMs);
  }
}

const UNKNOWN: JobState = { state: 'unknown' };

/** Its runner has written the end. */
function hasEnded(dir: string): boolean {
  let ended = false;
  try {
    new OutcomeReader(dir, (message) => {
      ended ||= isLast(message);
    }).readToEnd();
  } catch {
    return false;
  }
  return ended;
}

/** The executor `ssh` on a bench: an sshd of its own as the host, whose cache folder is in the bench's. */
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { ExecutorGround } from '../../executors/executor-ground.ts';
import { startTimeOf } from '../../executors/process/process-table.ts';
import { SshExecutor } from '../../executors/ssh/ssh-executor.ts';
import { makeLogList, type LogList } from './log-list.ts';
import { openPoolBench, type Asked, type PoolBench, type Started } from './pool-bench.ts';
import { startSshd, type Sshd } from './sshd.ts';
import { until } from './until.ts';

export interface SshBench {
  readonly bench: PoolBench;
  readonly sshd: Sshd;
  readonly logs: LogList;
  /** Of the agent's life that `renew` gives the next number. */
  readonly executor: SshExecutor;
  /** What an electron says to get to the host. */
  readonly options: Readonly<Record<string, unknown>>;
  /** Where the host keeps Polaron's things. */
  readonly cache: string;
  start(electron: string, args?: readonly unknown[], more?: Readonly<Record<string, unknown>>, asked?: Asked): Started;
  /** As a restarted agent would: the earlier one isn't stopped. */
  renew(): SshExecutor;
  /** Processes that the host's daemons are, by pid. */
  daemons(): readonly number[];
  close(): Promise<void>;
}

/** `program`: sshd; `ssh`: what the agent takes for ssh. */
export async function openSshBench(program: string, slots = 4, ssh?: string): Promise<SshBench> {
  const bench = openPoolBench(slots);
  const cache = join(bench.dir, 'cache', 'polaron');
  const sshd = await startSshd(program, { XDG_CACHE_HOME: join(bench.dir, 'cache'), FLAVOUR: 'theirs' });
  const logs = makeLogList();
  const { clock, graceMs, scratchDir, start } = bench.options;
  const all: SshExecutor[] = [];
  const renew = (): SshExecutor => {
    const ground: ExecutorGround = {
      site: 's1',
      agent: 'a1',
      stateDir: bench.dir,
      life: { id: 'bench', epoch: all.length + 1 },
      slots,
      room: () => slots,
      graceMs,
      clock,
      log: logs.log,
      scratchDir,
      jobsDir: join(bench.dir, 'jobs'),
      start,
      spare: false,
    };
    const executor = new SshExecutor(ground, ssh);
    all.push(executor);
    return executor;
  };
  let executor = renew();
  const daemons = (): readonly number[] => {
    const run = join(cache, 'run');
    if (!existsSync(run)) return [];
    return readdirSync(run, { recursive: true, encoding: 'utf8' })
      .filter((name) => name.endsWith('/daemon'))
      .map((name) => recordIn(join(run, name)))
      .flatMap(([pid, at]) => (startTimeOf(Number(pid)) === at ? [Number(pid)] : []));
  };
  const { port, user, identityFile, knownHosts } = sshd;
  const options = { host: '127.0.0.1', port, user, identityFile, knownHosts };
  return {
    bench,
    sshd,
    logs,
    get executor() {
      return executor;
    },
    options,
    cache,
    start: (electron, args = [], more = {}, asked = {}) =>
      bench.start(executor, electron, args, {
        ...asked,
        electron: { executorOptions: { ...options, ...more }, ...asked.electron },
      }),
    renew: () => (executor = renew()),
    daemons,
    close: async () => {
      await Promise.all(all.map((each) => each.stop()));
      // their last act is to say goodbye
      await until(() => daemons().length === 0, 'no daemon is left on the host', 20_000);
      await sshd.close();
      bench.close();
    },
  };
}

/** Pid and start time of a daemon; nothing when it has just left. */
function recordIn(file: string): readonly string[] {
  try {
    return readFileSync(file, 'utf8').split(' ');
  } catch {
    return [];
  }
}

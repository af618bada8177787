/** A hub for the bench, started as a user starts one, in a home of its own, with its agents. Not responsible for the bus that it may join. */
import { mkdtemp, rm } from 'node:fs/promises';
import { availableParallelism, tmpdir } from 'node:os';
import { join } from 'node:path';
import { type BenchAgent, joinAgent } from './hub-agent.ts';
import { stopWhenInterrupted } from './openings.ts';
import { polaron } from './polaron.ts';
import { field } from './field.ts';
import { collectableEnvironment, cpuSeconds, rssAnonMiB, settledMiB } from './hub-process.ts';

export interface HubWishes {
  /** Agents in all; the first is the hub's own. 0: none. */
  readonly agents?: number;
  /** Electrons that each of them runs at once; default: the cores, shared out among the agents. */
  readonly slots?: number;
  /** More options of `polaron start`. */
  readonly options?: readonly string[];
  /** Its garbage can be collected from outside: see `settledMiB`. */
  readonly collectable?: boolean;
}

export interface BenchHub {
  readonly home: string;
  readonly pid: number;
  readonly slotsOfEach: number;
  /** From the call of `polaron start` to its return: ready, its own agent joined. */
  readonly startMs: number;
  /** Anonymous memory of the hub's process in MiB; undefined where /proc isn't. */
  rssAnonMiB(): number | undefined;
  /** The same, once its garbage is collected. Raises Error when that takes 30 s, and for a hub that isn't collectable. */
  settledMiB(): Promise<number>;
  /** User and system time of its process, all threads; undefined where /proc isn't. */
  cpuSeconds(): number | undefined;
  /** Runs `polaron` with these arguments in its home; what it printed. Raises Error with what it said when it fails. */
  run(args: readonly string[]): Promise<string>;
  /** One more agent, as a user would join one, which offers these capabilities. */
  join(name: string, slots: number, capabilities?: readonly string[]): Promise<void>;
  /** Stops it and its agents, and starts them again on the same data. */
  restart(): Promise<BenchHub>;
  /** Starts it on the same data after it was killed; its own agent may have lived on. Raises Error where it has others. */
  startAgain(): Promise<BenchHub>;
  /** Stops it and its agents, and removes its home. */
  stop(): Promise<void>;
}

/** Starts a hub with an embedded broker, or on the bus at `bus`; one agent unless others are wished for. Raises Error with what `polaron start` said. */
export async function startHub(bus: string | undefined, wishes: HubWishes = {}): Promise<BenchHub> {
  const home = await mkdtemp(join(tmpdir(), 'polaron-bench-'));
  try {
    return await startIn(home, bus, wishes, []);
  } catch (error) {
    await rm(home, { recursive: true, force: true });
    throw error;
  }
}

/** `crew`: what has joined, of all the lives of this home's hub. */
async function startIn(
  home: string,
  bus: string | undefined,
  wishes: HubWishes,
  crew: BenchAgent[],
): Promise<BenchHub> {
  const { agents = 1, options = [] } = wishes;
  const slots = wishes.slots ?? Math.max(1, Math.floor(availableParallelism() / Math.max(1, agents)));
  const own = agents === 0 ? ['--no-agent'] : [`--slots=${slots}`];
  const env = wishes.collectable === true ? collectableEnvironment : {};
  const began = performance.now();
  const onBus = bus === undefined ? [] : ['--bus', bus];
  await polaron(home, ['start', '--detach', '--json', ...onBus, ...own, ...options], env);
  const startMs = performance.now() - began;
  const run = (args: readonly string[]): Promise<string> => polaron(home, args);
  const join: BenchHub['join'] = async (name, count, capabilities = []) => {
    crew.push(await joinAgent({ home, bus, run }, name, count, capabilities));
  };
  const halt = async (): Promise<void> => {
    await Promise.all(crew.splice(0).map((agent) => agent.stop()));
    await run(['stop']);
  };
  try {
    for (let n = 2; n <= agents; n++) {
      stopWhenInterrupted();
      await join(`bench-${n}`, slots);
    }
    const pid = numberIn(JSON.parse(await run(['status', '--json'])), 'pid');
    return {
      home,
      pid,
      slotsOfEach: slots,
      startMs,
      run,
      join,
      rssAnonMiB: () => rssAnonMiB(pid),
      settledMiB: () => {
        if (wishes.collectable !== true) throw new Error('this hub was not started collectable');
        return settledMiB(home, pid);
      },
      cpuSeconds: () => cpuSeconds(pid),
      async restart() {
        await halt();
        return startIn(home, bus, wishes, crew);
      },
      async startAgain() {
        if (crew.length > 0) throw new Error('a hub with further agents is not started again: their bus is another');
        return startIn(home, bus, wishes, crew);
      },
      async stop() {
        await halt();
        await rm(home, { recursive: true, force: true });
      },
    };
  } catch (error) {
    await halt();
    throw error;
  }
}

function numberIn(document: unknown, key: string): number {
  const value = field(document, key);
  if (typeof value !== 'number') throw new Error(`polaron status --json has no number "${key}"`);
  return value;
}

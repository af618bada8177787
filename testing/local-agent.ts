/** An agent of a test hub over its lives: the real one, on a disk that a kill of its process loses nothing of. Not here: running electrons (local-executor.ts). */
import { join } from 'node:path';
import type { BrokerCore } from '../bus/broker/core.ts';
import { agentIdentity } from '../bus/identity.ts';
import type { Subjects } from '../bus/subjects.ts';
import { startAgent, type RunningAgent } from '../executors/agent/agent.ts';
import { folderShelf } from '../executors/agent/folder-shelf.ts';
import type { DepsInstaller } from '../executors/deps/dependencies.ts';
import { Executors } from '../executors/agent/executors.ts';
import type { AgentGround } from '../executors/agent/ground.ts';
import type { ResolvedAgent } from '../executors/agent/options.ts';
import type { SpoolFile } from '../executors/agent/spool-file.ts';
import type { StateFolder } from '../executors/agent/state-folder.ts';
import type { Clock } from '../model/clock.ts';
import { defaults } from '../model/defaults.ts';
import { needsOf } from '../model/lepton.ts';
import type { Log } from '../model/log.ts';
import { connectLocal, type LocalBus } from './local-bus.ts';
import { besides, LocalExecutor } from './local-executor.ts';
import type { LocalExecutorOptions } from './local-run.ts';
import type { TestAgent } from './test-hub.ts';

/** What electrons ask for is what the test's process has. */
const NO_DEPS: DepsInstaller = {
  obtain: () => Promise.resolve({ installed: { key: 'test', dir: '', env: {} }, giveBack: () => undefined }),
};
const SITE = 'local';
/** After a lease the hub has looked at its agents. */
const LOOK_MS = 1_000;

export interface LocalAgentOptions extends Omit<LocalExecutorOptions, 'clock' | 'scratchDir'> {
  readonly core: BrokerCore;
  readonly subjects: Subjects;
  readonly folder: string;
  readonly random: () => number;
  readonly log: Log;
  readonly fail: (error: Error) => void;
}

/** One process of the agent: once it is dead its timers never come. */
interface Life {
  readonly process: { alive: boolean };
  readonly line: LocalBus;
  readonly agent: RunningAgent;
  readonly executor: LocalExecutor;
}

export class LocalAgent implements TestAgent {
  readonly name: string;
  readonly #o: LocalAgentOptions;
  #life: Life | undefined;
  #lives = 0;
  #history = '';
  readonly #spool = spoolInMemory();

  constructor(options: LocalAgentOptions) {
    this.#o = options;
    this.name = options.agent;
  }

  get alive(): boolean {
    return this.#life?.process.alive === true;
  }

  /** Rejects when the hub refuses it. */
  get joined(): Promise<void> {
    return this.#life?.agent.joined ?? Promise.resolve();
  }

  async start(): Promise<void> {
    const { agent: name, core, subjects, slots, folder, timeline, log, random, play } = this.#o;
    const epoch = ++this.#lives;
    const process = { alive: true };
    const clock: Clock = {
      now: () => timeline.now(),
      monotonic: () => timeline.monotonic(),
      after: (ms, callback, kind) => timeline.after(ms, () => (process.alive ? callback() : undefined), kind),
    };
    const line = await connectLocal(core, agentIdentity(SITE, name), log);
    const executor = new LocalExecutor({ ...this.#o, clock, scratchDir: join(folder, 'scratch') });
    const agent = await startAgent(
      {
        bus: line.bus,
        subjects,
        site: SITE,
        name,
        slots,
        capabilities: [executor.name, ...needsOf('python'), ...(play.offers ?? [])],
        stateDir: folder,
        clock,
        log,
        version: 'test',
        random,
        instance: `${name}-${epoch}`,
        spareRunner: false,
      },
      (resolved) => this.#ground(resolved, epoch, executor),
    );
    void agent.ended.then((why) => {
      if (process.alive && why !== 'stopped')
        this.#o.fail(new Error(`the agent "${name}" of the test hub ended: ${why}`));
    });
    this.#life = { process, line, agent, executor };
  }

  kill(): void {
    const life = this.#life;
    if (life?.process.alive !== true) return;
    life.process.alive = false;
    life.line.cut();
    void life.line.bus.close();
    life.executor.kill();
    this.#noticed();
  }

  async restart(): Promise<void> {
    this.kill();
    await this.start();
  }

  disconnect(): void {
    this.#life?.line.cut();
    this.#noticed();
  }

  reconnect(): void {
    if (this.alive) this.#life?.line.heal();
  }

  /** The hub counts its silence from now on: time mustn't be passed over. */
  #noticed(): void {
    this.#o.timeline.closely(defaults.leaseMs + LOOK_MS);
  }

  #ground({ dir }: ResolvedAgent, epoch: number, executor: LocalExecutor): AgentGround {
    const folder: StateFolder = {
      dir: this.#o.folder,
      id: `test-${this.name}`,
      epoch,
      history: this.#history,
      setEpoch: (to) => {
        this.#lives = Math.max(this.#lives, to);
      },
      setHistory: (history) => {
        this.#history = history;
      },
      release: () => undefined,
    };
    return {
      folder,
      spool: this.#spool,
      values: folderShelf(dir.values),
      cache: folderShelf(dir.cache),
      bundles: folderShelf(dir.bundles),
      executors: new Executors(() => [executor, ...besides(executor)], this.#o.log),
      deps: NO_DEPS,
      close: () => undefined,
    };
  }
}

function spoolInMemory(): SpoolFile {
  let content: Uint8Array = new Uint8Array();
  return {
    name: 'spool',
    read: () => content,
    append: (bytes) => void (content = Buffer.concat([content, bytes])),
    truncate: (length) => void (content = content.slice(0, length)),
    replace: (bytes) => void (content = bytes.slice()),
    close: () => undefined,
  };
}

/** One agent over its lives: started, killed, cut off from power, drained, started again. The agent itself is the real one. */
import { Executors } from '../../../executors/agent/executors.ts';
import { refuseDeps } from '../../../executors/deps/dependencies.ts';
import { agentIdentity } from '../../../bus/identity.ts';
import type { Subjects } from '../../../bus/subjects.ts';
import type { RunningAgent } from '../../../executors/agent/agent.ts';
import { startAgent } from '../../../executors/agent/agent.ts';
import type { Log } from '../../../model/log.ts';
import { AgentFolder } from './agent-folder.ts';
import type { History } from './history.ts';
import type { Machine, SimProcess } from './machine.ts';
import type { ElectronPlan } from './plan.ts';
import type { Rng } from './random.ts';
import type { Network } from './sim-bus.ts';
import { Runners, SimExecutor } from './sim-executor.ts';

/** After it was refused: somebody looks, and starts it again when the name is free. */
const OPERATOR_MS = 2_000;
/** After an electron took it along. */
const REVIVED_MS = 300;
export const SITE = 'lab';

export interface AgentHostOptions {
  readonly name: string;
  /** In histories and faults; another than `name` for a second agent of that name. */
  readonly client: string;
  readonly slots: number;
  readonly machine: Machine;
  readonly network: Network;
  readonly subjects: Subjects;
  readonly history: History;
  readonly random: Rng;
  readonly does: ReadonlyMap<string, ElectronPlan>;
  readonly heartbeatMs: number;
  readonly log: Log;
  /** May it be started again after it was refused? */
  readonly wanted: () => boolean;
}

export class AgentHost {
  readonly o: AgentHostOptions;
  readonly folder: AgentFolder;
  readonly runners = new Runners();
  agent: RunningAgent | undefined;
  #process: SimProcess | undefined;
  #lives = 0;

  constructor(options: AgentHostOptions) {
    this.o = options;
    this.folder = new AgentFolder(options.client);
  }

  get alive(): boolean {
    return this.#process?.alive === true;
  }

  start(): void {
    if (this.alive) return;
    const { o, folder, runners } = this;
    const process = o.machine.start(`${o.client}#${++this.#lives}`);
    this.#process = process;
    o.history.add({ type: 'life', who: o.client, what: 'begins' });
    const identity = agentIdentity(SITE, o.name);
    const options = {
      bus: o.network.connect(process, identity, o.client),
      subjects: o.subjects,
      site: SITE,
      name: o.name,
      slots: o.slots,
      capabilities: ['process'],
      stateDir: folder.id,
      clock: process.clock,
      log: o.log,
      version: '0.0.0',
      heartbeatMs: o.heartbeatMs,
      graceMs: 1_000,
      random: o.random.fraction,
      instance: `boot-${o.client}-${this.#lives}`,
    };
    const open = () => {
      const state = folder.open(process);
      // A5
      runners.kill();
      const executor = new SimExecutor({
        agent: o.client,
        slots: o.slots,
        process,
        folder,
        runners,
        history: o.history,
        random: o.random,
        does: o.does,
        killAgent: () => this.#taken(),
      });
      return {
        folder: state,
        spool: folder.spool(process),
        values: folder.shelf(process, 'values'),
        cache: folder.shelf(process, 'cache'),
        bundles: folder.shelf(process, 'bundles'),
        executors: new Executors(() => [executor], o.log),
        deps: refuseDeps(o.name),
        close: () => undefined,
      };
    };
    void startAgent(options, open).then((agent) => this.#started(process, agent));
  }

  #started(process: SimProcess, agent: RunningAgent): void {
    this.agent = agent;
    const { o } = this;
    agent.joined.then(
      () => o.history.add({ type: 'life', who: o.client, what: 'joined' }),
      () => undefined,
    );
    void agent.ended.then((why) => {
      o.history.add({ type: 'life', who: o.client, what: 'leaves', why });
      process.kill();
      if (why === 'name-taken' || why === 'superseded') this.#again();
    });
  }

  #again(): void {
    this.o.machine.timeline.after(OPERATOR_MS, () => {
      if (this.o.wanted()) this.start();
      else this.#again();
    });
  }

  /** SIGKILL. Its runners go with it, unless their guardian was killed, too. */
  kill(why = 'killed'): void {
    if (!this.alive) return;
    this.o.history.add({ type: 'life', who: this.o.client, what: 'dies', why });
    this.#process?.kill();
    if (this.o.random.chance(0.5)) this.runners.kill();
  }

  powerCut(): void {
    this.kill('power');
    this.runners.kill();
    this.folder.powerCut(this.o.random);
  }

  /** SIGTERM; it is started again `ms` after it has left. */
  drain(ms: number): void {
    const process = this.#process;
    if (process?.alive !== true) return;
    this.agent?.drain().then(
      () => this.o.machine.timeline.after(ms, () => this.start()),
      () => undefined,
    );
  }

  #taken(): void {
    this.kill();
    this.runners.kill();
    this.o.machine.timeline.after(REVIVED_MS, () => this.start());
  }
}

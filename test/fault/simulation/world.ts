/** One seed's world: its machines, network, hub, agents and client, put together by a plan and run until all is at rest. Judges nothing. */
import { makeSubjects } from '../../../bus/subjects.ts';
import { userIdentity } from '../../../bus/identity.ts';
import { digestOf } from '../../../bus/value/digest.ts';
import { parseTaskId, type Digest } from '../../../model/ids.ts';
import type { Log } from '../../../model/log.ts';
import type { ElectronRecord } from '../../../model/records.ts';
import { decodeElectron } from '../../../store/records.ts';
import { AgentHost } from './agent-host.ts';
import { crashAtRecords } from './crash-points.ts';
import { planFaults } from './faults.ts';
import { History } from './history.ts';
import { HubHost } from './hub-host.ts';
import { Machine } from './machine.ts';
import { agentName, quietAt, type ElectronPlan, type FaultKind, type RunPlan } from './plan.ts';
import { outerOf } from './inner-check.ts';
import { programsOf, type Home, type Program } from './programs.ts';
import { Rng } from './random.ts';
import { Network } from './sim-bus.ts';
import { SimClient, USER } from './sim-client.ts';
import { Timeline } from './timeline.ts';
import { Wire } from './wire.ts';

/** All must be at rest so long after the last fault, ms. */
const REST_MS = 240_000;
const LOOK_MS = 100;
/** Then what is left of leases ends; ms beyond two of them. */
const LAST_MS = 1_000;

export class World {
  /** As it turned out: with the faults whose time nobody knew before. */
  plan: RunPlan;
  readonly timeline = new Timeline();
  readonly history: History;
  readonly wire: Wire;
  readonly network: Network;
  readonly hub: HubHost;
  readonly agents: AgentHost[] = [];
  readonly client: SimClient;
  readonly programs: readonly Program[];
  readonly does: ReadonlyMap<string, ElectronPlan>;
  readonly homes: ReadonlyMap<string, Home>;
  readonly struck = new Map<FaultKind, number>();
  readonly #random: Rng;
  readonly #subjects = makeSubjects();
  readonly #log: Log;
  #steps = 0;

  constructor(plan: RunPlan, log: Log = () => undefined) {
    this.plan = plan;
    this.#log = log;
    this.#random = new Rng(plan.seed, 'run');
    const { timeline } = this;
    this.history = new History(() => timeline.now);
    this.wire = new Wire(this.history);
    this.network = new Network(timeline, this.#random.fork('net'), this.wire);
    const { does, homes, programs } = programsOf(plan);
    this.does = does;
    this.homes = homes;
    this.programs = programs;
    const { history, network } = this;
    const machine = new Machine('hub', timeline);
    const subjects = this.#subjects;
    this.hub = new HubHost({ plan, machine, network, subjects, history, random: this.#random.fork('hub'), log });
    plan.agents.forEach(({ slots, local }, i) => {
      const name = agentName(i);
      this.agents.push(this.#agent(name, name, slots, local ? machine : new Machine(name, timeline)));
    });
    const user = new Machine('user', timeline).start('kim');
    const bus = network.connect(user, userIdentity(USER), USER);
    const inner = (id: string): boolean => outerOf(this.hub.disk.content, id) !== undefined;
    const codes = (names: string): Readonly<Record<string, Digest>> =>
      Object.fromEntries(
        [...homes.keys()]
          .filter((name) => name.startsWith(`${names}e`) && !name.includes('@'))
          .map((name) => [name, digestOf(Buffer.from(name))]),
      );
    const o = { bus, process: user, subjects, history, random: this.#random.fork('client') };
    this.client = new SimClient({ ...o, inner, codes });
  }

  get steps(): number {
    return this.#steps;
  }

  /** Every electron's record on the disk. */
  *finalElectrons(): Generator<{ readonly key: string; readonly record: ElectronRecord }> {
    for (const { key, value } of this.hub.disk.content.range({ start: 'e/', end: 'e/~' }))
      yield { key, record: decodeElectron(value) };
  }

  #agent(name: string, client: string, slots: number, machine: Machine): AgentHost {
    const { plan, network, history, does } = this;
    const host: AgentHost = new AgentHost({
      name,
      client,
      slots,
      machine,
      network,
      subjects: this.#subjects,
      history,
      random: this.#random.fork(client),
      does,
      heartbeatMs: plan.heartbeatMs,
      log: this.#log,
      wanted: () => this.agents.every((other) => other === host || other.o.name !== name || !other.alive),
    });
    return host;
  }

  #schedule(): void {
    const { plan, timeline, network, client, hub, agents, history } = this;
    this.programs.forEach((program, index) =>
      timeline.after(program.again?.at ?? program.plan.at, () => client.dispatch(program, index)),
    );
    crashAtRecords(plan.crashes ?? [], hub, (fault) => {
      this.plan = { ...this.plan, faults: [...this.plan.faults, fault] };
      this.struck.set(fault.kind, (this.struck.get(fault.kind) ?? 0) + 1);
    });
    for (const cancel of plan.cancels) timeline.after(cancel.at, () => client.cancel(cancel));
    let assigns = 0;
    history.listen((entry) => {
      const [task] = entry.type === 'assign' && plan.cancelled.includes(++assigns) ? entry.tasks : [];
      if (task === undefined) return;
      const { dispatch, node } = parseTaskId(task.task);
      if (client.ids.includes(dispatch) || client.inner.includes(dispatch))
        timeline.after(0, () => client.cancelOf(dispatch, [node]));
    });
    const insider = network.connect(new Machine('insider', timeline).start('insider'), 'o.insider', 'insider');
    // four copies of what crashes a supervisor would fail its dispatch, as they should
    insider.calm = true;
    planFaults(plan.faults, {
      timeline,
      network,
      subjects: this.#subjects,
      history,
      hub,
      agents: new Map(agents.map((agent) => [agent.o.client, agent])),
      machineOf: (target) =>
        target === 'hub' ? hub.o.machine : agents.find(({ o }) => o.client === target)?.o.machine,
      twin: (name) => {
        const client = `${name}-twin${agents.length}`;
        const twin = this.#agent(name, client, 1, new Machine(client, timeline));
        agents.push(twin);
        twin.start();
      },
      ids: () => [...client.ids, ...client.inner],
      insider,
      struck: (kind) => this.struck.set(kind, (this.struck.get(kind) ?? 0) + 1),
    });
  }

  /** True: everything came to rest in time. */
  async run(): Promise<boolean> {
    const { timeline, plan } = this;
    timeline.own();
    try {
      this.network.up = !plan.embedded;
      this.hub.start();
      for (const agent of this.agents) agent.start();
      this.#schedule();
      const quiet = Math.max(
        quietAt(plan),
        ...[...plan.dispatches, ...(plan.redispatches ?? [])].map(({ at }) => at),
        ...plan.cancels.map(({ at }) => at),
      );
      let look = quiet;
      while (timeline.now < quiet + REST_MS) {
        this.#steps++;
        if (!(await timeline.step(quiet + REST_MS))) break;
        if (timeline.now < look) continue;
        look = timeline.now + LOOK_MS;
        if (!this.#atRest()) continue;
        await this.#until(timeline.now + 2 * plan.leaseMs + LAST_MS);
        this.client.agents();
        await this.#until(timeline.now + LAST_MS);
        return this.#atRest();
      }
      return false;
    } finally {
      timeline.release();
    }
  }

  async #until(time: number): Promise<void> {
    while (await this.timeline.step(time)) this.#steps++;
  }

  #atRest(): boolean {
    if (this.client.busy > 0 || !this.hub.alive) return false;
    return this.agents.every((host) => {
      const status = host.alive ? host.agent?.status() : undefined;
      return status === undefined || (status.unfinished === 0 && status.unacknowledged === 0 && status.joined);
    });
  }
}

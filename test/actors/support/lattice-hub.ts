/**
 * A lattice on the real supervisor, electron actors, result manager and a memory store; agents and matchmaker are played. What an electron gives
 * is decided by its name, so that a run can be stopped like a hub that lost its power, and compared with one that wasn't.
 */
import { ElectronActor } from '../../../actors/electron/electron.ts';
import { isElectronMessage } from '../../../actors/electron/messages.ts';
import { ReuseTables } from '../../../actors/lattice/reuse-table.ts';
import { LatticeSupervisor } from '../../../actors/lattice/supervisor.ts';
import { makeMoment } from '../../../actors/moment.ts';
import { valueCache } from '../../../actors/caches.ts';
import type { Message } from '../../../actors/system.ts';
import type { LatticeMessage, MatchmakerMessage } from '../../../bus/protocol/actors.ts';
import { encodeGraph } from '../../../bus/protocol/wire-graph.ts';
import { digestOf, valueInfoOf } from '../../../bus/value/digest.ts';
import { encodeList } from '../../../bus/value/list.ts';
import { encodeValue } from '../../../bus/value/value.ts';
import type { WireGraph } from '../../../model/graph.ts';
import { parseTaskId, taskIdOf, type AgentKey } from '../../../model/ids.ts';
import { isTerminalDispatch, type ElectronStatus } from '../../../model/lifecycle.ts';
import type { Outcome, Token } from '../../../model/outcome.ts';
import { Plan } from '../../../model/plan.ts';
import type { DispatchRecord, DispatchSpec, ElectronRecord } from '../../../model/records.ts';
import type { MemoryStore } from '../../../store/memory-store.ts';
import { decodeDispatch, decodeElectron, decodeExpansion, keys } from '../../../store/records.ts';
import { settle } from './fake-clock.ts';
import { dispatchId, makeHubWorld, specOf, type HubWorld } from './hub-world.ts';

const isLattice = (message: Message): message is LatticeMessage =>
  message.type === 'attempt.claimed' || /^(?:lattice|match|electron|map)\./.test(message.type);
const isMatch = (message: Message): message is MatchmakerMessage => /^(?:match|attempt|lattice)\./.test(message.type);
const isTold = (message: Message): message is Message => message.type !== '';

export interface Given {
  readonly fails: (name: string) => boolean;
  /** Elements of its value, or undefined: it is no list. */
  readonly length: (name: string) => number | undefined;
}

interface Attempt {
  readonly agent: AgentKey;
  readonly node: number;
  readonly token: Token;
  readonly inputsDigest: ReturnType<typeof digestOf>;
  readonly recovered: boolean;
}

export const id = dispatchId(1);

export class LatticeHub {
  world: HubWorld;
  readonly #graph: WireGraph;
  readonly #given: Given;
  readonly #spec: DispatchSpec;
  #boot = 0;
  ready: number[] = [];
  attempts: Attempt[] = [];
  /** What the dispatcher was told. */
  told: Message[] = [];
  events: string[] = [];
  stopsAsked = 0;
  /** Nodes that their agent was asked to give back. */
  revoked: number[] = [];
  readonly #cancelled = new Set<number>();
  #plan: Plan | undefined;

  /** `prepare`: the store has its graph, and whatever else is wanted, before it begins. */
  constructor(
    graph: WireGraph,
    given: Given,
    over: Partial<DispatchSpec> = {},
    flush: 'turn' | 'manual' = 'turn',
    prepare?: (world: HubWorld, graph: Uint8Array) => Promise<void>,
  ) {
    this.#graph = graph;
    this.#given = given;
    const bytes = encodeGraph(graph);
    this.#spec = specOf(id, { graph: valueInfoOf(bytes), nodes: graph.nodes.length, ...over });
    this.world = makeHubWorld({ flush });
    this.#build();
    if (prepare !== undefined) {
      void prepare(this.world, bytes).then(() => this.#begin());
      return;
    }
    this.world.results.write({ op: 'value', digest: digestOf(bytes), bytes });
    this.#begin();
  }

  #begin(): void {
    this.world.results.write({ op: 'accept', spec: this.#spec, contentDigest: digestOf(Buffer.from(this.#spec.key)) });
    this.tell({ type: 'lattice.start', spec: this.#spec, graph: this.#graph });
  }

  get store(): MemoryStore {
    return this.world.store;
  }

  tell(message: LatticeMessage): void {
    this.world.system.send(`n1.lattice.${id}`, message, 'n1.dispatcher.main');
  }

  /** Power is lost: the store keeps what was flushed, nothing else is left. It is back after `awayMs`; the wall clock may have been set. */
  async powerCut(awayMs = 0): Promise<void> {
    const wall = this.world.clock.wall + awayMs;
    const store = this.store.crash();
    this.world.close();
    this.ready = [];
    this.attempts = [];
    this.#plan = undefined;
    this.#cancelled.clear();
    this.world = makeHubWorld({ store });
    this.world.clock.wall = wall;
    this.#build();
    this.world.results.write({ op: 'epoch', epoch: 100 * this.#boot });
    await settle(2);
    this.store.flush();
    await this.resume();
  }

  /** Only the supervisor crashed. */
  async supervisorCrash(): Promise<void> {
    this.#supervisor?.abandon();
    this.world.system.stop(`n1.lattice.${id}`);
    this.ready = [];
    this.#spawnSupervisor();
    await this.resume();
  }

  async resume(): Promise<void> {
    const loaded = await this.world.results.ask('results.load', { id });
    if (!isTerminalDispatch(loaded.record.status)) this.tell({ type: 'lattice.resume', ...loaded, graph: this.#graph });
    await settle();
  }

  #supervisor: LatticeSupervisor | undefined;
  #build(): void {
    const { system } = this.world;
    this.#boot++;
    system.spawn(system.address('dispatcher', 'main'), { receive: (message) => void this.told.push(message) }, isTold);
    system.spawn(system.address('matchmaker', 'main'), { receive: (message) => this.match(message) }, isMatch);
    this.#spawnSupervisor();
  }

  #spawnSupervisor(): void {
    const { system, results, clock } = this.world;
    this.#supervisor = new LatticeSupervisor(id, {
      system,
      results,
      values: valueCache(1_000_000),
      clock,
      random: () => 0,
      moment: makeMoment(clock),
      publish: ({ type, transient }) => {
        if (!transient) this.events.push(type);
      },
      epoch: { value: 100 * this.#boot },
      maxLosses: 10,
      spawnElectron: (work, services, restored) =>
        system.spawn(work.address, new ElectronActor(work, services, restored), isElectronMessage),
      reuseTables: new ReuseTables(results),
      onEnd: () => undefined,
    });
    system.spawn(system.address('lattice', id), this.#supervisor, isLattice);
  }

  /** As the matchmaker hears it. */
  protected match(message: MatchmakerMessage): void {
    switch (message.type) {
      case 'match.request':
        this.ready.push(...message.nodes);
        return;
      case 'match.withdraw':
        this.ready = this.ready.filter((node) => message.nodes?.includes(node) === false);
        return;
      case 'attempt.send': {
        const { agent, task, token, inputsDigest } = message;
        this.attempts.push({ agent, node: parseTaskId(task).node, token, inputsDigest, recovered: false });
        return;
      }
      case 'attempt.recovered': {
        const { agent, task, token } = message;
        const { node } = parseTaskId(task);
        const inputsDigest = this.record(node)?.inputsDigest ?? digestOf(new Uint8Array());
        if (!this.attempts.some((one) => one.node === node))
          this.attempts.push({ agent, node, token, inputsDigest, recovered: true });
        if (message.cancelling !== undefined) this.#cancelled.add(node);
        return;
      }
      case 'attempt.cancel':
        this.stopsAsked++;
        this.#cancelled.add(parseTaskId(message.task).node);
        return;
      case 'attempt.revoke':
        this.revoked.push(parseTaskId(message.task).node);
        return;
      case 'attempt.refused':
      case 'attempt.abandoned':
      case 'attempt.judged':
      case 'lattice.gone':
      case 'lattice.resumed':
      case 'roster.load':
    }
  }

  get idle(): boolean {
    return this.ready.length + this.attempts.length === 0;
  }

  /** One thing happens in the world. */
  async step(random: (below: number) => number): Promise<void> {
    if (!this.idle) {
      const pick = random(this.ready.length + this.attempts.length);
      if (pick < this.ready.length) {
        const nodes = this.ready.splice(pick, 1 + random(3));
        this.tell({ type: 'match.found', agent: 'lab.a1', nodes });
      } else {
        const [attempt] = this.attempts.splice(pick - this.ready.length, 1);
        if (attempt !== undefined) this.end(attempt, random);
      }
    }
    await settle(3);
  }

  /** An attempt ends: by what its electron gives, stopped when that was asked for, or lost when it was from before a power cut. */
  end(attempt: Attempt, random: (below: number) => number = () => 1): void {
    const { agent, node, token, inputsDigest, recovered } = attempt;
    const task = taskIdOf(id, node);
    const { system } = this.world;
    const to = system.address('electron', task);
    const send = (message: Parameters<typeof isElectronMessage>[0]): void =>
      system.send(to, message, 'n1.matchmaker.main');
    if (this.#cancelled.delete(node)) {
      send({ ...{ token, confirmed: true }, type: 'attempt.stopped' });
      return;
    }
    if (recovered && random(2) === 0) {
      send({ ...{ token, reason: 'not-listed', charged: true }, type: 'attempt.lost' });
      return;
    }
    const outcome = this.outcomeOf(this.nameOf(node));
    send({ ...{ task, agent, token, inputsDigest, outcome, receipt: 1 }, type: 'attempt.finished' });
  }

  /** What an electron gives, by its name, whatever was asked of it meanwhile. */
  give(name: string): Outcome {
    return this.outcomeOf(name);
  }

  /** What an electron gives, by its name. */
  protected outcomeOf(name: string): Outcome {
    const usage = { startedAt: 1, endedAt: 2 };
    const bytes = valueOf(name, this.#given, 0);
    return this.#given.fails(name)
      ? { status: 'failed', error: { code: 'TASK_THREW', message: `${name} threw` }, usage }
      : { status: 'completed', value: valueInfoOf(bytes), bytes, usage };
  }

  async run(random: (below: number) => number): Promise<this> {
    for (let steps = 0; ; steps++) {
      if (steps > 5_000) throw new Error('the run does not end');
      if (this.idle) {
        await settle(8);
        if (this.idle) return this;
      }
      await this.step(random);
    }
  }

  dispatch(): DispatchRecord {
    return decodeDispatch(this.store.get(keys.dispatch(id)) ?? new Uint8Array());
  }
  record(node: number): ElectronRecord | undefined {
    const bytes = this.store.get(keys.electron(id, node));
    return bytes === undefined ? undefined : decodeElectron(bytes);
  }
  /** A node's record as a power cut would leave it. */
  flushed(node: number): ElectronRecord | undefined {
    const bytes = this.store.flushed(keys.electron(id, node));
    return bytes === undefined ? undefined : decodeElectron(bytes);
  }
  /** Everything written so far, and what follows from it, is on disk. */
  async flush(): Promise<void> {
    for (let i = 0; i < 3; i++) {
      await settle(2);
      this.store.flush();
    }
    await settle();
  }
  plan(): Plan {
    this.#plan ??= new Plan(this.#graph);
    for (const { value } of this.store.range(keys.expansionsOf(id))) {
      const { map, items } = decodeExpansion(value);
      if (this.#plan.regionOf(map) === undefined) this.#plan.expand(map, items.length);
    }
    return this.#plan;
  }
  nameOf(node: number): string {
    return this.plan().nameOf(node);
  }
  statuses(): Record<string, ElectronStatus> {
    const plan = this.plan();
    const found: Record<string, ElectronStatus> = {};
    for (let node = 0; node < plan.size; node++) found[plan.nameOf(node)] = this.record(node)?.status ?? 'waiting';
    return found;
  }
}

function valueOf(name: string, given: Given, depth: number): Uint8Array {
  const length = depth < 3 ? given.length(name) : undefined;
  if (length === undefined) return encodeValue(name, name);
  return encodeList(Array.from({ length }, (_, i) => valueOf(`${name}/${i}`, given, depth + 1)));
}

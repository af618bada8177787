/**
 * The hub's actors on a bus and a store: made, recovered, stopped. What it knows is in the store; a failed one is dropped and made anew.
 * Not here: the broker, the local agent, files (hub.ts).
 */
import type { Bus } from '../bus/bus.ts';
import { hubIdentity } from '../bus/identity.ts';
import type { DispatcherMessage, LatticeMessage, MatchmakerMessage } from '../bus/protocol/actors.ts';
import type { Subjects } from '../bus/subjects.ts';
import type { Clock } from '../model/clock.ts';
import { deferred } from '../model/deferred.ts';
import { isDispatchId, type DispatchId } from '../model/ids.ts';
import { throttledLog, type Log } from '../model/log.ts';
import { Asker } from '../actors/asker.ts';
import { eventPublisher } from '../actors/events.ts';
import { serveApi } from '../actors/dispatcher/api.ts';
import { dispatcherService } from '../actors/dispatcher/service.ts';
import { Dispatcher, isDispatcherMessage } from '../actors/dispatcher/dispatcher.ts';
import { ElectronActor } from '../actors/electron/electron.ts';
import { isElectronMessage } from '../actors/electron/messages.ts';
import { ReuseTables } from '../actors/lattice/reuse-table.ts';
import { LatticeSupervisor } from '../actors/lattice/supervisor.ts';
import type { Leases } from '../actors/matchmaker/agent-state.ts';
import { AgentGateway } from '../actors/matchmaker/gateway.ts';
import { Matchmaker } from '../actors/matchmaker/matchmaker.ts';
import { RemoteDelivery } from '../actors/remote.ts';
import { ResultsClient } from '../actors/results-client.ts';
import { managerAddress } from '../actors/results/manager.ts';
import { graphCache, valueCache } from '../actors/caches.ts';
import type { CopyData } from '../actors/results/upkeep.ts';
import type { Epoch } from '../actors/services.ts';
import { ActorSystem, type Address, type Message } from '../actors/system.ts';
import type { Store } from '../store/store.ts';
import { hexOf, type Randomness } from './random.ts';
import { flushThrough } from './flush-through.ts';
import { hostResults } from './results-host.ts';

export interface HubAbout {
  readonly version: string;
  readonly bus: string;
  readonly data: string;
  readonly startedAt: number;
}

export interface HubCoreOptions {
  readonly bus: Bus;
  readonly subjects: Subjects;
  readonly node: string;
  /** The store, or the node of the process that has it. */
  readonly results: { readonly store: Store; readonly copy?: CopyData } | { readonly node: string };
  readonly clock: Clock;
  readonly random: Randomness;
  readonly log: Log;
  readonly leases: Leases;
  /** Attempts lost with their agents until an electron is failed. @default 10 */
  readonly maxLosses?: number;
  /** Dispatches that wait for the same agents with a supervisor of their own: see actors/dispatcher/beginnings.ts. @default 1024 */
  readonly mostWaiting?: number;
  readonly traceActors: boolean;
  readonly about: HubAbout;
  readonly onFatal: (error: Error) => void;
  readonly onAgentReady: (agent: string) => void;
  /** An agent was told by a user to drain. */
  readonly onDrain?: (agent: string) => void;
  /** Calls back when the result manager's own process was started again; returns what ends that. */
  readonly onResultsRestart: (listener: () => void) => () => void;
}

export interface HubCore {
  stop(): void;
}

/** An agent that is busy or away answers later, or never. */
const AGENT_ANSWER_MS = 3_000;
const VALUE_CACHE_BYTES = 64 * 1024 * 1024;
const family = (message: Message): string => message.type.slice(0, message.type.indexOf('.'));
const latticeFamilies = new Set(['lattice', 'match', 'electron', 'map']);
const matchmakerFamilies = new Set(['match', 'attempt', 'roster', 'lattice']);
const isLatticeMessage = (message: Message): message is LatticeMessage =>
  latticeFamilies.has(family(message)) || message.type === 'attempt.claimed';
const isMatchmakerMessage = (message: Message): message is MatchmakerMessage => matchmakerFamilies.has(family(message));

/** Recovers from the store, then begins to listen. */
export async function startHubCore(o: HubCoreOptions): Promise<HubCore> {
  const { bus, subjects, node, clock, random, log } = o;
  const by = hubIdentity(node);
  const warn = throttledLog(log, () => clock.monotonic());
  const remote = new RemoteDelivery({ bus, subjects, by, log });
  const supervisors = new Map<DispatchId, LatticeSupervisor>();
  const stops: (() => void)[] = [];

  const system: ActorSystem = new ActorSystem({
    node,
    onCrash: (address, error) => crashed(address, error),
    onDeadLetter: (to, message, from) =>
      warn(`dead:${message.type}`, 'debug', 'dead letter', { to, from, type: message.type }),
    trace: o.traceActors ? remote.mirror : undefined,
  });
  system.connect(remote);
  stops.push(remote.listen(system));
  const near = { values: valueCache(VALUE_CACHE_BYTES), graphs: graphCache() };
  if ('store' in o.results)
    stops.push(
      hostResults({ system, ...o.results, bus, subjects, by, clock, random, log, near, version: o.about.version }),
    );

  const overBus = !('store' in o.results);
  const asker = new Asker(system, managerAddress('store' in o.results ? node : o.results.node), clock, overBus);
  stops.push(o.onResultsRestart(() => asker.askAgain()));
  const broken = deferred<Error>();
  const results = new ResultsClient({
    ask: asker.ask,
    sender: `${node}-${hexOf(random.bytes(6))}`,
    clock,
    log,
    onFatal: (error) => {
      broken.resolve(error);
      o.onFatal(error);
    },
  });
  const epoch: Epoch = { value: 0 };
  const { publish, moment } = eventPublisher(bus, subjects, clock);

  const gateway = new AgentGateway({
    bus,
    subjects,
    by,
    version: o.about.version,
    log,
    monotonic: () => clock.monotonic(),
  });
  const matchmaker = new Matchmaker({
    system,
    results,
    gateway,
    clock,
    log,
    epoch,
    leases: o.leases,
    maxPayload: () => bus.maxPayload,
    onAgentReady: o.onAgentReady,
    onTaken: () => dispatcher.taken(),
    onUnheard: (id) => dispatcher.unheard(id),
  });
  system.spawn(system.address('matchmaker', 'main'), matchmaker, isMatchmakerMessage);
  stops.push(
    bus.onStatus(({ type }) => {
      if (type === 'connected' || type === 'disconnected') matchmaker.heard(type === 'connected');
    }),
  );

  const reuseTables = new ReuseTables(results);
  const spawnSupervisor = (id: DispatchId): void => {
    const supervisor = new LatticeSupervisor(id, {
      system,
      results,
      values: near.values,
      clock,
      random: random.fraction,
      publish,
      moment,
      epoch,
      maxLosses: o.maxLosses,
      spawnElectron: (work, services, restored) =>
        system.spawn(work.address, new ElectronActor(work, services, restored), isElectronMessage),
      reuseTables,
      onEnd: () => supervisors.delete(id),
    });
    supervisors.set(id, supervisor);
    system.spawn(system.address('lattice', id), supervisor, isLatticeMessage);
  };
  const disposeSupervisor = (id: DispatchId): void => {
    system.stop(system.address('lattice', id));
    supervisors.get(id)?.abandon();
    supervisors.delete(id);
    const gone: MatchmakerMessage = { type: 'match.withdraw', dispatch: id };
    system.send(system.address('matchmaker', 'main'), gone, system.address('dispatcher', 'main'));
  };
  const dispatcher: Dispatcher = new Dispatcher({
    system,
    results,
    graphs: near.graphs,
    clock,
    log,
    randomBytes: random.bytes,
    publish,
    agents: () => matchmaker.agents(),
    command: async (agent, control) => {
      await gateway.control(agent, control, AGENT_ANSWER_MS);
      if (control.type === 'drain') o.onDrain?.(agent);
    },
    unoffered: (id, waits) =>
      waits === undefined
        ? matchmaker.unoffered(id)
        : matchmaker.unofferedOf([{ requirement: waits.requirement, waiting: waits.electrons }]),
    why: matchmaker.why,
    waitingAhead: matchmaker.waitingAhead,
    liveLogs: (agent, task) => gateway.logs(agent, { task }, AGENT_ANSWER_MS),
    mostWaiting: o.mostWaiting,
    about: () => ({ ...o.about, pid: process.pid, node }),
    spawnSupervisor,
    disposeSupervisor,
  });
  system.spawn<DispatcherMessage>(system.address('dispatcher', 'main'), dispatcher, isDispatcherMessage);

  /** A supervisor or one of its electrons begins again alone; any other actor takes the hub's memory with it. */
  function crashed(address: Address, error: Error): void {
    const [, kind = '', id = ''] = address.split('.');
    const dispatch = kind === 'electron' ? id.slice(0, id.lastIndexOf('_')) : id;
    if ((kind === 'lattice' || kind === 'electron') && isDispatchId(dispatch)) dispatcher.crashed(dispatch, error);
    else o.onFatal(error);
  }

  const stop = (): void => {
    matchmaker.stop();
    results.close();
    asker.close();
    for (const end of stops.splice(0).reverse()) end();
    system.shutdown();
  };

  try {
    const live = await results.ask('results.live', {});
    epoch.value = Math.max(live.epoch + 1, clock.now());
    results.write({ op: 'epoch', epoch: epoch.value });
    // A failed write never calls back: without this a hub that can't write would wait for ever, half begun.
    await Promise.race([results.flushed(), broken.promise.then((error) => Promise.reject(error))]);
    const load: MatchmakerMessage = { type: 'roster.load', roster: live.roster, history: live.history };
    system.send(system.address('matchmaker', 'main'), load, system.address('dispatcher', 'main'));
    await dispatcher.recover(live.ids);
    if (live.ids.length > 0) log('info', 'recovered dispatches', { count: live.ids.length });
    // What the recovered supervisors asked for comes before the first sync: mailboxes are in order, and the matchmaker listens last.
    await new Promise((resolve) => setImmediate(resolve));
    matchmaker.start();
    const service = dispatcherService({
      bus,
      subjects,
      node,
      version: o.about.version,
      startedAt: o.about.startedAt,
      agents: () => matchmaker.agents(),
    });
    stops.push(
      service.listen(),
      serveApi({
        bus,
        subjects,
        by,
        log,
        monotonic: () => clock.monotonic(),
        handle: (user, verb, body) => dispatcher.handle(user, verb, body),
        count: service.count,
      }),
    );
    await flushThrough(bus);
  } catch (error) {
    // Half begun it would go on to hear agents and users, beside the hub that begins next.
    stop();
    throw error;
  }
  return { stop };
}

/** The hub's actors without a bus and a disk: an actor system, a memory store with its result manager, a clock that tests move. */
import { Asker } from '../../../actors/asker.ts';
import { ResultsClient } from '../../../actors/results-client.ts';
import { isResultsAsk, managerAddress, ResultManager } from '../../../actors/results/manager.ts';
import { ActorSystem, type Address, type Message } from '../../../actors/system.ts';
import { digestOf } from '../../../bus/value/digest.ts';
import { makeSubjects } from '../../../bus/subjects.ts';
import { isDispatchId, type DispatchId } from '../../../model/ids.ts';
import type { DispatchSpec } from '../../../model/records.ts';
import { openMemoryStore, type MemoryStore } from '../../../store/memory-store.ts';
import { FakeNetwork, type FakeBus } from '../../support/fake-bus.ts';
import { makeLogList, type LogList } from '../../support/log-list.ts';
import { FakeClock } from './fake-clock.ts';

export interface Delivered<M> {
  readonly to: Address;
  readonly message: M;
  readonly from: Address;
}

export interface HubWorld {
  readonly clock: FakeClock;
  readonly system: ActorSystem;
  readonly store: MemoryStore;
  readonly manager: ResultManager;
  readonly results: ResultsClient;
  readonly network: FakeNetwork;
  readonly bus: FakeBus;
  readonly logs: LogList;
  readonly crashes: string[];
  readonly dead: Delivered<Message>[];
  readonly fatal: Error[];
  onCrash: (address: Address, error: Error) => void;
  /** Puts an actor at `kind`.`id` that keeps what it gets. */
  probe<M extends Message>(kind: string, id: string, is: (message: Message) => message is M): Delivered<M>[];
  close(): void;
}

export const subjects = makeSubjects();

export function makeHubWorld(
  o: { readonly flush?: 'turn' | 'manual'; readonly store?: MemoryStore; readonly mailboxLimit?: number } = {},
): HubWorld {
  const clock = new FakeClock();
  const store =
    o.store ?? openMemoryStore({ flush: o.flush ?? 'turn', history: 'h1', monotonic: () => clock.monotonic() });
  const logs = makeLogList();
  const network = new FakeNetwork();
  const bus = network.connect('hub.n1');
  const crashes: string[] = [];
  const dead: Delivered<Message>[] = [];
  const fatal: Error[] = [];
  const system: ActorSystem = new ActorSystem({
    node: 'n1',
    ...(o.mailboxLimit === undefined ? {} : { mailboxLimit: o.mailboxLimit }),
    onCrash: (address, error) => {
      crashes.push(`${address}: ${error.message}`);
      world.onCrash(address, error);
    },
    onDeadLetter: (to, message, from) => dead.push({ to, message, from }),
  });
  const pull = { bus, subjects, by: 'hub.n1', clock };
  const manager = new ResultManager({ system, store, clock, pull, epoch: 'm1' });
  system.spawn(managerAddress('n1'), manager, isResultsAsk);
  const asker = new Asker(system, managerAddress('n1'), clock, false);
  const results = new ResultsClient({
    ask: asker.ask,
    sender: 's1',
    clock,
    onFatal: (error) => fatal.push(error),
    log: logs.log,
  });
  const world: HubWorld = {
    clock,
    system,
    store,
    manager,
    results,
    network,
    bus,
    logs,
    crashes,
    dead,
    fatal,
    onCrash: () => undefined,
    probe<M extends Message>(kind: string, id: string, is: (message: Message) => message is M): Delivered<M>[] {
      const got: Delivered<M>[] = [];
      const to = system.address(kind, id);
      system.spawn(to, { receive: (message, from) => got.push({ to, message, from }) }, is);
      return got;
    },
    close() {
      results.close();
      asker.close();
      manager.close();
      system.shutdown();
      network.close();
    },
  };
  return world;
}

export function dispatchId(n = 0): DispatchId {
  const id = `${String(n).padStart(20, '0')}-n1`;
  if (!isDispatchId(id)) throw new Error(`${id} is no dispatch id`);
  return id;
}

export const specOf = (id: DispatchId, over: Partial<DispatchSpec> = {}): DispatchSpec => ({
  id,
  user: 'kim',
  key: `key of ${id}`,
  lattice: { name: 'test', source: '() => 1' },
  graph: { digest: digestOf(new Uint8Array([1])), size: 1 },
  args: { digest: digestOf(new Uint8Array([2])), size: 1 },
  argv: [],
  captures: {},
  metadata: {},
  durability: 'pipelined',
  failFast: false,
  priority: 0,
  timeoutMs: 0,
  nodes: 1,
  literals: [],
  acceptedAt: 1,
  ...over,
});

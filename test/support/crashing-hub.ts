/**
 * A hub whose process dies between any two batches of records, with the agents, the SDK and the clock of a test hub, which live on. What electrons do is told by their functions.
 * Not here: what a power cut leaves of a batch (the store's contract suite), agents that die (the simulation).
 */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { BrokerCore } from '../../bus/broker/core.ts';
import { DEFAULT_LIMITS } from '../../bus/broker/limits.ts';
import type { Bus } from '../../bus/bus.ts';
import { hubIdentity } from '../../bus/identity.ts';
import { makeSubjects } from '../../bus/subjects.ts';
import { startHubCore, type HubCore } from '../../host/hub-core.ts';
import { systemClock } from '../../host/system-clock.ts';
import { defaults } from '../../model/defaults.ts';
import { isDispatchId, type DispatchId } from '../../model/ids.ts';
import { isTerminalDispatch } from '../../model/lifecycle.ts';
import type { DispatchRecord, DispatchSpec, ElectronRecord } from '../../model/records.ts';
import { makeSdk, type Sdk } from '../../sdk/client/client.ts';
import type { Lattice } from '../../sdk/types.ts';
import { openMemoryStore, type MemoryStore } from '../../store/memory-store.ts';
import { decodeDispatch, decodeElectron, decodeSpec, keys, nodeOfKey, tailOfKey } from '../../store/records.ts';
import type { WriteOp } from '../../store/store.ts';
import { ManualClock } from '../../testing/clock.ts';
import { LocalCode } from '../../testing/code.ts';
import { LocalAgent } from '../../testing/local-agent.ts';
import { connectLocal, type LocalBus } from '../../testing/local-bus.ts';
import { Mocks } from '../../testing/mocks.ts';
import { seededRandom } from '../../testing/seeded-random.ts';
import { Timeline } from '../../testing/timeline.ts';
import { noLog } from './log-list.ts';

const NODE = 'n1';

export class CrashingHub {
  readonly #timeline = new Timeline(Date.UTC(2026, 0, 1), 1_000);
  readonly clock = new ManualClock(this.#timeline);
  readonly #core = new BrokerCore({
    limits: DEFAULT_LIMITS,
    auth: 'none',
    log: noLog,
    clock: systemClock,
    faults: undefined,
  });
  readonly #random = seededRandom(1);
  readonly #code = new LocalCode();
  readonly #mostWaiting: number;
  readonly #slots: number;
  readonly sdk: Sdk;
  /** By the SDK. */
  readonly #dialled: Bus[] = [];
  #store = openMemoryStore({ flush: 'manual' });
  #hub: HubCore | undefined;
  #line: LocalBus | undefined;
  #agent: LocalAgent | undefined;
  #folder = '';
  #left = Number.POSITIVE_INFINITY;

  /** `mostWaiting`: dispatches that may wait for an agent with a supervisor of their own. */
  constructor(o: { readonly mostWaiting: number; readonly slots: number }) {
    this.#mostWaiting = o.mostWaiting;
    this.#slots = o.slots;
    this.sdk = makeSdk({
      dial: async ({ identity }) => {
        const { bus } = await connectLocal(this.#core, identity, noLog);
        this.#dialled.push(bus);
        return bus;
      },
      shipping: this.#code,
      argv: () => [],
      sources: { env: { POLARON_URL: 'nats://kim@in-process' }, osUser: () => 'kim' },
    });
  }

  async start(): Promise<void> {
    this.#folder = await mkdtemp(join(tmpdir(), 'polaron-crashing-'));
    await this.#begin(this.#store);
    this.#agent = new LocalAgent({
      core: this.#core,
      subjects: makeSubjects(),
      folder: this.#folder,
      random: this.#random.fraction,
      log: noLog,
      fail: (error) => this.#timeline.fail(error),
      name: 'process',
      agent: 'local',
      slots: this.#slots,
      timeline: this.#timeline,
      sleep: (ms) => this.clock.sleep(ms),
      code: this.#code,
      mocks: new Mocks(),
      play: {},
    });
    await this.#agent.start();
    await this.until('the agent joins', this.#agent.joined);
  }

  /** Dispatches, and lets all go on that doesn't wait for the clock. */
  async dispatch<A extends readonly unknown[], R>(what: Lattice<A, R>, ...args: A): Promise<DispatchId> {
    const id: string = await this.until('dispatch', this.sdk.dispatch(what)(...args));
    if (!isDispatchId(id)) throw new Error(`${id} is no dispatch id`);
    return id;
  }

  /** Moves the clock until `work` is done. */
  async until<T>(what: string, work: Promise<T>): Promise<T> {
    let done = false;
    const result = work.finally(() => (done = true));
    result.catch(() => undefined);
    if (!(await this.clock.runUntil(what, () => done))) throw new Error(`${what}: nothing is due any more`);
    return result;
  }

  /** The hub dies when so many more batches are on its disk, and begins again. False: it was `over` before that. */
  async crashAfter(batches: number, over: () => boolean): Promise<boolean> {
    this.#left = batches;
    await this.clock.runUntil(`${batches} batches`, () => this.#left === 0 || over());
    const hit = this.#left === 0;
    if (hit) await this.restart();
    this.#left = Number.POSITIVE_INFINITY;
    return hit;
  }

  /** Puts records in the place of those that are there, as if the hub had written them last, and restarts it. */
  async restartWith(ops: readonly WriteOp[]): Promise<void> {
    void this.#store.write(ops);
    this.#store.flush();
    await this.restart();
  }

  async restart(): Promise<void> {
    // The broker dies with its hub: what was asked is not waited for any more.
    this.#agent?.disconnect();
    this.#hub?.stop();
    const store = this.#store.crash();
    await this.#line?.bus.close();
    this.#left = Number.POSITIVE_INFINITY;
    await this.#begin(store);
    this.#agent?.reconnect();
    // heartbeats tell the hub what its agents have
    this.#timeline.closely(4 * defaults.leaseMs);
  }

  /** Moves the clock until it has ended. */
  async ends(id: DispatchId): Promise<DispatchRecord> {
    if (!(await this.clock.runUntil(`the end of ${id}`, () => this.hasEnded(id))))
      throw new Error(`dispatch ${id} does not end: ${JSON.stringify(this.record(id))}`);
    return this.record(id);
  }

  /** Of a completed one; else all that is known of it. */
  async valueOf(id: string): Promise<unknown> {
    const result = await this.until('result', this.sdk.getResult(id, { wait: true }));
    return result.status === 'completed' ? result.value : result;
  }

  record(id: DispatchId): DispatchRecord {
    return decodeDispatch(this.#store.get(keys.dispatch(id)) ?? new Uint8Array());
  }
  /** By node. */
  electrons(id: DispatchId): ReadonlyMap<number, ElectronRecord> {
    const records = [...this.#store.range(keys.electronsOf(id))];
    return new Map(records.map(({ key, value }) => [nodeOfKey(key), decodeElectron(value)]));
  }
  hasEnded(id: DispatchId): boolean {
    return isTerminalDispatch(this.record(id).status);
  }
  /** Dispatches of lattices inside it. */
  inside(id: string): readonly DispatchSpec[] {
    return this.#specs().filter(({ outer }) => outer?.root === id);
  }
  #specs(): readonly DispatchSpec[] {
    return [...this.#store.range(keys.allSpecs)].map(({ value }) => decodeSpec(value));
  }
  live(): readonly string[] {
    return [...this.#store.range(keys.allLive)].map(({ key }) => tailOfKey(key));
  }

  async close(): Promise<void> {
    this.#agent?.kill();
    this.#hub?.stop();
    // what is still asked ends with it, not later in the process that tests share
    await Promise.all(
      [...this.#dialled, ...(this.#line === undefined ? [] : [this.#line.bus])].map((bus) => bus.close()),
    );
    this.#core.close();
    await rm(this.#folder, { recursive: true, force: true });
  }

  async #begin(store: MemoryStore): Promise<void> {
    this.#store = store;
    const write = store.write.bind(store);
    // Each batch is flushed in a turn of its own.
    Object.defineProperty(store, 'write', {
      value: (...args: Parameters<typeof write>) => {
        const written = write(...args);
        this.#pump();
        return written;
      },
    });
    this.#line = await connectLocal(this.#core, hubIdentity(NODE), noLog);
    this.#hub = await startHubCore({
      bus: this.#line.bus,
      subjects: makeSubjects(),
      node: NODE,
      results: { store },
      clock: this.#timeline,
      random: this.#random,
      log: noLog,
      leases: { leaseMs: defaults.leaseMs, heartbeatMs: defaults.heartbeatMs },
      traceActors: false,
      mostWaiting: this.#mostWaiting,
      about: { version: '0', bus: '', data: '', startedAt: 0 },
      onFatal: (error) => this.#timeline.fail(error),
      onAgentReady: () => undefined,
      onResultsRestart: () => () => undefined,
    });
  }

  #pumps = false;
  #pump(): void {
    if (this.#pumps) return;
    this.#pumps = true;
    setImmediate(() => {
      this.#pumps = false;
      if (this.#left === 0 || this.#store.unflushed === 0) return;
      this.#store.flush(1);
      this.#left--;
      this.#pump();
    });
  }
}

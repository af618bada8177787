/**
 * The hub over its lives: its process, the result manager's when that is isolated, the broker when that is embedded, and its disk. Hub and manager are the
 * real ones, put together as host/hub.ts and host/results-process.ts do.
 */
import { hubIdentity } from '../../../bus/identity.ts';
import type { Subjects } from '../../../bus/subjects.ts';
import { CurrentCore } from '../../../host/current-core.ts';
import { startHubCore } from '../../../host/hub-core.ts';
import { keepRunning } from '../../../host/recovery.ts';
import { startResultsCore } from '../../../host/results-core.ts';
import type { Log } from '../../../model/log.ts';
import type { Store } from '../../../store/store.ts';
import type { History } from './history.ts';
import type { Machine, SimProcess } from './machine.ts';
import type { RunPlan } from './plan.ts';
import { Rng } from './random.ts';
import type { Network } from './sim-bus.ts';
import { StoreDisk } from './store-disk.ts';

export const NODE = 'n1';
const RESULTS = `${NODE}-results`;
/** Until the hub's parent has started the result manager again. */
const RESULTS_AGAIN_MS = 200;
/** Until an operator has started a hub again that gave up. */
const OPERATOR_MS = 1_000;

export interface HubHostOptions {
  readonly plan: RunPlan;
  readonly machine: Machine;
  readonly network: Network;
  readonly subjects: Subjects;
  readonly history: History;
  readonly random: Rng;
  readonly log: Log;
}

export class HubHost {
  readonly o: HubHostOptions;
  readonly disk: StoreDisk;
  #process: SimProcess | undefined;
  #results: SimProcess | undefined;
  readonly #restarted = new Set<() => void>();
  #lives = 0;
  #resultsLives = 0;

  constructor(options: HubHostOptions) {
    this.o = options;
    this.disk = new StoreDisk(options.machine.timeline, options.random.fork('disk'));
    this.disk.flushMs = options.plan.flushMs;
  }

  get alive(): boolean {
    return this.#process?.alive === true;
  }

  start(): void {
    if (this.alive) return;
    const { plan, machine, network, subjects, history, log } = this.o;
    const process = machine.start(`hub#${++this.#lives}`);
    this.#process = process;
    history.add({ type: 'life', who: 'hub', what: 'begins' });
    if (plan.embedded) network.up = true;
    const bus = network.connect(process, hubIdentity(NODE), 'hub');
    const random = this.o.random.fork(process.name);
    if (plan.isolated) this.#startResults();
    const core = new CurrentCore();
    let store: Store | undefined;
    const leases = { heartbeatMs: plan.heartbeatMs, leaseMs: plan.leaseMs };
    const ended = keepRunning({
      begin: async (onFatal) => {
        const stays = await core.begin(async () => {
          if (!plan.isolated) store ??= this.disk.open(process);
          void store?.failed.then(onFatal);
          return startHubCore({
            bus,
            subjects,
            node: NODE,
            results: store === undefined ? { node: RESULTS } : { store },
            clock: process.clock,
            random,
            log,
            leases,
            // In every second seed dispatches wait without a supervisor as soon as another waits (docs/adr/017).
            ...(new Rng(plan.seed, 'waiting').chance(0.5) ? { mostWaiting: 1 } : {}),
            traceActors: false,
            about: { version: '0', bus: 'sim', data: 'sim', startedAt: 0 },
            onFatal,
            onAgentReady: () => undefined,
            onResultsRestart: (listener) => {
              this.#restarted.add(listener);
              return () => this.#restarted.delete(listener);
            },
          });
        });
        if (stays) history.add({ type: 'life', who: 'hub', what: 'recovered' });
      },
      drop: async () => {
        core.drop();
        const failed = store;
        store = undefined;
        await failed?.close();
      },
      outOfRoom: () => false,
      giveUp: (error) => this.#gaveUp(process, error),
      clock: process.clock,
      log,
    });
    ended.catch((error: unknown) => this.#gaveUp(process, error));
  }

  #gaveUp(process: SimProcess, error: unknown): void {
    if (!process.alive) return;
    this.kill(error instanceof Error ? error.message : String(error));
    this.o.machine.timeline.after(OPERATOR_MS, () => this.start());
  }

  /** SIGKILL, or the power is cut: what the disk had not flushed is there up to some write. */
  kill(why?: string): void {
    if (!this.alive) return;
    const { history, plan, network } = this.o;
    history.add({ type: 'life', who: 'hub', what: 'dies', ...(why === undefined ? {} : { why }) });
    this.#process?.kill();
    this.#results?.kill();
    this.#restarted.clear();
    if (plan.embedded) network.up = false;
  }

  killResults(): void {
    const { history, machine } = this.o;
    if (this.#results?.alive !== true) return;
    history.add({ type: 'life', who: 'results', what: 'dies' });
    this.#results.kill();
    const hub = this.#process;
    machine.timeline.after(RESULTS_AGAIN_MS, () => {
      if (hub?.alive !== true) return;
      this.#startResults();
      for (const restarted of this.#restarted) restarted();
    });
  }

  #startResults(): void {
    const { machine, network, subjects, history, random, log } = this.o;
    const process = machine.start(`results#${++this.#resultsLives}`);
    this.#results = process;
    history.add({ type: 'life', who: 'results', what: 'begins' });
    startResultsCore({
      version: '0.0.0',
      node: RESULTS,
      by: hubIdentity(NODE),
      bus: network.connect(process, hubIdentity(NODE), 'results'),
      subjects,
      store: this.disk.open(process),
      clock: process.clock,
      random: random.fork(process.name),
      log,
      onFatal: () => {
        if (process.alive) this.killResults();
      },
    });
  }
}

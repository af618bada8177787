/**
 * One per dispatch: carries out what LatticeState decides. Spawns electron actors for matched nodes, records what it settles itself, and ends the dispatch.
 * Order: decide (state.ts) → persist (results) → act (messages) → publish (after the flush).
 */
import type { Clock } from '../../model/clock.ts';
import { asPolaronError, PolaronError } from '../../model/errors.ts';
import { taskIdOf, type AgentKey, type DispatchId } from '../../model/ids.ts';
import { isTerminalElectron, type DispatchStatus } from '../../model/lifecycle.ts';
import type { ErrorInfo } from '../../model/outcome.ts';
import type { LatticeMessage } from '../../bus/protocol/actors.ts';
import type { DispatchRecord, DispatchSpec, ElectronRecord } from '../../bus/protocol/results.ts';
import { decodeGraph } from '../../bus/protocol/wire-graph.ts';
import type { ResultsClient } from '../results-client.ts';
import type { Epoch, PublishEvent, SpawnElectron, ValueCache } from '../services.ts';
import type { Actor, ActorSystem, Address } from '../system.ts';
import { Cancels, type CancelResult } from './cancels.ts';
import { Orders } from './orders.ts';
import { Plan } from '../../model/plan.ts';
import { LatticeState, type Effect } from './state.ts';

export interface SupervisorServices {
  readonly system: ActorSystem;
  readonly results: ResultsClient;
  readonly values: ValueCache;
  readonly clock: Clock;
  readonly random: () => number;
  readonly publish: PublishEvent;
  readonly epoch: Epoch;
  readonly spawnElectron: SpawnElectron;
  /** The dispatch ended and this actor is gone. */
  readonly onEnd: () => void;
}

type Resume = Extract<LatticeMessage, { type: 'lattice.resume' }>;
export class LatticeSupervisor implements Actor<LatticeMessage> {
  readonly #s: SupervisorServices;
  readonly #self: Address;
  readonly #dispatcher: Address;
  readonly #matchmaker: Address;
  readonly #id: DispatchId;
  #spec: DispatchSpec | undefined;
  #state: LatticeState | undefined;
  #orders: Orders | undefined;
  #seq = 0;
  #held = false;
  #startedAt: number | undefined;
  #ended = false;
  readonly #electrons = new Set<number>();
  readonly #cancels = new Cancels();

  constructor(id: DispatchId, services: SupervisorServices) {
    this.#id = id;
    this.#s = services;
    this.#self = services.system.address('lattice', id);
    this.#dispatcher = services.system.address('dispatcher', 'main');
    this.#matchmaker = services.system.address('matchmaker', 'main');
  }

  receive(message: LatticeMessage): void {
    switch (message.type) {
      case 'lattice.start':
        this.#begin(message.spec, message.graph);
        this.#startedAt = this.#s.clock.now();
        this.#writeRecord('running');
        this.#publishAfterFlush('dispatch.started', ++this.#seq);
        this.#state?.start();
        break;
      case 'lattice.resume':
        this.#resume(message);
        break;
      case 'lattice.cancel':
        this.#cancelRequested(message);
        break;
      case 'match.found':
        this.#matched(message.agent, message.nodes);
        break;
      case 'electron.ended':
        this.#electronEnded(message);
        break;
      case 'map.sliced':
        if (message.items !== undefined) this.#state?.sliced(message.map, message.items);
        else
          this.#state?.mapFailed(
            message.map,
            message.error ?? { code: 'VALUE_MISSING', message: 'the mapped value could not be read' },
          );
        break;
      case 'map.composed':
        if (message.value !== undefined) this.#state?.composed(message.map, message.value);
        else
          this.#state?.mapFailed(
            message.map,
            message.error ?? { code: 'STORE_FAILED', message: "the map's values could not be put together" },
          );
        break;
    }
    this.#carryOut();
  }

  /** Stops the electron actors: the dispatch ended, or this supervisor crashed and begins again from its records. */
  dispose(): void {
    for (const node of this.#electrons)
      this.#s.system.stop(this.#s.system.address('electron', taskIdOf(this.#id, node)));
    this.#electrons.clear();
  }

  #cancelRequested(message: Extract<LatticeMessage, { type: 'lattice.cancel' }>): void {
    const answer = (result: {
      readonly cancelled?: readonly string[];
      readonly unconfirmed?: readonly string[];
      readonly error?: ErrorInfo;
    }): void =>
      this.#s.system.send(
        this.#dispatcher,
        { type: 'cancel.settled', request: message.request, ...result },
        this.#self,
      );
    try {
      this.#cancel(message.reason, message.electrons, answer);
    } catch (error) {
      answer({ error: info(error) });
    }
  }

  /** Cancels all or some electrons; `resolve` gets the result when each is known to have stopped. Raises UNKNOWN_ELECTRON. */
  #cancel(
    reason: string,
    electrons: readonly (number | string)[] | undefined,
    resolve: (result: CancelResult) => void,
  ): void {
    const state = this.#state;
    if (state === undefined || this.#ended) {
      resolve({ cancelled: [], unconfirmed: [] });
      return;
    }
    const nodes = electrons === undefined ? undefined : electrons.flatMap((wanted) => this.#find(wanted, state));
    const affected = (nodes ?? Array.from({ length: state.plan.size }, (_, node) => node)).filter(
      (node) => !isTerminalElectron(state.status(node)),
    );
    if (nodes === undefined) this.#writeRecord('running', { cancel: reason });
    state.cancel(reason, nodes);
    this.#cancels.add(state, affected, resolve);
    this.#carryOut();
    this.#settleCancels();
  }

  #find(wanted: number | string, state: LatticeState): number[] {
    if (typeof wanted === 'number') {
      if (wanted >= 0 && wanted < state.plan.size) return [wanted];
    } else {
      const found: number[] = [];
      for (let node = 0; node < state.plan.size; node++) {
        if (state.plan.plainNameOf(node) === wanted || state.plan.nameOf(node) === wanted) found.push(node);
      }
      if (found.length > 0) return found;
    }
    throw new PolaronError('UNKNOWN_ELECTRON', `dispatch ${this.#id} has no electron ${JSON.stringify(wanted)}`);
  }

  #begin(spec: DispatchSpec, graph: Uint8Array): void {
    this.#spec = spec;
    this.#state = new LatticeState(new Plan(decodeGraph(graph)));
    this.#orders = new Orders(spec, this.#state);
  }

  #resume(message: Resume): void {
    this.#begin(message.spec, message.graph);
    const state = this.#state;
    if (state === undefined) return;
    this.#held = message.held;
    this.#startedAt = message.record.startedAt;
    this.#seq = message.record.seq;
    for (const expansion of message.expansions) state.restoreExpansion(expansion);
    const working = new Map<number, ElectronRecord>();
    for (const [node, record] of message.electrons) {
      this.#seq = Math.max(this.#seq, record.seq);
      if (isTerminalElectron(record.status))
        state.restore(node, record.status, record.value, record.error, record.cause);
      else if (record.status !== 'ready' || record.attempt > 0) working.set(node, record);
    }
    state.resume((node) => working.has(node));
    for (const [node, record] of working) {
      if (state.status(node) !== 'assigned') continue;
      this.#spawn(node, record);
      if (record.status === 'ready') this.#request([node]);
    }
    if (message.record.cancel !== undefined) this.#cancel(message.record.cancel, undefined, () => undefined);
  }

  #matched(agent: AgentKey, nodes: readonly number[]): void {
    for (const node of nodes) {
      const task = taskIdOf(this.#id, node);
      const address = this.#s.system.address('electron', task);
      if (!this.#electrons.has(node)) {
        if (this.#state?.assigned(node) !== true) {
          this.#s.system.send(this.#matchmaker, { type: 'attempt.abandoned', agent, task }, this.#self);
          continue;
        }
        this.#spawn(node);
      }
      this.#s.system.send(address, { type: 'attempt.assigned', agent }, this.#self);
    }
  }

  #spawn(node: number, restored?: ElectronRecord): void {
    const work = this.#orders?.work(node, (value, bytes) => {
      this.#s.values.put(value.digest, bytes);
      this.#s.results.write({ op: 'value', digest: value.digest, bytes });
    });
    if (work === undefined) return;
    this.#electrons.add(node);
    const services = {
      ...this.#s,
      supervisor: this.#self,
      matchmaker: this.#matchmaker,
      nextSeq: () => ++this.#seq,
      lastSeq: () => this.#seq,
    };
    this.#s.spawnElectron(work, services, restored);
  }

  #electronEnded(message: Extract<LatticeMessage, { type: 'electron.ended' }>): void {
    this.#electrons.delete(message.node);
    this.#state?.ended(message.node, message.status, message.value, message.error);
    if (message.error !== undefined && this.#spec?.failFast === true)
      this.#state?.cancel(`failFast: ${this.#state.plan.nameOf(message.node)} failed`);
    if (message.unconfirmed === true)
      this.#cancels.unconfirmed(message.node, this.#state?.plan.nameOf(message.node) ?? '');
  }

  #carryOut(): void {
    const effects = this.#state?.takeEffects() ?? [];
    const ready: number[] = [];
    for (const effect of effects) {
      if (effect.type === 'ready') ready.push(effect.node);
      else this.#effect(effect);
    }
    if (ready.length > 0) this.#request(ready);
    this.#settleCancels();
    this.#held = false;
  }

  #request(nodes: readonly number[]): void {
    for (const [requirement, group] of this.#orders?.byRequirement(nodes) ?? []) {
      const request = {
        type: 'match.request',
        dispatch: this.#id,
        nodes: group,
        requirement,
        priority: this.#spec?.priority ?? 0,
        held: this.#held,
      } as const;
      this.#s.system.send(this.#matchmaker, request, this.#self);
    }
  }

  #effect(effect: Exclude<Effect, { type: 'ready' }>): void {
    switch (effect.type) {
      case 'settled':
        return this.#settled(effect);
      case 'withdraw':
        this.#s.system.send(
          this.#matchmaker,
          { type: 'match.withdraw', dispatch: this.#id, nodes: [effect.node] },
          this.#self,
        );
        return;
      case 'cancel':
        this.#s.system.send(
          this.#s.system.address('electron', taskIdOf(this.#id, effect.node)),
          { type: 'electron.cancel', reason: effect.reason },
          this.#self,
        );
        return;
      case 'slice':
        this.#s.results.ask('results.slice', { digest: effect.value.digest }).then(
          ({ items }) => this.#tell({ type: 'map.sliced', map: effect.map, items }),
          (error: unknown) => this.#tell({ type: 'map.sliced', map: effect.map, error: info(error) }),
        );
        return;
      case 'expanded':
        this.#s.results.write({ op: 'expansion', id: this.#id, record: effect.record });
        return;
      case 'compose':
        this.#s.results.ask('results.compose', { elements: effect.elements }).then(
          ({ value }) => this.#tell({ type: 'map.composed', map: effect.map, value }),
          (error: unknown) => this.#tell({ type: 'map.composed', map: effect.map, error: info(error) }),
        );
        return;
      case 'ended':
        this.#end();
    }
  }

  #settled(effect: Extract<Effect, { type: 'settled' }>): void {
    const { node, was, status, value, error, cause } = effect;
    const seq = ++this.#seq;
    const record: ElectronRecord = {
      status,
      attempt: 0,
      failures: 0,
      losses: 0,
      seq,
      endedAt: this.#s.clock.now(),
      ...(value === undefined ? {} : { value }),
      ...(error === undefined ? {} : { error }),
      ...(cause === undefined ? {} : { cause }),
    };
    this.#s.results.write({
      op: 'electron',
      id: this.#id,
      node,
      was: was === 'waiting' || was === 'ready' ? undefined : was,
      record,
    });
    if (status === 'completed' || status === 'failed' || status === 'cancelled' || status === 'skipped') {
      const name = this.#state?.plan.nameOf(node) ?? '';
      const data = cause === undefined ? {} : { cause: this.#state?.plan.nameOf(cause) };
      this.#s.results.afterFlush(() => this.#publish(`electron.${status}`, seq, { node, electron: name, data }));
    }
  }

  #settleCancels(): void {
    if (this.#state !== undefined)
      this.#cancels.settle(this.#state, (callback) => this.#s.results.afterFlush(callback));
  }

  #end(): void {
    const state = this.#state;
    if (this.#ended || state === undefined) return;
    this.#ended = true;
    const failed = state.roots.filter((node) => state.status(node) === 'failed');
    const errors = failed.map((node) => ({
      node: state.plan.nameOf(node),
      error: state.error(node) ?? { code: 'TASK_THREW', message: 'failed' },
    }));
    const status: DispatchStatus =
      state.cancelled !== undefined && !state.outputComplete()
        ? 'cancelled'
        : state.outputComplete()
          ? 'completed'
          : failed.length > 0
            ? 'failed'
            : 'cancelled';
    const seq = ++this.#seq;
    this.#writeRecord(status, { errors: errors.slice(0, 1_000), endedAt: this.#s.clock.now() });
    this.#publishAfterFlush(`dispatch.${status}`, seq);
    this.#settleCancels();
    this.dispose();
    this.#s.system.send(this.#matchmaker, { type: 'lattice.gone', dispatch: this.#id }, this.#self);
    this.#s.system.send(this.#dispatcher, { type: 'dispatch.ended', id: this.#id }, this.#self);
    this.#s.system.stop(this.#self);
    this.#s.onEnd();
  }

  #writeRecord(status: DispatchStatus, extra: Partial<DispatchRecord> = {}): void {
    const record: DispatchRecord = {
      status,
      seq: this.#seq,
      errors: [],
      ...(this.#startedAt === undefined ? {} : { startedAt: this.#startedAt }),
      ...extra,
    };
    this.#s.results.write({ op: 'dispatch', id: this.#id, record });
  }

  #publishAfterFlush(
    type: 'dispatch.started' | 'dispatch.completed' | 'dispatch.failed' | 'dispatch.cancelled',
    seq: number,
  ): void {
    this.#s.results.afterFlush(() => this.#publish(type, seq, {}));
  }

  #publish(
    type: Parameters<PublishEvent>[0]['type'],
    seq: number,
    more: { readonly node?: number; readonly electron?: string; readonly data?: Readonly<Record<string, unknown>> },
  ): void {
    this.#s.publish({ user: this.#spec?.user ?? '', dispatch: this.#id, type, seq, transient: false, ...more });
  }

  #tell(message: LatticeMessage): void {
    this.#s.system.send(this.#self, message, this.#self);
  }
}

function info(error: unknown): ErrorInfo {
  const failure = asPolaronError(error, 'STORE_FAILED');
  return { code: failure.code, message: failure.message };
}

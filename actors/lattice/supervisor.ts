/**
 * One per dispatch: carries out what LatticeState decides. Spawns electron actors for matched nodes, records what it settles itself, and ends the dispatch.
 * Order: decide (state.ts) → persist (results) → act (messages) → publish (after the flush).
 */
import type { Clock, Timer } from '../../model/clock.ts';
import type { WireGraph } from '../../model/graph.ts';
import { isAgentKey, parseTaskId, taskIdOf, type AgentKey, type DispatchId } from '../../model/ids.ts';
import { isTerminalElectron, type DispatchStatus } from '../../model/lifecycle.ts';
import { errorInfoOf, type ErrorInfo } from '../../model/outcome.ts';
import type { LatticeMessage } from '../../bus/protocol/actors.ts';
import type { DispatchRecord, DispatchSpec, ElectronRecord } from '../../bus/protocol/results.ts';
import type { ResultsClient } from '../results-client.ts';
import type { ElectronServices, Epoch, PublishEvent, SpawnElectron, ValueCache } from '../services.ts';
import type { Actor, ActorSystem, Address, Message } from '../system.ts';
import { Cancels, type CancelResult } from './cancels.ts';
import { findNodes } from './find.ts';
import { Orders } from './orders.ts';
import { Plan } from '../../model/plan.ts';
import { LatticeState, type Effect } from './state.ts';
import { verdictOf } from './verdict.ts';

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
  #expired = false;
  #deadline: Timer | undefined;
  /** Why all of it was cancelled, when somebody asked for that. */
  #cancelled: string | undefined;
  readonly #electrons = new Set<number>();
  readonly #services: ElectronServices;
  readonly #cancels = new Cancels();

  constructor(id: DispatchId, services: SupervisorServices) {
    this.#id = id;
    this.#s = services;
    this.#self = services.system.address('lattice', id);
    this.#dispatcher = services.system.address('dispatcher', 'main');
    this.#matchmaker = services.system.address('matchmaker', 'main');
    const seq = { nextSeq: () => ++this.#seq, lastSeq: () => this.#seq };
    this.#services = { ...services, supervisor: this.#self, matchmaker: this.#matchmaker, ...seq };
  }

  receive(message: LatticeMessage): void {
    switch (message.type) {
      case 'lattice.start':
        this.#begin(message.spec, message.graph);
        this.#started();
        this.#state?.start();
        break;
      case 'lattice.resume':
        this.#resume(message);
        break;
      case 'lattice.cancel':
        this.#cancelRequested(message);
        break;
      case 'lattice.expired':
        this.#expired = true;
        this.#state?.cancel('the dispatch ran out of time');
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
    this.#failFast();
    this.#carryOut();
  }

  /** An electron left before its assignment reached it: the agent's place is free again. */
  undeliverable(to: Address, message: Message): void {
    if (message.type !== 'attempt.assigned' || !('agent' in message) || !isAgentKey(message.agent)) return;
    const { dispatch, node } = parseTaskId(to.slice(to.lastIndexOf('.') + 1));
    const task = taskIdOf(dispatch, node);
    this.#s.system.send(this.#matchmaker, { type: 'attempt.abandoned', agent: message.agent, task }, this.#self);
  }

  /** Stops the electron actors: the dispatch ended, or this supervisor crashed and begins again from its records. */
  dispose(): void {
    this.#deadline?.cancel();
    for (const node of this.#electrons)
      this.#s.system.stop(this.#s.system.address('electron', taskIdOf(this.#id, node)));
    this.#electrons.clear();
  }

  #cancelRequested(message: Extract<LatticeMessage, { type: 'lattice.cancel' }>): void {
    const answer = (result: Partial<CancelResult> & { readonly error?: ErrorInfo }): void => {
      const settled = { type: 'cancel.settled', request: message.request, ...result } as const;
      this.#s.system.send(this.#dispatcher, settled, this.#self);
    };
    try {
      this.#cancel(message.reason, message.electrons, answer);
    } catch (error) {
      answer({ error: errorInfoOf(error, 'STORE_FAILED') });
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
    const nodes =
      electrons === undefined ? undefined : electrons.flatMap((wanted) => findNodes(state.plan, wanted, this.#id));
    const affected = (nodes ?? Array.from({ length: state.plan.size }, (_, node) => node)).filter(
      (node) => !isTerminalElectron(state.status(node)),
    );
    if (nodes === undefined) {
      this.#cancelled ??= reason;
      this.#writeRecord('running');
    }
    state.cancel(reason, nodes);
    this.#cancels.add(state, affected, resolve);
    this.#carryOut();
    this.#settleCancels();
  }

  #begin(spec: DispatchSpec, graph: WireGraph): void {
    this.#spec = spec;
    this.#state = new LatticeState(new Plan(graph));
    this.#orders = new Orders(spec, this.#state);
    if (spec.timeoutMs > 0) {
      // Long timers are stored as wall-clock due time and full length: after a restart the rest counts.
      const left = Math.max(0, Math.min(spec.timeoutMs, spec.acceptedAt + spec.timeoutMs - this.#s.clock.now()));
      this.#deadline = this.#s.clock.after(left, () => this.#tell({ type: 'lattice.expired' }));
    }
  }

  #resume(message: Resume): void {
    this.#begin(message.spec, message.graph);
    const state = this.#state;
    if (state === undefined) return;
    this.#held = message.held;
    this.#startedAt = message.record.startedAt;
    this.#cancelled = message.record.cancel;
    this.#seq = message.record.seq;
    for (const expansion of message.expansions) state.restoreExpansion(expansion);
    const working = new Map<number, ElectronRecord>();
    for (const [node, record] of message.electrons) {
      this.#seq = Math.max(this.#seq, record.seq);
      if (isTerminalElectron(record.status) || state.plan.place(node).node.kind === 'map')
        state.restore(node, record.status, record.value, record.error, record.cause);
      else if (record.status !== 'ready' || record.attempt > 0) working.set(node, record);
    }
    state.resume((node) => working.has(node));
    for (const [node, record] of working) {
      if (state.status(node) !== 'assigned') continue;
      this.#spawn(node, record);
      if (record.status === 'ready') this.#request([node]);
    }
    if (message.record.status === 'accepted') this.#started();
    if (this.#cancelled !== undefined) this.#cancel(this.#cancelled, undefined, () => undefined);
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
    this.#s.spawnElectron(work, this.#services, restored);
  }

  #electronEnded(message: Extract<LatticeMessage, { type: 'electron.ended' }>): void {
    this.#electrons.delete(message.node);
    this.#state?.ended(message.node, message.status, message.value, message.error);
    if (message.unconfirmed === true)
      this.#cancels.unconfirmed(message.node, this.#state?.plan.nameOf(message.node) ?? '');
  }

  #failFast(): void {
    const state = this.#state;
    if (state === undefined || this.#spec?.failFast !== true || state.cancelled !== undefined) return;
    const failed = state.roots.find((node) => state.status(node) === 'failed');
    if (failed !== undefined) state.cancel(`failFast: ${state.plan.nameOf(failed)} failed`);
  }

  #carryOut(): void {
    const effects = this.#state?.takeEffects() ?? [];
    const ready: number[] = [];
    for (const effect of effects) {
      // What was cancelled in the same turn isn't asked for.
      if (effect.type !== 'ready') this.#effect(effect);
      else if (this.#state?.status(effect.node) === 'ready') ready.push(effect.node);
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
          (error: unknown) =>
            this.#tell({ type: 'map.sliced', map: effect.map, error: errorInfoOf(error, 'STORE_FAILED') }),
        );
        return;
      case 'expanded':
        this.#s.results.write({ op: 'expansion', id: this.#id, record: effect.record });
        return;
      case 'compose':
        this.#s.results.ask('results.compose', { elements: effect.elements }).then(
          ({ value }) => this.#tell({ type: 'map.composed', map: effect.map, value }),
          (error: unknown) =>
            this.#tell({ type: 'map.composed', map: effect.map, error: errorInfoOf(error, 'STORE_FAILED') }),
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
      ...(isTerminalElectron(status) ? { endedAt: this.#s.clock.now() } : {}),
      ...(value === undefined ? {} : { value }),
      ...(error === undefined ? {} : { error }),
      ...(cause === undefined ? {} : { cause }),
    };
    this.#s.results.write({
      op: 'electron',
      id: this.#id,
      node,
      // What the supervisor settles itself had no record before, but for a map that was being cancelled.
      was: was === 'cancelling' ? was : undefined,
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
    const { status, errors } = verdictOf(state, this.#cancelled !== undefined, this.#expired);
    const seq = ++this.#seq;
    this.#writeRecord(status, { errors, endedAt: this.#s.clock.now() });
    this.#publishAfterFlush(`dispatch.${status}`, seq);
    this.#settleCancels();
    this.dispose();
    this.#s.system.send(this.#matchmaker, { type: 'lattice.gone', dispatch: this.#id }, this.#self);
    this.#s.system.send(this.#dispatcher, { type: 'dispatch.ended', id: this.#id }, this.#self);
    this.#s.system.stop(this.#self);
    this.#s.onEnd();
  }

  #started(): void {
    this.#startedAt = this.#s.clock.now();
    this.#seq++;
    this.#writeRecord('running');
    this.#publishAfterFlush('dispatch.started', this.#seq);
  }

  #writeRecord(status: DispatchStatus, extra: Partial<DispatchRecord> = {}): void {
    const record: DispatchRecord = {
      status,
      seq: this.#seq,
      errors: [],
      ...(this.#startedAt === undefined ? {} : { startedAt: this.#startedAt }),
      ...(this.#cancelled === undefined ? {} : { cancel: this.#cancelled }),
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

/**
 * One per dispatch: carries out what LatticeState decides. Spawns electron actors for matched nodes, records what it settles itself, and ends the dispatch.
 * Order: decide (state.ts) → persist (results) → act (messages) → publish (after the flush).
 */
import type { Timer } from '../../model/clock.ts';
import type { WireGraph } from '../../model/graph.ts';
import { isAgentKey, parseTaskId, taskIdOf, type AgentKey, type DispatchId } from '../../model/ids.ts';
import { isTerminalElectron } from '../../model/lifecycle.ts';
import { errorInfoOf, type ErrorInfo, type ValueInfo } from '../../model/outcome.ts';
import type { LatticeMessage, MatchmakerMessage } from '../../bus/protocol/actors.ts';
import type { DispatchSpec, ElectronRecord } from '../../bus/protocol/results.ts';
import {
  electronServices,
  type ElectronServices,
  type ElectronWork,
  type HubServices,
  type SpawnElectron,
} from '../services.ts';
import type { Actor, Address, Message } from '../system.ts';
import { Cancels, type CancelResult } from './cancels.ts';
import { Claims } from './claims.ts';
import { explained } from './explain.ts';
import { InnerDispatches } from './inner.ts';
import { findNodes } from './find.ts';
import { LatticeJournal } from './journal.ts';
import { Maps } from './maps.ts';
import { Orders } from './orders.ts';
import { Plan } from '../../model/plan.ts';
import type { Effect } from './effects.ts';
import { judgesOf, reuseFor, type Reuse } from './reuse.ts';
import type { ReuseTables } from './reuse-table.ts';
import { LatticeState } from './state.ts';
import { StrictGate } from './strict-gate.ts';
import { Stops } from './stops.ts';
import { failFast, verdictOf } from './verdict.ts';

export interface SupervisorServices extends HubServices {
  readonly spawnElectron: SpawnElectron;
  readonly reuseTables: ReuseTables;
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
  #resumed = false;
  #ended = false;
  #gate: StrictGate | undefined;
  #expired = false;
  #deadline: Timer | undefined;
  readonly #journal: LatticeJournal;
  #claims: Claims | undefined;
  #maps: Maps | undefined;
  #inner: InnerDispatches | undefined;
  #reuse: Reuse | undefined;
  readonly #electrons = new Set<number>();
  readonly #services: ElectronServices;
  readonly #cancels = new Cancels();
  readonly #stops: Stops;

  constructor(id: DispatchId, services: SupervisorServices) {
    this.#id = id;
    this.#s = services;
    this.#self = services.system.address('lattice', id);
    this.#dispatcher = services.system.address('dispatcher', 'main');
    this.#matchmaker = services.system.address('matchmaker', 'main');
    this.#stops = new Stops(services.system, this.#self, id, (node, reason) => this.#inner?.leave(node, reason));
    this.#journal = new LatticeJournal(id, services);
    this.#services = electronServices(services, {
      supervisor: this.#self,
      matchmaker: this.#matchmaker,
      nextSeq: () => ++this.#journal.seq,
      lastSeq: () => this.#journal.seq,
      resumed: () => this.#resumed,
    });
  }

  receive(message: LatticeMessage): void {
    switch (message.type) {
      case 'lattice.start':
        this.#begin(message.spec, message.graph);
        this.#journal.started();
        this.#state?.start();
        break;
      case 'lattice.resume':
        this.#resume(message);
        break;
      case 'lattice.cancel':
        this.#cancelRequested(message);
        break;
      case 'lattice.explain':
        return this.#s.system.send(this.#dispatcher, explained(this.#state, message), this.#self);
      case 'lattice.expired':
        this.#expired = true;
        this.#state?.cancel('the dispatch ran out of time');
        break;
      case 'lattice.continue':
        this.#reuse?.turn();
        this.#stops.go(true);
        break;
      case 'match.found':
        this.#matched(message.agent, message.nodes);
        break;
      case 'attempt.claimed':
        this.#claims?.claimed(message);
        break;
      case 'electron.ended':
        this.#electronEnded(message);
        break;
      case 'map.sliced':
        this.#maps?.sliced(message);
        break;
      case 'map.composed':
        this.#maps?.composed(message);
        break;
      case 'lattice.entered':
        this.#inner?.entered(message);
        break;
      case 'lattice.left':
        this.#state?.left(message.node, message.status, message.value, message.error);
        break;
    }
    if (this.#state !== undefined && this.#spec?.failFast === true) failFast(this.#state);
    this.#carryOut();
  }

  /** An electron left before its assignment reached it: the agent's place is free again. */
  undeliverable(to: Address, message: Message): void {
    if (message.type !== 'attempt.assigned' || !('agent' in message) || !isAgentKey(message.agent)) return;
    const { dispatch, node } = parseTaskId(to.slice(to.lastIndexOf('.') + 1));
    const task = taskIdOf(dispatch, node);
    this.#tellMatchmaker({ type: 'attempt.abandoned', agent: message.agent, task });
  }

  /** This supervisor crashed and begins again from its records: what its electrons have not recorded yet must be in them. */
  abandon(): void {
    this.#ended = true;
    this.#s.moment.end();
    this.dispose();
  }

  /** Stops the electron actors and the clock. */
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
    const nodes = electrons === undefined ? undefined : findNodes(state.plan, electrons, this.#id);
    const affected = (nodes ?? Array.from({ length: state.plan.size }, (_, node) => node)).filter(
      (node) => !isTerminalElectron(state.status(node)),
    );
    if (nodes === undefined) {
      this.#journal.cancelled ??= reason;
      this.#journal.record('running');
    }
    state.cancel(reason, nodes);
    this.#cancels.add(state, affected, resolve);
    this.#carryOut();
    this.#settleCancels();
  }

  #begin(spec: DispatchSpec, graph: WireGraph): void {
    this.#spec = spec;
    this.#state = new LatticeState(new Plan(graph), judgesOf(spec, graph));
    this.#reuse = reuseFor(spec, this.#state, this.#s, () => this.#tell({ type: 'lattice.continue' }));
    this.#orders = new Orders(spec, this.#state, (task) => this.#s.system.address('electron', task));
    this.#journal.begin(spec);
    this.#maps = new Maps({ state: this.#state, results: this.#s.results, tell: (answer) => this.#tell(answer) });
    this.#inner = new InnerDispatches({
      ...this.#s,
      spec,
      state: this.#state,
      supervisor: this.#self,
      dispatcher: this.#dispatcher,
    });
    this.#gate = new StrictGate(this.#s.results, spec.durability === 'strict');
    this.#claims = new Claims({
      dispatch: this.#id,
      system: this.#s.system,
      supervisor: this.#self,
      matchmaker: this.#matchmaker,
      state: this.#state,
      working: (node) => this.#electrons.has(node),
      begin: (node, inputsDigest) => {
        // What was an electron before may be a map now: maps are numbered as they are expanded.
        const work = this.#state?.plan.place(node).node.kind === 'electron' ? this.#work(node) : undefined;
        return work?.inputsDigest === inputsDigest && this.#state?.assigned(node) === true && this.#spawn(work);
      },
    });
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
    this.#gate?.recorded();
    this.#resumed = true;
    this.#tellMatchmaker({ type: 'lattice.resumed', dispatch: this.#id });
    this.#journal.restore(message.record);
    for (const expansion of message.expansions) state.restoreExpansion(expansion);
    const working = new Map<number, ElectronRecord>();
    for (const [node, record] of message.electrons) {
      this.#journal.seq = Math.max(this.#journal.seq, record.seq);
      if (isTerminalElectron(record.status) || state.plan.place(node).node.kind !== 'electron')
        state.restore(node, record.status, record.value, record.error, record.cause);
      else working.set(node, record);
    }
    state.resume((node) => working.has(node));
    this.#inner?.resume();
    const requested: number[] = [];
    for (const [node, record] of working) {
      if (state.status(node) !== 'assigned') continue;
      this.#spawn(this.#work(node), record);
      if (record.status === 'ready') requested.push(node);
    }
    if (requested.length > 0) this.#request(requested);
    if (message.record.status === 'accepted') this.#journal.started();
    const { cancelled } = this.#journal;
    if (cancelled !== undefined) this.#cancel(cancelled, undefined, () => undefined);
  }

  #matched(agent: AgentKey, nodes: readonly number[]): void {
    const assigned = { type: 'attempt.assigned', agent } as const;
    for (const node of nodes) {
      if (this.#electrons.has(node)) {
        this.#s.system.send(this.#s.system.address('electron', taskIdOf(this.#id, node)), assigned, this.#self);
      } else if (this.#state?.assigned(node) === true) {
        const work = this.#work(node);
        if (work !== undefined && this.#spawn(work)) this.#s.system.send(work.address, assigned, this.#self);
      } else {
        const task = taskIdOf(this.#id, node);
        this.#tellMatchmaker({ type: 'attempt.abandoned', agent, task });
      }
    }
  }

  #work(node: number): ElectronWork | undefined {
    return this.#orders?.work(node, this.#made);
  }
  readonly #made = (value: ValueInfo, bytes: Uint8Array): void => {
    this.#s.values.put(value.digest, bytes);
    this.#s.results.write({ op: 'value', digest: value.digest, bytes });
  };

  #spawn(work: ElectronWork | undefined, restored?: ElectronRecord): boolean {
    if (work === undefined) return false;
    this.#electrons.add(work.node);
    this.#s.spawnElectron(work, this.#services, restored);
    return true;
  }

  #electronEnded(message: Extract<LatticeMessage, { type: 'electron.ended' }>): void {
    this.#electrons.delete(message.node);
    this.#state?.ended(message.node, message.status, message.value, message.error);
    if (message.unconfirmed === true)
      this.#cancels.unconfirmed(message.node, this.#state?.plan.nameOf(message.node) ?? '');
  }

  #carryOut(): void {
    const ready: number[] = [];
    const withdrawn: number[] = [];
    do this.#carryOutSome(ready, withdrawn);
    while (this.#reuse?.go() === true);
    if (withdrawn.length > 0) this.#tellMatchmaker({ type: 'match.withdraw', dispatch: this.#id, nodes: withdrawn });
    if (ready.length > 0) this.#gate?.pass((waited) => (waited ? this.#requestLater(ready) : this.#request(ready)));
    this.#stops.go();
    this.#settleCancels();
  }

  #carryOutSome(ready: number[], withdrawn: number[]): void {
    for (const effect of this.#state?.takeEffects() ?? []) {
      // What was cancelled in the same turn isn't asked for, and neither is what an agent has had since before a restart.
      if (effect.type === 'withdraw') withdrawn.push(effect.node);
      else if (effect.type === 'cancel' || effect.type === 'leave') this.#stops.add(effect);
      else if (effect.type === 'judge') this.#reuse?.add(effect.node);
      else if (effect.type !== 'ready') {
        this.#effect(effect);
        if (effect.type === 'settled' || effect.type === 'expanded') this.#gate?.recorded();
      } else if (this.#state?.status(effect.node) === 'ready' && this.#claims?.ready(effect.node) !== true) {
        // Its actor holds its clock from now on (docs/adr/009).
        if (this.#orders?.isTimed(effect.node) === true && this.#state.assigned(effect.node))
          this.#spawn(this.#work(effect.node));
        ready.push(effect.node);
      }
    }
  }

  /** Some may have been cancelled or adopted while they waited. */
  #requestLater(nodes: readonly number[]): void {
    const timed = (node: number): boolean => this.#orders?.isTimed(node) === true && this.#electrons.has(node);
    const ready = nodes.filter((node) => this.#state?.status(node) === 'ready' || timed(node));
    if (!this.#ended) this.#request(ready);
  }

  #request(nodes: readonly number[]): void {
    for (const request of this.#orders?.requests(nodes, this.#resumed) ?? []) this.#tellMatchmaker(request);
  }

  #effect(effect: Exclude<Effect, { type: 'ready' | 'judge' | 'withdraw' | 'cancel' | 'leave' }>): void {
    switch (effect.type) {
      case 'settled':
        if (isTerminalElectron(effect.status)) this.#claims?.ended(effect.node);
        if (this.#state !== undefined) this.#journal.settled(effect, this.#state.plan);
        this.#reuse?.settled(effect.node);
        return;
      case 'slice':
        this.#maps?.slice(effect.map, effect.value);
        return;
      case 'expanded':
        this.#s.results.write({ op: 'expansion', id: this.#id, record: effect.record });
        return;
      case 'compose':
        this.#maps?.compose(effect);
        return;
      case 'enter':
        this.#inner?.enter(effect.node, effect.digest);
        return;
      case 'ended':
        this.#end();
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
    const { status, errors } = verdictOf(state, this.#journal.cancelled !== undefined, this.#expired);
    this.#journal.ended(status, errors);
    this.#claims?.close();
    this.#settleCancels();
    this.dispose();
    this.#tellMatchmaker({ type: 'lattice.gone', dispatch: this.#id });
    this.#s.system.send(this.#dispatcher, { type: 'dispatch.ended', id: this.#id }, this.#self);
    this.#inner?.ended(status, errors);
    this.#s.system.stop(this.#self);
    this.#s.onEnd();
  }

  #tellMatchmaker(message: MatchmakerMessage): void {
    this.#s.system.send(this.#matchmaker, message, this.#self);
  }
  #tell(message: LatticeMessage): void {
    this.#s.system.send(this.#self, message, this.#self);
  }
}

/**
 * Runs a LatticeState as its supervisor and the electrons' actors do, with what each node gives decided by its name, and keeps the records that
 * would be on disk, in order. A run may be stopped after any of them and another begun from what is left.
 */
import { digestOf } from '../../../bus/value/digest.ts';
import type { Effect } from '../../../actors/lattice/effects.ts';
import { LatticeState } from '../../../actors/lattice/state.ts';
import type { WireGraph } from '../../../model/graph.ts';
import { isTerminalElectron, type ElectronStatus } from '../../../model/lifecycle.ts';
import type { ErrorInfo, ValueInfo } from '../../../model/outcome.ts';
import { Plan } from '../../../model/plan.ts';
import type { ExpansionRecord } from '../../../model/records.ts';
import { valueNamed } from './graphs.ts';

export type Kept =
  | { readonly type: 'expansion'; readonly record: ExpansionRecord }
  | { readonly type: 'assigned' | 'entered' | 'cancelling'; readonly node: number }
  | {
      readonly type: 'ended';
      readonly node: number;
      readonly status: ElectronStatus;
      readonly value: ValueInfo | undefined;
      readonly error: ErrorInfo | undefined;
      readonly cause: number | undefined;
    };

/** What a node gives, by its full name. `length` of a value: elements when it is a list. */
export interface World {
  readonly fails: (name: string) => boolean;
  readonly length: (name: string) => number | undefined;
}

/** `inner`: the dispatch of a lattice's node runs, and ends when it is answered. */
type Ask = Extract<Effect, { type: 'slice' | 'compose' | 'enter' }> | { readonly type: 'inner'; readonly node: number };

const itemsOf = (value: ValueInfo, name: string, world: World): ValueInfo[] =>
  Array.from({ length: value.length ?? 0 }, (_, i) => {
    const length = world.length(`${name} item ${i}`);
    return {
      digest: digestOf(Buffer.from(`${value.digest}${i}`)),
      size: 5,
      ...(length === undefined ? {} : { length }),
    };
  });

export class LatticeRun {
  readonly state: LatticeState;
  readonly kept: Kept[] = [];
  /** Nodes in the hands of an agent. */
  readonly working = new Set<number>();
  readonly ready: number[] = [];
  readonly asks: Ask[] = [];
  readonly seen: Effect[] = [];
  ends = 0;
  readonly #world: World;
  readonly #graph: WireGraph;
  readonly #stopping = new Set<number>();

  constructor(graph: WireGraph, world: World, from?: readonly Kept[]) {
    this.#graph = graph;
    this.#world = world;
    this.state = new LatticeState(new Plan(graph));
    if (from === undefined) this.state.start();
    else this.#restore(from);
    this.carryOut();
  }

  /** As LatticeSupervisor does on `lattice.resume`. */
  #restore(from: readonly Kept[]): void {
    const busy = new Set<number>();
    const last = new Map<number, Kept>();
    for (const kept of from) {
      this.kept.push(kept);
      if (kept.type === 'expansion') this.state.restoreExpansion(kept.record);
      else last.set(kept.node, kept);
    }
    for (const [node, kept] of [...last].sort(([a], [b]) => a - b)) {
      if (kept.type === 'ended') this.state.restore(node, kept.status, kept.value, kept.error, kept.cause);
      else if (kept.type !== 'assigned') {
        const status = kept.type === 'entered' ? 'running' : 'cancelling';
        this.state.restore(node, status, undefined, undefined, undefined);
      } else busy.add(node);
    }
    this.state.resume((node) => busy.has(node));
    this.#enterAgain();
    for (const node of busy) if (this.state.status(node) === 'assigned') this.working.add(node);
  }

  /** As InnerDispatches does: those that run are asked for, those that aren't wanted are told again. */
  #enterAgain(): void {
    for (let node = 0; node < this.state.plan.size; node++) {
      const status = this.state.status(node);
      if (this.state.plan.place(node).node.kind !== 'lattice') continue;
      if (status === 'cancelling') this.#stopping.add(node);
      if (status === 'running' || status === 'cancelling') this.asks.push({ type: 'inner', node });
    }
  }

  carryOut(): void {
    for (const effect of this.state.takeEffects()) {
      this.seen.push(effect);
      switch (effect.type) {
        case 'ready':
          this.ready.push(effect.node);
          break;
        case 'settled': {
          const { node, status, value, error, cause } = effect;
          if (status === 'cancelling') this.kept.push({ type: 'cancelling', node });
          else if (status === 'running') this.kept.push({ type: 'entered', node });
          else this.kept.push({ type: 'ended', node, status, value, error, cause });
          break;
        }
        case 'expanded':
          this.kept.push({ type: 'expansion', record: effect.record });
          break;
        case 'slice':
        case 'compose':
        case 'enter':
          this.asks.push(effect);
          break;
        case 'cancel':
        case 'leave':
          this.#stopping.add(effect.node);
          break;
        case 'judge': // of those that take values over: reuse.test.ts
        case 'withdraw':
          break;
        case 'ended':
          this.ends++;
      }
    }
  }

  get idle(): boolean {
    return this.ready.length + this.working.size + this.asks.length === 0;
  }

  /** One thing happens, chosen by `random`. */
  step(random: (below: number) => number): void {
    const pick = random(this.ready.length + this.working.size + this.asks.length);
    if (pick < this.ready.length) {
      const [node = -1] = this.ready.splice(pick, 1);
      if (this.state.assigned(node)) {
        this.kept.push({ type: 'assigned', node });
        this.working.add(node);
      }
    } else if (pick < this.ready.length + this.working.size) {
      this.finish([...this.working][pick - this.ready.length] ?? -1);
    } else {
      const [ask] = this.asks.splice(pick - this.ready.length - this.working.size, 1);
      if (ask !== undefined) this.answer(ask);
    }
    this.carryOut();
  }

  /** An electron ends as its name says, or cancelled when that was asked for. */
  finish(node: number, status?: ElectronStatus): void {
    this.working.delete(node);
    const name = this.state.plan.nameOf(node);
    const length = this.#world.length(name);
    const is = status ?? (this.#stopping.has(node) ? 'cancelled' : this.#world.fails(name) ? 'failed' : 'completed');
    const value = is === 'completed' ? valueNamed(name, length) : undefined;
    const error = is === 'failed' ? { code: 'TASK_THREW', message: `${name} threw` } : undefined;
    this.kept.push({ type: 'ended', node, status: is, value, error, cause: undefined });
    this.state.ended(node, is, value, error);
    this.carryOut();
  }

  answer(ask: Ask): void {
    const name = this.state.plan.nameOf('map' in ask ? ask.map : ask.node);
    if (ask.type === 'slice') this.state.sliced(ask.map, itemsOf(ask.value, name, this.#world));
    else if (ask.type === 'enter') {
      if (this.#world.fails(`${name} drawn`))
        this.state.left(ask.node, 'failed', undefined, { code: 'GRAPH_INVALID', message: 'not a graph' });
      else if (this.state.entered(ask.node)) this.asks.push({ type: 'inner', node: ask.node });
    } else if (ask.type === 'inner') this.#leave(ask.node, name);
    else if (this.#world.fails(`${name} composed`))
      this.state.mapFailed(ask.map, { code: 'STORE_FAILED', message: 'no room' });
    else this.state.composed(ask.map, valueNamed(`list ${JSON.stringify(ask.elements)}`, ask.elements.length));
    this.carryOut();
  }

  #leave(node: number, name: string): void {
    if (this.#stopping.has(node)) this.state.left(node, 'cancelled', undefined, undefined);
    else if (this.#world.fails(name))
      this.state.left(node, 'failed', undefined, { code: 'TASK_THREW', message: `inner: ${name} threw` });
    else this.state.left(node, 'completed', valueNamed(name, this.#world.length(name)), undefined);
  }

  run(random: (below: number) => number, watch: (run: LatticeRun) => void = () => undefined): this {
    for (let steps = 0; !this.idle; steps++) {
      if (steps > 100_000) throw new Error('the run does not end');
      this.step(random);
      watch(this);
    }
    return this;
  }

  /** The same lattice begun anew from the first `count` records. */
  restarted(count: number): LatticeRun {
    return new LatticeRun(this.#graph, this.#world, this.kept.slice(0, count));
  }

  statuses(): Record<string, ElectronStatus> {
    const found: Record<string, ElectronStatus> = {};
    for (let node = 0; node < this.state.plan.size; node++)
      found[this.state.plan.nameOf(node)] = this.state.status(node);
    return found;
  }

  /** Digests of the values that there are. */
  values(): Record<string, string> {
    const found: Record<string, string> = {};
    for (let node = 0; node < this.state.plan.size; node++) {
      const value = this.state.value(node);
      if (value !== undefined) found[this.state.plan.nameOf(node)] = value.digest;
    }
    return found;
  }
  /** Names of nodes that have not ended. */
  unfinished(): string[] {
    return Object.entries(this.statuses()).flatMap(([name, status]) => (isTerminalElectron(status) ? [] : [name]));
  }
  rootFailures(): string[] {
    const { state } = this;
    return state.roots
      .filter((node) => state.status(node) === 'failed')
      .map((node) => state.plan.nameOf(node))
      .sort();
  }
}

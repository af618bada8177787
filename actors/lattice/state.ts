/**
 * What a lattice supervisor knows and decides: which nodes are ready, what a failure blocks, when the dispatch is over. Pure: no I/O, no clock.
 *
 * L1. A node is ready when every parent, by data or by order, has a value; it is skipped as soon as one of them ended without.
 * L2. Statuses change by `nextStatus` only; an event that the machine doesn't know is a bug and crashes the supervisor.
 * L3. The dispatch ends when no node can change any more; it is completed when every value that its output needs exists.
 * L4. An electron that is being worked on ends by its actor's word alone: a cancel asks for it, and an outcome queued earlier stands (H10).
 * L5. What rejects an item of a map that collects is told in that map's value: it is no root of a failure.
 */
import { PolaronError } from '../../model/errors.ts';
import { hasValue, isTerminalElectron, type ElectronStatus } from '../../model/lifecycle.ts';
import type { Input } from '../../model/graph.ts';
import { isDigest, type Digest } from '../../model/ids.ts';
import type { ErrorInfo, ValueInfo, ValueOrigin } from '../../model/outcome.ts';
import type { ExpansionRecord, ListElement } from '../../bus/protocol/results.ts';
import { nextStatus, type LifecycleEvent } from '../machine.ts';
import type { Place, Plan } from '../../model/plan.ts';
import { reasonOf } from '../../model/reason.ts';
import type { NodeFailure } from '../../model/records.ts';
import { Collected, collects } from './collected.ts';
import type { Effect } from './effects.ts';
import { MapRuns } from './map-runs.ts';
import { NodeTable } from './node-table.ts';
import { notAnArray } from './not-an-array.ts';
import type { Reusable } from './reuse-table.ts';

const idle = (): boolean => false;

export class LatticeState {
  readonly plan: Plan;
  readonly #nodes: NodeTable;
  readonly #values = new Map<number, ValueInfo>();
  readonly #errors = new Map<number, ErrorInfo>();
  readonly #causes = new Map<number, number>();
  readonly #maps: MapRuns;
  readonly #collected: Collected;
  /** Nodes that failed or were cancelled by themselves, in order; without those that a map collects. */
  readonly roots: number[] = [];
  #open: number;
  cancelled: string | undefined;
  #effects: Effect[] = [];
  readonly #judges: ((electron: number) => boolean) | undefined;
  #busy: (node: number) => boolean = idle;

  /** `judges`: of which electrons somebody else says whether they have to run, by the indices of their definitions. */
  constructor(plan: Plan, judges?: (electron: number) => boolean) {
    this.plan = plan;
    this.#judges = judges;
    this.#open = plan.size;
    this.#nodes = new NodeTable(plan.root());
    this.#maps = new MapRuns(plan);
    this.#collected = new Collected(plan, (node) => this.status(node));
  }

  status(node: number): ElectronStatus {
    return this.#nodes.status(node);
  }
  value(node: number): ValueInfo | undefined {
    return this.#values.get(node);
  }
  error(node: number): ErrorInfo | undefined {
    return this.#errors.get(node);
  }
  /** The element that an item of a map works on. */
  item(map: number, item: number): ValueInfo | undefined {
    return this.#maps.item(map, item);
  }
  get open(): number {
    return this.#open;
  }
  /** What was decided since the last call, in order. */
  takeEffects(): Effect[] {
    const effects = this.#effects;
    this.#effects = [];
    return effects;
  }

  /** Finds what is ready at the beginning. */
  start(): void {
    for (let node = 0; node < this.plan.size; node++) if (this.#nodes.waitsForNone(node)) this.#release(node);
    this.#checkEnd();
  }

  /** Puts back what the records say, before `start` of a resumed dispatch. Children of expanded maps come after `restoreExpansion`. */
  restoreExpansion(record: ExpansionRecord): void {
    this.#apply(record.map, 'inputs.ready');
    this.#grow(record);
  }
  restore(
    node: number,
    status: ElectronStatus,
    value: ValueInfo | undefined,
    error: ErrorInfo | undefined,
    cause: number | undefined,
  ): void {
    if (this.#kind(node) === 'lattice' && (status === 'running' || status === 'cancelling')) {
      this.#apply(node, 'inputs.ready');
      this.#apply(node, 'inner.begun');
    }
    if (status === 'cancelling' && this.#kind(node) !== 'electron') this.#apply(node, 'electron.cancel');
    if (!isTerminalElectron(status)) return;
    this.#nodes.set(node, status);
    if (value !== undefined) this.#values.set(node, value);
    if (error !== undefined) this.#errors.set(node, error);
    if (cause !== undefined) this.#causes.set(node, cause);
    // A map without a cause failed by itself, and not with one of its items.
    const root = (status === 'failed' && cause === undefined) || status === 'cancelled';
    if (root && !this.#collected.takes(node)) this.roots.push(node);
    this.#open--;
    this.#maps.restored(node);
    if (hasValue(status)) for (const dependent of this.plan.dependentsOf(node)) this.#nodes.arrived(dependent);
  }
  /** After `restore` of everything: releases what can go on. `busy` tells nodes that an electron actor works on. */
  resume(busy: (node: number) => boolean): void {
    this.#busy = busy;
    for (let node = 0; node < this.plan.size; node++) {
      const status = this.status(node);
      if (isTerminalElectron(status) && !hasValue(status)) this.#skipDependents(node, this.#causes.get(node) ?? node);
      else if (status === 'waiting' && this.#nodes.waitsForNone(node) && this.plan.place(node).region.map < 0)
        this.#release(node);
    }
    for (const map of this.#maps.all) {
      if (isTerminalElectron(this.status(map))) continue;
      this.#beginItems(map);
      if (this.status(map) === 'cancelling') this.#cancelItems(map, 'cancelled before the hub restarted');
      this.#checkMap(map);
    }
    this.#busy = idle;
    this.#checkEnd();
  }

  /** Of a `judge`: its value is there already, or it has to run. */
  judged(node: number, found: Reusable | undefined): void {
    if (this.status(node) !== 'waiting') return;
    if (found !== undefined) return this.#settle(node, 'electron.reuse', found.value, undefined, undefined, found.from);
    this.#apply(node, 'inputs.ready');
    this.#effects.push({ type: 'ready', node });
  }

  /** A ready node was matched: an electron actor takes over. False when it isn't ready any more. */
  assigned(node: number): boolean {
    if (this.status(node) !== 'ready') return false;
    this.#apply(node, 'attempt.assigned');
    return true;
  }

  /** An electron actor ended its node (and recorded it). */
  ended(node: number, status: ElectronStatus, value: ValueInfo | undefined, error: ErrorInfo | undefined): void {
    if (isTerminalElectron(this.status(node))) return;
    if (status === 'completed') this.#apply(node, 'attempt.completed');
    else if (status === 'failed') this.#apply(node, 'attempt.failed');
    else {
      this.#apply(node, 'electron.cancel');
      this.#apply(node, 'attempt.stopped');
    }
    this.#close(node, value, error);
  }

  sliced(map: number, items: readonly ValueInfo[]): void {
    if (this.status(map) !== 'ready') return;
    const { node } = this.plan.place(map);
    const width = node.kind === 'map' ? node.body.nodes.length : 0;
    const record: ExpansionRecord = { map, base: this.plan.size, count: items.length * width, items };
    this.#effects.push({ type: 'expanded', record });
    this.#grow(record);
    this.#beginItems(map);
    this.#checkMap(map);
  }

  composed(map: number, value: ValueInfo): void {
    if (this.status(map) !== 'running') return;
    this.#settle(map, 'inner.completed', value, undefined);
  }

  /** A map node could not go on: its value is no array, or the store failed it. */
  mapFailed(map: number, error: ErrorInfo): void {
    const status = this.status(map);
    // A late answer about a map that is past it, after a restart of the supervisor, changes nothing.
    if (status !== 'ready' && !(status === 'running' && this.#maps.over(map))) return;
    this.#settle(map, status === 'ready' ? 'electron.fail' : 'inner.failed', undefined, error);
  }

  /** The graph of a lattice's node was read, and its dispatch begins. False: the node isn't waiting for that any more. */
  entered(node: number): boolean {
    if (this.status(node) !== 'ready') return false;
    this.#pass(node, 'inner.begun');
    return true;
  }

  /** The dispatch of a lattice's node ended, or can't begin. */
  left(node: number, status: ElectronStatus, value: ValueInfo | undefined, error: ErrorInfo | undefined): void {
    const now = this.status(node);
    if (now === 'ready') this.#settle(node, 'electron.fail', undefined, error);
    if (now === 'running' && status === 'cancelled') this.#pass(node, 'electron.cancel');
    if (this.status(node) === 'cancelling') this.#settle(node, 'attempt.stopped', undefined, undefined);
    else if (now === 'running')
      this.#settle(node, status === 'completed' ? 'inner.completed' : 'inner.failed', value, error);
  }

  /** Cancels everything, or these nodes. */
  cancel(reason: string, nodes?: readonly number[]): void {
    if (nodes === undefined) this.cancelled ??= reason;
    const wanted = nodes ?? Array.from({ length: this.plan.size }, (_, node) => node);
    for (const node of wanted) {
      const status = this.status(node);
      if (isTerminalElectron(status) || status === 'cancelling') continue;
      if (status === 'waiting' || status === 'ready') {
        if (status === 'ready') this.#effects.push({ type: 'withdraw', node });
        this.#settle(node, 'electron.cancel', undefined, undefined);
      } else if (this.#kind(node) !== 'electron') {
        this.#pass(node, 'electron.cancel');
        if (this.#maps.has(node)) this.#cancelItems(node, reason);
        else this.#effects.push({ type: 'leave', node, reason });
      } else this.#effects.push({ type: 'cancel', node, reason });
    }
  }

  #cancelItems(map: number, reason: string): void {
    this.cancel(reason, this.#maps.nodesOf(map));
    this.#checkMap(map);
  }

  /** Node ids that the output's values come from. */
  outputComplete(): boolean {
    return this.plan.graph.output.inputs.every((input) => typeof input !== 'number' || this.#values.has(input));
  }

  #kind(node: number): 'electron' | 'map' | 'lattice' {
    return this.plan.place(node).node.kind;
  }

  /** A step of what has no actor, that isn't its end. */
  #pass(node: number, event: LifecycleEvent): void {
    const was = this.#apply(node, event);
    this.#effects.push({ type: 'settled', node, was, status: this.status(node) });
  }

  #apply(node: number, event: LifecycleEvent): ElectronStatus {
    const was = this.status(node);
    const next = nextStatus(was, event);
    if (next === undefined)
      throw new PolaronError(
        'SUPERVISOR_FAILED',
        `node ${node} is ${was}: the electron machine has no transition for ${event}`,
      );
    this.#nodes.set(node, next);
    return was;
  }

  /** All parents have values. */
  #release(node: number): void {
    const place = this.plan.place(node);
    if (place.node.kind === 'electron' && this.#judges?.(place.node.electron) === true && !this.#busy(node)) {
      this.#effects.push({ type: 'judge', node });
      return;
    }
    this.#apply(node, 'inputs.ready');
    if (place.node.kind === 'electron') {
      if (this.#busy(node)) this.#apply(node, 'attempt.assigned');
      else this.#effects.push({ type: 'ready', node });
      return;
    }
    if (place.node.kind === 'lattice') {
      const digest = this.#digestOf(place, place.node.graph);
      if (digest !== undefined) this.#effects.push({ type: 'enter', node, digest });
      return;
    }
    const over = this.#over(place);
    if (over?.length === undefined) this.mapFailed(node, notAnArray(this.plan, node));
    else this.#effects.push({ type: 'slice', map: node, value: over });
  }

  #over(place: Place): ValueInfo | undefined {
    if (place.node.kind !== 'map') return undefined;
    const source = this.plan.source(place, place.node.over);
    if ('node' in source) return this.#values.get(source.node);
    if ('map' in source) return this.item(source.map, source.item);
    return undefined;
  }

  #digestOf(place: Place, input: Input): Digest | undefined {
    const source = this.plan.source(place, input);
    if ('node' in source) return this.#values.get(source.node)?.digest;
    return 'digest' in source && isDigest(source.digest) ? source.digest : undefined;
  }

  #grow(record: ExpansionRecord): void {
    this.#apply(record.map, 'inner.begun');
    const region = this.plan.expand(record.map, record.items.length);
    this.#nodes.grow(region);
    this.#open += record.items.length * region.nodes.length;
    this.#maps.add(record.map, region, record.items);
  }

  #beginItems(map: number): void {
    if (this.cancelled !== undefined) return;
    if (this.status(map) === 'cancelling' && this.#busy === idle) return;
    this.#maps.begin(map, this.#isOver, (from, to) => {
      for (let node = from; node < to; node++)
        if (this.#nodes.waitsForNone(node) && this.status(node) === 'waiting') this.#release(node);
    });
  }
  readonly #isOver = (node: number): boolean => isTerminalElectron(this.status(node));

  #settle(
    node: number,
    event: LifecycleEvent,
    value: ValueInfo | undefined,
    error: ErrorInfo | undefined,
    cause?: number,
    from?: ValueOrigin,
  ): void {
    const was = this.#apply(node, event);
    if (cause !== undefined) this.#causes.set(node, cause);
    this.#effects.push({
      type: 'settled',
      node,
      was,
      status: this.status(node),
      ...(value === undefined ? {} : { value }),
      ...(from === undefined ? {} : { from }),
      ...(error === undefined ? {} : { error }),
      ...(cause === undefined ? {} : { cause }),
    });
    this.#close(node, value, error);
  }

  /** A node came to its end: what waits for it goes on or is skipped. */
  #close(node: number, value: ValueInfo | undefined, error: ErrorInfo | undefined): void {
    const status = this.status(node);
    if (value !== undefined) this.#values.set(node, value);
    if (error !== undefined) this.#errors.set(node, error);
    const root = status === 'failed' ? !this.#causes.has(node) : status === 'cancelled' && this.cancelled === undefined;
    if (root && !this.#collected.takes(node)) this.roots.push(node);
    this.#open--;
    if (hasValue(status)) {
      for (const dependent of this.plan.dependentsOf(node)) {
        if (this.#nodes.arrived(dependent) === 0 && this.status(dependent) === 'waiting') this.#release(dependent);
      }
    } else if (status !== 'skipped' && this.cancelled === undefined)
      this.#skipDependents(node, this.#causes.get(node) ?? node);
    this.#leaveRegion(node);
    this.#checkEnd();
  }

  #skipDependents(node: number, cause: number): void {
    const stack = [node];
    for (let at = stack.pop(); at !== undefined; at = stack.pop()) {
      for (const dependent of this.plan.dependentsOf(at)) {
        if (this.status(dependent) !== 'waiting') continue;
        this.#settle(dependent, 'electron.skip', undefined, undefined, cause);
        stack.push(dependent);
      }
    }
  }

  #leaveRegion(node: number): void {
    const left = this.#maps.ended(node);
    if (left === undefined) return;
    if (left.item && !isTerminalElectron(this.status(left.map))) this.#beginItems(left.map);
    this.#checkMap(left.map);
  }

  #checkMap(map: number): void {
    if (!this.#maps.over(map) || isTerminalElectron(this.status(map))) return;
    if (this.status(map) === 'cancelling') {
      this.#settle(map, 'attempt.stopped', undefined, undefined);
      return;
    }
    const settled = collects(this.plan.place(map).node);
    const elements: ListElement[] = [];
    for (const output of this.#maps.outputsOf(map)) {
      const value = this.#values.get(output);
      if (value !== undefined) elements.push(value);
      else if (settled) elements.push(reasonOf(this.#failureOf(this.#collected.causeOf(output))));
      else {
        const cause = this.#causes.get(output) ?? output;
        const { node, error } = this.#failureOf(cause);
        this.#settle(map, 'inner.failed', undefined, { code: error.code, message: `${node}: ${error.message}` }, cause);
        return;
      }
    }
    if (this.#maps.composes(map)) this.#effects.push({ type: 'compose', map, elements, settled });
  }

  #failureOf(node: number): NodeFailure {
    const status = this.status(node);
    const code = status === 'cancelled' ? 'CANCELLED' : 'SKIPPED';
    return { node: this.plan.nameOf(node), error: this.#errors.get(node) ?? { code, message: status } };
  }

  #checkEnd(): void {
    if (this.#open === 0) this.#effects.push({ type: 'ended' });
  }
}

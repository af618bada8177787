/**
 * What a lattice supervisor knows and decides: which nodes are ready, what a failure blocks, when the dispatch is over. Pure: no I/O, no clock.
 *
 * L1. A node is ready when every parent, by data or by order, has a value; it is skipped as soon as one of them ended without.
 * L2. Statuses change by `nextStatus` only; an event that the machine doesn't know is a bug and crashes the supervisor.
 * L3. The dispatch ends when no node can change any more; it is completed when every value that its output needs exists.
 * L4. An electron that is being worked on ends by its actor's word alone: a cancel asks for it, and an outcome queued earlier stands (H10).
 */
import { PolaronError } from '../../model/errors.ts';
import { electronStatuses, hasValue, isTerminalElectron, type ElectronStatus } from '../../model/lifecycle.ts';
import type { ErrorInfo, ValueInfo } from '../../model/outcome.ts';
import type { ExpansionRecord } from '../../bus/protocol/results.ts';
import { nextStatus, type LifecycleEvent } from '../machine.ts';
import type { Place, Plan, Region } from '../../model/plan.ts';

export type Effect =
  | { readonly type: 'ready'; readonly node: number }
  /** A transition that this state decided and that must be recorded: an end, or a map's `cancelling`. */
  | {
      readonly type: 'settled';
      readonly node: number;
      readonly was: ElectronStatus;
      readonly status: ElectronStatus;
      readonly value?: ValueInfo;
      readonly error?: ErrorInfo;
      readonly cause?: number;
    }
  | { readonly type: 'withdraw'; readonly node: number }
  | { readonly type: 'cancel'; readonly node: number; readonly reason: string }
  | { readonly type: 'slice'; readonly map: number; readonly value: ValueInfo }
  | { readonly type: 'expanded'; readonly record: ExpansionRecord }
  | { readonly type: 'compose'; readonly map: number; readonly elements: readonly ValueInfo[] }
  | { readonly type: 'ended' };

const code = (status: ElectronStatus): number => electronStatuses.indexOf(status);
const idle = (): boolean => false;

interface MapRun {
  readonly region: Region;
  readonly items: readonly ValueInfo[];
  /** Body nodes that have not ended. */
  open: number;
  /** Items begun, and those whose output has not ended. */
  begun: number;
  active: number;
  composing: boolean;
}

export class LatticeState {
  readonly plan: Plan;
  #status: Uint8Array;
  #pending: Uint32Array;
  readonly #values = new Map<number, ValueInfo>();
  readonly #errors = new Map<number, ErrorInfo>();
  readonly #causes = new Map<number, number>();
  readonly #maps = new Map<number, MapRun>();
  /** Nodes that failed or were cancelled by themselves, in order. */
  readonly roots: number[] = [];
  #open: number;
  cancelled: string | undefined;
  #effects: Effect[] = [];
  #busy: (node: number) => boolean = idle;

  constructor(plan: Plan) {
    this.plan = plan;
    this.#open = plan.size;
    this.#status = new Uint8Array(plan.size);
    this.#pending = new Uint32Array(plan.size);
    this.#pending.set(plan.root().links.parents);
  }

  status(node: number): ElectronStatus {
    return electronStatuses[this.#status[node] ?? 0] ?? 'waiting';
  }
  value(node: number): ValueInfo | undefined {
    return this.#values.get(node);
  }
  error(node: number): ErrorInfo | undefined {
    return this.#errors.get(node);
  }
  /** The element that an item of a map works on. */
  item(map: number, item: number): ValueInfo | undefined {
    return this.#maps.get(map)?.items[item];
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
    for (let node = 0; node < this.plan.size; node++) if (this.#pending[node] === 0) this.#release(node);
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
    if (status === 'cancelling' && this.#maps.has(node)) this.#apply(node, 'electron.cancel');
    if (!isTerminalElectron(status)) return;
    this.#status[node] = code(status);
    if (value !== undefined) this.#values.set(node, value);
    if (error !== undefined) this.#errors.set(node, error);
    if (cause !== undefined) this.#causes.set(node, cause);
    // A map without a cause failed by itself, and not with one of its items.
    if ((status === 'failed' && cause === undefined) || status === 'cancelled') this.roots.push(node);
    this.#open--;
    const run = this.#maps.get(this.plan.place(node).region.map);
    if (run !== undefined) run.open--;
    if (hasValue(status))
      for (const dependent of this.plan.dependentsOf(node))
        this.#pending[dependent] = (this.#pending[dependent] ?? 1) - 1;
  }
  /** After `restore` of everything: releases what can go on. `busy` tells nodes that an electron actor works on. */
  resume(busy: (node: number) => boolean): void {
    this.#busy = busy;
    for (let node = 0; node < this.plan.size; node++) {
      const status = this.status(node);
      if (isTerminalElectron(status) && !hasValue(status)) this.#skipDependents(node, this.#causes.get(node) ?? node);
      else if (status === 'waiting' && this.#pending[node] === 0 && this.plan.place(node).region.map < 0)
        this.#release(node);
    }
    for (const map of [...this.#maps.keys()]) {
      if (isTerminalElectron(this.status(map))) continue;
      this.#beginItems(map);
      if (this.status(map) === 'cancelling') this.#cancelItems(map, 'cancelled before the hub restarted');
      this.#checkMap(map);
    }
    this.#busy = idle;
    this.#checkEnd();
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
    this.#settle(map, 'items.completed', value, undefined);
  }

  /** A map node could not go on: its value is no array, or the store failed it. */
  mapFailed(map: number, error: ErrorInfo): void {
    const status = this.status(map);
    // A late answer about a map that is past it, after a restart of the supervisor, changes nothing.
    if (status !== 'ready' && !(status === 'running' && this.#maps.get(map)?.open === 0)) return;
    this.#settle(map, status === 'ready' ? 'electron.fail' : 'items.failed', undefined, error);
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
      } else if (this.#isMap(node)) {
        const was = this.#apply(node, 'electron.cancel');
        this.#effects.push({ type: 'settled', node, was, status: 'cancelling' });
        this.#cancelItems(node, reason);
      } else this.#effects.push({ type: 'cancel', node, reason });
    }
  }

  #cancelItems(map: number, reason: string): void {
    const run = this.#maps.get(map);
    if (run === undefined) return;
    const { base, items, nodes } = run.region;
    this.cancel(
      reason,
      Array.from({ length: items * nodes.length }, (_, i) => base + i),
    );
    this.#checkMap(map);
  }

  /** Node ids that the output's values come from. */
  outputComplete(): boolean {
    return this.plan.graph.output.inputs.every((input) => typeof input !== 'number' || this.#values.has(input));
  }

  #isMap(node: number): boolean {
    return this.plan.place(node).node.kind === 'map';
  }

  #apply(node: number, event: LifecycleEvent): ElectronStatus {
    const was = this.status(node);
    const next = nextStatus(was, event);
    if (next === undefined)
      throw new PolaronError(
        'SUPERVISOR_FAILED',
        `node ${node} is ${was}: the electron machine has no transition for ${event}`,
      );
    this.#status[node] = code(next);
    return was;
  }

  /** All parents have values. */
  #release(node: number): void {
    this.#apply(node, 'inputs.ready');
    const place = this.plan.place(node);
    if (place.node.kind === 'electron') {
      if (this.#busy(node)) this.#apply(node, 'attempt.assigned');
      else this.#effects.push({ type: 'ready', node });
      return;
    }
    const over = this.#over(place);
    if (over?.length === undefined) {
      this.mapFailed(node, {
        code: 'MAP_ARG',
        message: `map "${this.plan.nameOf(node)}": the value it runs over is not an array`,
      });
    } else this.#effects.push({ type: 'slice', map: node, value: over });
  }

  #over(place: Place): ValueInfo | undefined {
    if (place.node.kind !== 'map') return undefined;
    const source = this.plan.source(place, place.node.over);
    if ('node' in source) return this.#values.get(source.node);
    if ('map' in source) return this.item(source.map, source.item);
    return undefined;
  }

  #grow(record: ExpansionRecord): void {
    this.#apply(record.map, 'map.expanded');
    const region = this.plan.expand(record.map, record.items.length);
    const width = region.nodes.length;
    const status = new Uint8Array(this.plan.size);
    status.set(this.#status);
    const pending = new Uint32Array(this.plan.size);
    pending.set(this.#pending);
    for (let item = 0; item < record.items.length; item++)
      pending.set(region.links.parents, region.base + item * width);
    this.#status = status;
    this.#pending = pending;
    const open = record.items.length * width;
    this.#open += open;
    this.#maps.set(record.map, { region, items: record.items, open, begun: 0, active: 0, composing: false });
  }

  #beginItems(map: number): void {
    const run = this.#maps.get(map);
    const { node } = this.plan.place(map);
    if (run === undefined || node.kind !== 'map' || this.cancelled !== undefined) return;
    if (this.status(map) === 'cancelling' && this.#busy === idle) return;
    const limit = node.concurrency === 0 ? Number.POSITIVE_INFINITY : node.concurrency;
    const width = run.region.nodes.length;
    while (run.begun < run.items.length && run.active < limit) {
      const start = run.region.base + run.begun * width;
      if (!isTerminalElectron(this.status(this.plan.outputOf(run.region, run.begun)))) run.active++;
      run.begun++;
      for (let local = 0; local < width; local++) {
        if (this.#pending[start + local] === 0 && this.status(start + local) === 'waiting')
          this.#release(start + local);
      }
    }
  }

  #settle(
    node: number,
    event: LifecycleEvent,
    value: ValueInfo | undefined,
    error: ErrorInfo | undefined,
    cause?: number,
  ): void {
    const was = this.#apply(node, event);
    if (cause !== undefined) this.#causes.set(node, cause);
    this.#effects.push({
      type: 'settled',
      node,
      was,
      status: this.status(node),
      ...(value === undefined ? {} : { value }),
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
    const itself = status === 'failed' && this.#causes.get(node) === undefined;
    if (itself || (status === 'cancelled' && this.cancelled === undefined)) this.roots.push(node);
    this.#open--;
    if (hasValue(status)) {
      for (const dependent of this.plan.dependentsOf(node)) {
        const left = (this.#pending[dependent] ?? 1) - 1;
        this.#pending[dependent] = left;
        if (left === 0 && this.status(dependent) === 'waiting') this.#release(dependent);
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
    if (this.#maps.size === 0) return;
    const { region, item } = this.plan.place(node);
    const run = this.#maps.get(region.map);
    if (run === undefined) return;
    run.open--;
    if (node === this.plan.outputOf(region, item)) {
      // One of an item that had not begun (it was cancelled or skipped) held no place.
      if (item < run.begun) run.active--;
      if (!isTerminalElectron(this.status(region.map))) this.#beginItems(region.map);
    }
    this.#checkMap(region.map);
  }

  #checkMap(map: number): void {
    const run = this.#maps.get(map);
    if (run === undefined || run.open > 0 || isTerminalElectron(this.status(map))) return;
    if (this.status(map) === 'cancelling') {
      this.#settle(map, 'attempt.stopped', undefined, undefined);
      return;
    }
    const elements: ValueInfo[] = [];
    for (let item = 0; item < run.items.length; item++) {
      const output = this.plan.outputOf(run.region, item);
      const value = this.#values.get(output);
      if (value === undefined) {
        const cause = this.#causes.get(output) ?? output;
        const inner = this.#errors.get(cause);
        const message = `${this.plan.nameOf(cause)}: ${inner?.message ?? this.status(cause)}`;
        this.#settle(map, 'items.failed', undefined, { code: inner?.code ?? 'SKIPPED', message }, cause);
        return;
      }
      elements.push(value);
    }
    if (!run.composing) this.#effects.push({ type: 'compose', map, elements });
    run.composing = true;
  }

  #checkEnd(): void {
    if (this.#open === 0) this.#effects.push({ type: 'ended' });
  }
}

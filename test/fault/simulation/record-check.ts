/**
 * Judges what the disk holds at the end against the plan, the executors' log and what was told: `value`, `skipped`, `failed`, `cancelled`, `kept`, `clean`.
 * One dispatch at a time.
 */
import { innerIdOf } from '../../../bus/inner-id.ts';
import { decodeGraph } from '../../../bus/protocol/wire-graph.ts';
import { digestOf } from '../../../bus/value/digest.ts';
import { taskIdOf, type DispatchId } from '../../../model/ids.ts';
import { hasValue, isTerminalDispatch, isTerminalElectron } from '../../../model/lifecycle.ts';
import { sameToken, type ErrorInfo, type Token } from '../../../model/outcome.ts';
import { Plan } from '../../../model/plan.ts';
import { isFinalTimeout } from '../../../model/timeouts.ts';
import type { DispatchRecord, DispatchSpec, ElectronRecord } from '../../../model/records.ts';
import type { MemoryStore } from '../../../store/memory-store.ts';
import { decodeDispatch, decodeElectron, decodeExpansion, decodeSpec, keys } from '../../../store/records.ts';
import { show, type AttemptLog } from './attempts.ts';
import type { ElectronPlan } from './plan.ts';
import { Answers, type Known } from './answers.ts';
import type { Broken, PromiseName } from './promise.ts';

export interface DispatchCheck {
  readonly id: DispatchId;
  /** Nodes whose values are its result. */
  readonly output: readonly number[];
  readonly answers: Answers;
  readonly does: ReadonlyMap<string, ElectronPlan>;
  /** It may take values over. */
  readonly reuses: boolean;
  readonly attempts: ReadonlyMap<string, readonly AttemptLog[]>;
  /** Something of it may be cancelled: somebody asked for that, or its plan does. */
  readonly mayCancel: boolean;
  /** What the client's wait was told. */
  readonly told: { readonly status: string; readonly output?: readonly string[] } | undefined;
}

export const MOST_LOSSES = 10;

/** The records of one dispatch, with its maps expanded. */
export class FinalRecords implements Known {
  readonly plan: Plan;
  readonly dispatch: DispatchRecord;
  readonly electrons: readonly (ElectronRecord | undefined)[];
  readonly spec: DispatchSpec;
  /** The dispatches of its lattices, by node. */
  readonly inside: ReadonlyMap<number, { readonly id: DispatchId; readonly records: FinalRecords }>;

  /** What stands for the electron of this name. */
  readonly called: (name: string) => string;

  constructor(store: MemoryStore, id: DispatchId, called: (name: string) => string) {
    this.called = called;
    const spec = store.get(keys.spec(id));
    const dispatch = store.get(keys.dispatch(id));
    const graph = spec === undefined ? undefined : store.smallValue(decodeSpec(spec).graph.digest);
    if (spec === undefined || dispatch === undefined || graph === undefined)
      throw new Error(`${id} is not on the disk`);
    this.spec = decodeSpec(spec);
    this.plan = new Plan(decodeGraph(graph));
    this.dispatch = decodeDispatch(dispatch);
    for (const { value } of store.range(keys.expansionsOf(id))) {
      const { map, items } = decodeExpansion(value);
      if (this.plan.regionOf(map) === undefined) this.plan.expand(map, items.length);
    }
    this.electrons = Array.from({ length: this.plan.size }, (_, node) => {
      const bytes = store.get(keys.electron(id, node));
      return bytes === undefined ? undefined : decodeElectron(bytes);
    });
    this.inside = new Map(this.#inside(store, id));
  }

  token(node: number): Token | undefined {
    return this.electrons[node]?.token;
  }
  error(node: number): ErrorInfo | undefined {
    const record = this.electrons[node];
    if (record?.status === 'cancelled') return { code: 'CANCELLED', message: 'cancelled' };
    return record?.status === 'failed' ? record.error : undefined;
  }
  reused(node: number): string | undefined {
    const record = this.electrons[node];
    return record?.status === 'reused' ? (record.value?.digest ?? '') : undefined;
  }
  inner(node: number): FinalRecords | undefined {
    return this.inside.get(node)?.records;
  }

  /** An electron's, with its code; of anything else, nothing. */
  calledOf(node: number): string {
    const { node: wire } = this.plan.place(node);
    return wire.kind === 'electron' ? this.called(this.plan.graph.electrons[wire.electron]?.name ?? '') : '';
  }
  /** Nodes that each node waits for. */
  parents(): readonly (readonly number[])[] {
    const parents: number[][] = Array.from({ length: this.plan.size }, () => []);
    for (let node = 0; node < this.plan.size; node++)
      for (const dependent of this.plan.dependentsOf(node)) parents[dependent]?.push(node);
    return parents;
  }
  hasValue(node: number): boolean {
    const status = this.electrons[node]?.status;
    return status !== undefined && hasValue(status);
  }

  *#inside(store: MemoryStore, outer: DispatchId): Generator<[number, { id: DispatchId; records: FinalRecords }]> {
    for (let node = 0; node < this.plan.size; node++) {
      if (this.plan.place(node).node.kind !== 'lattice') continue;
      const id = innerIdOf(outer, this.plan.pathOf(node));
      if (store.get(keys.dispatch(id)) !== undefined)
        yield [node, { id, records: new FinalRecords(store, id, this.called) }];
    }
  }
}

export function checkDispatch(o: DispatchCheck, records: FinalRecords): readonly Broken[] {
  const broken: Broken[] = [];
  const { plan, electrons, dispatch } = records;
  const say = (promise: PromiseName, what: string): void => void broken.push({ promise, what: `${o.id}: ${what}` });
  const parents = records.parents();
  const { answers, mayCancel } = o;

  electrons.forEach((record, node) => {
    const name = `${plan.nameOf(node)} (${node})`;
    if (record === undefined) return say('ends', `${name} has no record`);
    const { status } = record;
    if (!isTerminalElectron(status)) return say('ends', `${name} is ${status}`);
    const without = parents[node]?.filter((parent) => !records.hasValue(parent)) ?? [];
    if (status === 'skipped') {
      const cause = record.cause === undefined ? undefined : electrons[record.cause];
      if (without.length === 0) say('skipped', `${name} was skipped, and all that it waited for has values`);
      if (cause?.status !== 'failed' && cause?.status !== 'cancelled')
        say('skipped', `${name} was skipped for ${record.cause}, which is ${cause?.status}`);
      return;
    }
    if (without.length > 0 && !(status === 'cancelled' && mayCancel))
      say('skipped', `${name} is ${status}, and ${without.join()} ended without a value`);
    if (status === 'reused' && !o.reuses) say('reused', `${name} is reused, and nobody asked for that`);
    if (status === 'completed' || status === 'reused') completed(o, records, node, name, record, answers, say);
    else if (record.value !== undefined) say('cancelled', `${name} is ${status} and has a value`);
    if (status === 'failed') failed(o, records, node, name, record, say);
    if (status === 'cancelled' && !mayCancel && records.inner(node)?.dispatch.status !== 'cancelled')
      say('cancelled', `${name} was cancelled, and nobody asked for that`);
  });

  if (!isTerminalDispatch(dispatch.status)) say('ends', `it is ${dispatch.status}`);
  const whole = o.output.every((node) => records.hasValue(node));
  if (whole !== (dispatch.status === 'completed'))
    say('value', `it is ${dispatch.status}, and its output ${whole ? 'is' : "isn't"} there`);
  if (o.told === undefined) return broken;
  if (o.told.status !== dispatch.status)
    say('kept', `${o.told.status} was told, and ${dispatch.status} is on the disk`);
  if (o.told.status !== 'completed' || !whole) return broken;
  const right = o.output.map((node) => digestOf(answers.of(node))).join();
  const told = o.told.output?.join();
  if (told !== right) say('value', `its result was told as ${told}; right is ${right}`);
  return broken;
}

type Say = (promise: PromiseName, what: string) => void;

function completed(
  { id, attempts }: DispatchCheck,
  records: FinalRecords,
  node: number,
  name: string,
  record: ElectronRecord,
  answers: Answers,
  say: Say,
): void {
  const right = digestOf(answers.of(node));
  if (record.value?.digest !== right) say('value', `${name} has the value ${record.value?.digest}; right is ${right}`);
  // of lattices inside: inner-check.ts
  if (records.plan.place(node).node.kind !== 'electron' || record.status === 'reused') return;
  const { token } = record;
  const attempt = attempts.get(taskIdOf(id, node))?.find((one) => token !== undefined && sameToken(one.token, token));
  if (attempt === undefined) say('executed', `${name} is completed by [${show(record.token)}], which never began`);
  else if (attempt.how !== 'completed')
    say('once', `${name} is completed by [${show(record.token)}], which was ${attempt.how}`);
  else if (attempt.name !== records.calledOf(node))
    say('value', `${name} is completed by ${attempt.name}; the right one is ${records.calledOf(node)}`);
}

function failed(
  { id, attempts, does }: DispatchCheck,
  records: FinalRecords,
  node: number,
  name: string,
  record: ElectronRecord,
  say: Say,
): void {
  const { kind } = records.plan.place(node).node;
  if (kind === 'lattice') return;
  if (kind === 'map') {
    const cause = record.cause === undefined ? undefined : records.electrons[record.cause];
    if (cause === undefined || hasValue(cause.status)) say('failed', `map ${name} failed for ${record.cause}`);
    return;
  }
  const { error } = record;
  const code = error?.name ?? error?.code;
  if (code === 'POISON' && record.losses >= MOST_LOSSES) return;
  // judged by timeout-check.ts
  if (error !== undefined && isFinalTimeout(error)) return;
  const retries = does.get(records.calledOf(node))?.retries ?? 0;
  const own = (attempts.get(taskIdOf(id, node)) ?? []).filter(({ how }) => how === 'failed');
  const last = own.find((one) => record.token !== undefined && sameToken(one.token, record.token));
  if (last === undefined || last.code !== code)
    say('failed', `${name} failed with ${code} by [${show(record.token)}], which ended ${last?.code}`);
  if (own.length <= retries || record.failures !== retries + 1)
    say('failed', `${name} failed after ${own.length} of ${retries + 1} failures; the record says ${record.failures}`);
}

/**
 * The promise `reused`: what a redispatch takes over, by calls whose code and inputs are equal, and what it must not do again; that it says of which dispatch it is;
 * and that the old one's records stay what they were (`kept`). Not here: whether the values are right (answers.ts, record-check.ts).
 */
import { taskIdOf, type DispatchId } from '../../../model/ids.ts';
import { digestOf } from '../../../bus/value/digest.ts';
import { decodeSpec, keys } from '../../../store/records.ts';
import type { MemoryStore } from '../../../store/memory-store.ts';
import type { Answers } from './answers.ts';
import type { AttemptLog } from './attempts.ts';
import type { Logged } from './history.ts';
import type { RedispatchPlan } from './plan.ts';
import type { Broken, PromiseName } from './promise.ts';
import type { Program } from './programs.ts';
import type { FinalRecords } from './record-check.ts';
import type { StoreDisk } from './store-disk.ts';

/** A dispatch of a plan, or a redispatch, with what is right for it. */
export interface Judged {
  readonly id: DispatchId;
  readonly records: FinalRecords;
  readonly answers: Answers;
}

/** Values of a dispatch and of those inside it, by call and digest. */
export function takenFrom({
  records,
  answers,
}: Pick<Judged, 'records' | 'answers'>): Map<string, Map<string, Uint8Array>> {
  const taken = new Map<string, Map<string, Uint8Array>>();
  for (const { records: one, answers: right, node } of electronsOf(records, answers)) {
    if (!one.hasValue(node)) continue;
    const call = right.callOf(node);
    const values = taken.get(call) ?? new Map<string, Uint8Array>();
    taken.set(call, values);
    const value = right.of(node);
    values.set(digestOf(value), value);
  }
  return taken;
}

interface At {
  readonly id?: DispatchId;
  readonly records: FinalRecords;
  readonly answers: Answers;
  readonly node: number;
}

function* electronsOf(records: FinalRecords, answers: Answers, id?: DispatchId): Generator<At> {
  for (let node = 0; node < records.plan.size; node++)
    if (records.calledOf(node) !== '') yield { ...(id === undefined ? {} : { id }), records, answers, node };
  for (const [node, inner] of records.inside) yield* electronsOf(inner.records, answers.inside(node), inner.id);
}

/** `whole`: the old one had ended, so all that it has could be taken over. */
export function checkReuse(
  { id, records, answers }: Judged,
  old: Judged,
  { reuse, ended: whole }: RedispatchPlan,
  attempts: ReadonlyMap<string, readonly AttemptLog[]>,
): readonly Broken[] {
  const broken: Broken[] = [];
  const say = (promise: PromiseName, what: string): void => void broken.push({ promise, what });
  const { origin } = records.spec;
  const root = old.records.spec.origin?.root ?? old.id;
  if (origin?.of !== old.id || origin.root !== root || origin.reuse !== reuse)
    say('reused', `${id} is made from ${old.id} of ${root}, and says ${JSON.stringify(origin)}`);
  if (!reuse || !whole) return broken;
  const taken = takenFrom(old);
  for (const at of electronsOf(records, answers, id)) {
    const parents = at.records.parents()[at.node] ?? [];
    if (!parents.every((parent) => at.records.hasValue(parent)) || !taken.has(at.answers.callOf(at.node))) continue;
    const task = taskIdOf(at.id ?? id, at.node);
    const status = at.records.electrons[at.node]?.status;
    const began = attempts.get(task)?.length ?? 0;
    if (began > 0) say('reused', `${task} is ${status} and began ${began} times, though ${old.id} has its value`);
  }
  return broken;
}

/** Looks at an old dispatch's records when a redispatch of it is told, and in the end. */
export class OldWatch {
  readonly #disk: StoreDisk;
  readonly #programs: readonly Program[];
  readonly #ids: string[] = [];
  readonly #before = new Map<string, string>();

  constructor(disk: StoreDisk, programs: readonly Program[]) {
    this.#disk = disk;
    this.#programs = programs;
  }

  readonly hear = (entry: Logged): void => {
    if (entry.type !== 'submitted') return;
    const { index, dispatch } = entry;
    this.#ids[index] = dispatch;
    const { again } = this.#programs[index] ?? {};
    const old = again?.ended === true ? this.#ids[again.of] : undefined;
    if (old !== undefined && !this.#before.has(old)) this.#before.set(old, recordsOf(this.#disk.content, old));
  };

  broken(): readonly Broken[] {
    return [...this.#before].flatMap(([old, before]) =>
      recordsOf(this.#disk.content, old) === before
        ? []
        : [{ promise: 'kept' as const, what: `records of ${old} changed after it was dispatched again` }],
    );
  }
}

/** A digest of what is recorded of a dispatch and those inside. */
function recordsOf(store: MemoryStore, root: string): string {
  const found: string[] = [];
  for (const { value } of store.range(keys.allSpecs)) {
    const { id, outer } = decodeSpec(value);
    if (id !== root && outer?.root !== root) continue;
    found.push(digestOf(value), digestOf(store.get(keys.dispatch(id)) ?? new Uint8Array()));
    for (const range of [keys.electronsOf(id), keys.expansionsOf(id)])
      for (const record of store.range(range)) found.push(record.key, digestOf(record.value));
  }
  return digestOf(Buffer.from(found.join()));
}

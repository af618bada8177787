/**
 * The promise `inner`: a lattice inside a dispatch is one dispatch, whatever happens; both agree on how it ended, and it ends first. What holds for every dispatch
 * holds for those inside, too (record-check.ts, run-check.ts).
 */
import { decodeDrawing } from '../../../bus/protocol/wire-drawing.ts';
import { decodeGraph, encodeGraph } from '../../../bus/protocol/wire-graph.ts';
import { digestOf } from '../../../bus/value/digest.ts';
import { bytesIn } from '../../../bus/value/bare-value.ts';
import { listElement } from '../../../bus/value/list.ts';
import { isDispatchId, parseTaskId, type DispatchId } from '../../../model/ids.ts';
import { decodeSpec, keys } from '../../../store/records.ts';
import type { WireGraph } from '../../../model/graph.ts';
import type { DispatchSpec } from '../../../model/records.ts';
import type { MemoryStore } from '../../../store/memory-store.ts';
import type { Answers } from './answers.ts';
import { show } from './attempts.ts';
import type { Logged } from './history.ts';
import type { Broken } from './promise.ts';
import type { FinalRecords } from './record-check.ts';

/** The node that it is, of the dispatch around it. */
export function outerOf(store: MemoryStore, id: string): DispatchSpec['outer'] {
  const spec = isDispatchId(id) ? store.get(keys.spec(id)) : undefined;
  return spec === undefined ? undefined : decodeSpec(spec).outer;
}

export const isEnd = (event: string): boolean => /^dispatch\.(?:completed|failed|cancelled)$/.test(event);

type Say = (what: string) => void;

/** Of the lattices of one dispatch. */
export function checkInside(id: DispatchId, records: FinalRecords, answers: Answers): readonly Broken[] {
  const broken: Broken[] = [];
  const { plan, electrons } = records;
  for (let node = 0; node < plan.size; node++) {
    if (plan.place(node).node.kind !== 'lattice') continue;
    const say: Say = (what) =>
      void broken.push({ promise: 'inner', what: `${id}: ${plan.nameOf(node)} (${node}) ${what}` });
    const inner = records.inside.get(node);
    const record = electrons[node];
    if (inner === undefined) {
      if (record?.status === 'completed' || record?.status === 'failed') say(`is ${record.status}, and never began`);
      continue;
    }
    const { dispatch, spec } = inner.records;
    if (record?.status === 'skipped') say(`was skipped, and ${inner.id} began`);
    if (spec.outer?.dispatch !== id || spec.outer.node !== node)
      say(`has ${inner.id}, which names ${spec.outer?.node}`);
    // a cancel that came too late to stop it stands all the same
    if (record?.status !== dispatch.status && record?.status !== 'cancelled')
      say(`is ${record?.status}, and ${inner.id} is ${dispatch.status}`);
    if (record?.status === 'failed' && record.error?.code !== dispatch.errors[0]?.error.code)
      say(`failed with ${record.error?.code}, and ${inner.id} with ${dispatch.errors[0]?.error.code}`);
    const head = bytesIn(listElement(answers.graphOf(node), 0));
    if (
      head === undefined ||
      shapeOf(decodeGraph(decodeDrawing(head).graph), inner.records) !==
        shapeOf(inner.records.plan.graph, inner.records)
    )
      say('runs another graph than was drawn');
  }
  return broken;
}

/** A graph without the definitions of electrons that others stand for. */
function shapeOf(graph: WireGraph, { called }: FinalRecords): string {
  const electrons = graph.electrons.map((def) => (called(def.name) === def.name ? def : def.name));
  return `${JSON.stringify(electrons)} ${digestOf(encodeGraph({ ...graph, electrons: [] }))}`;
}

/** Nothing of a dispatch is given out any more once it, or one around it, was told to have ended. */
export function checkLate(entries: readonly Logged[], outer: (id: string) => string | undefined): readonly Broken[] {
  const broken: Broken[] = [];
  const ended = new Set<string>();
  const given = new Set<string>();
  for (const entry of entries) {
    if (entry.type === 'told' && isEnd(entry.event)) ended.add(entry.dispatch);
    if (entry.type !== 'assign') continue;
    for (const { task, token } of entry.tasks) {
      const key = `${task} ${show(token)}`;
      if (given.has(key)) continue;
      given.add(key);
      for (let id: string | undefined = parseTaskId(task).dispatch; id !== undefined; id = outer(id))
        if (ended.has(id))
          broken.push({ promise: 'inner', what: `${key} was given out after the end of ${id} was told` });
    }
  }
  return broken;
}

/** Every dispatch is one that was submitted, or the only one of a lattice's node. */
export function checkNone(store: MemoryStore, known: ReadonlySet<string>): readonly Broken[] {
  const broken: Broken[] = [];
  for (const { value } of store.range(keys.allSpecs)) {
    const { id, outer } = decodeSpec(value);
    if (!known.has(id))
      broken.push({ promise: 'inner', what: `${id} inside ${outer?.dispatch} belongs to none of its nodes` });
  }
  return broken;
}

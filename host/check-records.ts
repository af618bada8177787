/** The records of a data folder, one by one: can each be read, and is everything there that it names? Not here: values and files (check-data.ts). */
import type { Database } from 'lmdb';
import { valuesOf } from '../actors/results/references.ts';
import { keyPart } from '../actors/results/writer.ts';
import { isList, isPointer, pointerOf } from '../bus/value/list.ts';
import { isSettled, partsOf } from '../bus/value/settled.ts';
import { PolaronError } from '../model/errors.ts';
import { isDispatchId, type Digest } from '../model/ids.ts';
import { isTerminalDispatch } from '../model/lifecycle.ts';
import type { ValueInfo } from '../model/outcome.ts';
import {
  decodeAttempt,
  decodeCached,
  decodeDispatch,
  decodeElectron,
  decodeExpansion,
  decodeKey,
  decodeLogs,
  decodeNumber,
  decodeSpec,
  keys,
  nodeOfKey,
} from '../store/records.ts';
import { entriesOf } from '../store/lmdb-values.ts';
import type { CheckCounts, Problem, Report, StoredValues } from './check-report.ts';

type Records = Database<Uint8Array, string>;
/** Whom a record is about. */
type Place = Pick<Problem, 'dispatch' | 'electron' | 'key'>;

export function checkRecords(
  records: Records,
  stored: StoredValues,
  report: Report,
): Pick<CheckCounts, 'dispatches' | 'electrons'> {
  let dispatches = 0;
  let electrons = 0;
  for (const { key, value } of entriesOf(records)) {
    const [kind = '', id = '', node] = key.split('/');
    const isElectron = ['e', 'l', 't'].includes(kind);
    const place: Place = {
      ...(isDispatchId(id) ? { dispatch: id } : {}),
      ...(isElectron && node !== undefined ? { electron: nodeOfKey(`${kind}/${id}/${node}`) } : {}),
      key,
    };
    if (kind === 's') dispatches++;
    if (kind === 'e') electrons++;
    try {
      for (const problem of checkRecord(records, kind, id, key, value)) report({ ...place, problem });
      for (const info of valuesOf(key, value))
        checkReference(stored, info, (problem) => report({ ...place, ...problem }));
    } catch (error) {
      if (!(error instanceof PolaronError)) throw error;
      report({ ...place, problem: `record ${key} cannot be read: ${error.message}` });
    }
  }
  return { dispatches, electrons };
}

/** What is wrong with one record and those that it belongs to. Raises DATA_DAMAGED, DATA_NEWER. */
function* checkRecord(records: Records, kind: string, id: string, key: string, value: Uint8Array): Generator<string> {
  const has = (other: string): boolean => records.doesExist(other);
  if (['s', 'd', 'e', 'x', 'l', 't', 'u', 'live', 'gone'].includes(kind)) {
    if (!isDispatchId(id)) return yield `record ${key} names no dispatch`;
    if (['e', 'x', 'l', 't'].includes(kind) && !has(keys.spec(id)) && !has(keys.gone(id)))
      yield `record ${key} belongs to a dispatch that is not there`;
  }
  if (kind === 's') {
    const spec = decodeSpec(value);
    if (spec.id !== id) yield `record ${key} is that of dispatch ${spec.id}`;
    if (isDispatchId(id) && !has(keys.dispatch(id))) yield `dispatch ${id} has no status: record d/${id} is missing`;
    if (!has(keys.idempotency(spec.user, keyPart(spec.key)))) yield `dispatch ${id}: its idempotency key is missing`;
  } else if (kind === 'd' && isDispatchId(id)) {
    const { status } = decodeDispatch(value);
    if (!has(keys.spec(id))) yield `dispatch ${id}: record s/${id} is missing`;
    if (isTerminalDispatch(status) === has(keys.live(id)))
      yield has(keys.live(id))
        ? `dispatch ${id} is ${status} and counts as live`
        : `dispatch ${id} is ${status}, and would never go on: record live/${id} is missing`;
  } else if (kind === 'e') decodeElectron(value);
  else if (kind === 'x') decodeExpansion(value);
  else if (kind === 'l') decodeLogs(value);
  else if (kind === 't') decodeAttempt(value);
  else if (kind === 'c') decodeCached(value);
  else if (kind === 'live' && isDispatchId(id)) {
    if (!has(keys.spec(id)) || !has(keys.dispatch(id))) yield `dispatch ${id} counts as live, and is not there`;
  } else if (kind === 'k') {
    const { id: named } = decodeKey(value);
    if (!isDispatchId(named) || !has(keys.spec(named)))
      yield `idempotency key ${key} names dispatch ${named}, which is not there`;
  } else if (kind === 'a' || key === keys.hubEpoch) decodeNumber(value);
}

type ValueProblem = Pick<Problem, 'problem' | 'value'>;

function checkReference(stored: StoredValues, info: ValueInfo, report: (problem: ValueProblem) => void): void {
  const { digest, size } = info;
  const found = stored.find(digest);
  const value = digest;
  if (found === undefined) report({ problem: `it names value ${digest}, which is not there`, value });
  else if (!found.whole) report({ problem: `it names value ${digest}, which is damaged`, value });
  else if (found.size !== size)
    report({ problem: `it names value ${digest} of ${size} bytes, which has ${found.size}`, value });
  else if (info.length !== undefined) checkPointers(stored, digest, report);
}

/** A list may point to other values. */
function checkPointers(stored: StoredValues, digest: Digest, report: (problem: ValueProblem) => void): void {
  const bytes = stored.bytes(digest);
  if (!isList(bytes)) return report({ problem: `it names list ${digest}, which is none`, value: digest });
  for (const [i, element] of partsOf(bytes).entries()) {
    const [value = element] = isSettled(element) ? partsOf(element) : [];
    if (!isPointer(value)) continue;
    const pointer = pointerOf(value);
    checkReference(stored, pointer, (found) => report({ ...found, problem: `list ${digest}[${i}]: ${found.problem}` }));
  }
}

/**
 * Keys and bytes of the store's records. Every record begins with the schema version that wrote it.
 * Keys have `/` between parts; ids sort by time, node ids are padded, so that ranges come in order.
 *
 * | key | record |
 * |---|---|
 * | `d/ID` | DispatchRecord (what changes) |
 * | `s/ID` | DispatchSpec (what is fixed) |
 * | `e/ID/NODE` | ElectronRecord |
 * | `x/ID/BASE/MAP` | ExpansionRecord; maps without items share a base |
 * | `l/ID/NODE/ATTEMPT` | TaskLogs |
 * | `t/ID/NODE/ATTEMPT` | AttemptRecord |
 * | `k/USER/KEY` | idempotency key → [id, content digest] |
 * | `live/ID` | the dispatch has not ended |
 * | `a/AGENT` | the roster: agent → epoch, and which process has the name |
 * | `hub/epoch` | the hub's epoch |
 * | `u/OLD/ID` | dispatch ID takes values over from OLD, which stays while ID lives |
 * | `c/USER/KEY` | what makes a value → the electron that has it, and since when |
 * | `gone/ID` | the dispatch is being removed: some of its records are left |
 */
import { Packr } from 'msgpackr';
import { PolaronError } from '../model/errors.ts';
import { isDispatchId, type AgentKey, type Digest, type DispatchId } from '../model/ids.ts';
import { electronStatuses } from '../model/lifecycle.ts';
import type { TaskLogs, ValueInfo, ValueOrigin } from '../model/outcome.ts';
import type { AttemptRecord, DispatchRecord, DispatchSpec, ElectronRecord, ExpansionRecord } from '../model/records.ts';

/** Raised when a record's shape changes; older ones are still read. 2: an electron's due times and the agents it was lost with; attempts. 3: batches stand in a journal before LMDB has them. 4: where a value was taken over from; the cache. */
export const SCHEMA_VERSION = 4;

const packr = new Packr({ useRecords: false });
const pad = (n: number): string => n.toString(36).padStart(7, '0');

export const keys = {
  dispatch: (id: DispatchId): string => `d/${id}`,
  spec: (id: DispatchId): string => `s/${id}`,
  electron: (id: DispatchId, node: number): string => `e/${id}/${pad(node)}`,
  electronsOf: (id: DispatchId, from = 0): { readonly start: string; readonly end: string } => ({
    start: `e/${id}/${pad(from)}`,
    end: `e/${id}/~`,
  }),
  expansion: (id: DispatchId, base: number, map: number): string => `x/${id}/${pad(base)}/${pad(map)}`,
  expansionsOf: (id: DispatchId): { readonly start: string; readonly end: string } => ({
    start: `x/${id}/`,
    end: `x/${id}/~`,
  }),
  logs: (id: DispatchId, node: number, attempt: number): string => `l/${id}/${pad(node)}/${pad(attempt)}`,
  logsOf: (id: DispatchId, node: number): { readonly start: string; readonly end: string } => ({
    start: `l/${id}/${pad(node)}/`,
    end: `l/${id}/${pad(node)}/~`,
  }),
  attempt: (id: DispatchId, node: number, attempt: number): string => `t/${id}/${pad(node)}/${pad(attempt)}`,
  attemptsOf: (id: DispatchId, node: number): { readonly start: string; readonly end: string } => ({
    start: `t/${id}/${pad(node)}/`,
    end: `t/${id}/${pad(node)}/~`,
  }),
  allLogsOf: (id: DispatchId): { readonly start: string; readonly end: string } => ({
    start: `l/${id}/`,
    end: `l/${id}/~`,
  }),
  allAttemptsOf: (id: DispatchId): { readonly start: string; readonly end: string } => ({
    start: `t/${id}/`,
    end: `t/${id}/~`,
  }),
  idempotency: (user: string, key: string): string => `k/${user}/${key}`,
  live: (id: DispatchId): string => `live/${id}`,
  allLive: { start: 'live/', end: 'live/~' },
  use: (old: DispatchId, id: DispatchId): string => `u/${old}/${id}`,
  usesOf: (old: DispatchId): { readonly start: string; readonly end: string } => ({
    start: `u/${old}/`,
    end: `u/${old}/~`,
  }),
  cached: (user: string, key: Digest): string => `c/${user}/${key}`,
  allCached: { start: 'c/', end: 'c/~' },
  gone: (id: DispatchId): string => `gone/${id}`,
  allGone: { start: 'gone/', end: 'gone/~' },
  allSpecs: { start: 's/', end: 's/~' },
  allElectrons: { start: 'e/', end: 'e/~' },
  allExpansions: { start: 'x/', end: 'x/~' },
  allDispatches: { start: 'd/', end: 'd/~' },
  dispatchesBefore: (id: string): { readonly start: string; readonly end: string } => ({ start: 'd/', end: `d/${id}` }),
  agent: (agent: AgentKey): string => `a/${agent}`,
  allAgents: { start: 'a/', end: 'a/~' },
  hubEpoch: 'hub/epoch',
  /** The last batch of whom: see actors/results/writer.ts. */
  lastBatch: 'hub/batch',
} as const;

/** Who uses, of a `u/OLD/ID`. */
export const userOfKey = (key: string): string => key.slice(key.lastIndexOf('/') + 1);

const lastNumber = (key: string): number => Number.parseInt(key.slice(key.lastIndexOf('/') + 1), 36);
/** The node id in an electron's key. */
export const nodeOfKey = lastNumber;
/** The number of an attempt, in its key. */
export const attemptOfKey = lastNumber;
export const tailOfKey = (key: string): string => key.slice(key.indexOf('/') + 1);

type Packed = readonly unknown[];

function unpack(bytes: Uint8Array, what: string): Packed {
  let fields: unknown;
  try {
    fields = packr.unpack(bytes);
  } catch (error) {
    throw new PolaronError('DATA_DAMAGED', `${what}: the record can't be decoded`, { cause: error });
  }
  if (!Array.isArray(fields) || typeof fields[0] !== 'number')
    throw new PolaronError('DATA_DAMAGED', `${what}: the record has no version`);
  if (fields[0] > SCHEMA_VERSION)
    throw new PolaronError(
      'DATA_NEWER',
      `${what}: written by schema version ${fields[0]}, this build reads up to ${SCHEMA_VERSION}`,
    );
  return fields;
}

const packValue = (value: ValueInfo | undefined): Packed | null =>
  value === undefined
    ? null
    : value.length === undefined
      ? [value.digest, value.size]
      : [value.digest, value.size, value.length];

/** The store's own bytes: what `encode…` wrote is trusted to have this shape; the version and the decoder guard the rest. */
interface Trusted {
  readonly spec: DispatchSpec;
  readonly record: DispatchRecord;
  readonly electron: { -readonly [K in keyof ElectronRecord]: ElectronRecord[K] };
  readonly expansion: ExpansionRecord;
  readonly logs: TaskLogs;
  readonly attempt: AttemptRecord;
}
const isTrusted = <K extends keyof Trusted>(_kind: K, x: unknown): x is Trusted[K] =>
  typeof x === 'object' && x !== null;

function trusted<K extends keyof Trusted>(kind: K, x: unknown): Trusted[K] {
  if (!isTrusted(kind, x)) throw new PolaronError('DATA_DAMAGED', `${kind}: the record is not an object`);
  return x;
}

const encodeObject = (record: object): Uint8Array => packr.pack([SCHEMA_VERSION, record]);

export const encodeSpec = (spec: DispatchSpec): Uint8Array => encodeObject(spec);
export const decodeSpec = (bytes: Uint8Array): DispatchSpec => trusted('spec', unpack(bytes, 'dispatch')[1]);
export const encodeDispatch = (record: DispatchRecord): Uint8Array => encodeObject(record);
export const decodeDispatch = (bytes: Uint8Array): DispatchRecord => trusted('record', unpack(bytes, 'dispatch')[1]);
export const encodeExpansion = (record: ExpansionRecord): Uint8Array => encodeObject(record);
export const decodeExpansion = (bytes: Uint8Array): ExpansionRecord => trusted('expansion', unpack(bytes, 'map')[1]);
export const encodeLogs = (logs: TaskLogs): Uint8Array => encodeObject(logs);
export const decodeLogs = (bytes: Uint8Array): TaskLogs => trusted('logs', unpack(bytes, 'logs')[1]);

export const encodeAttempt = (record: AttemptRecord): Uint8Array => encodeObject(record);
export const decodeAttempt = (bytes: Uint8Array): AttemptRecord => trusted('attempt', unpack(bytes, 'attempt')[1]);

/** Electrons are the many: an array without names. What few have stands at its end. */
export function encodeElectron(r: ElectronRecord): Uint8Array {
  const fields: unknown[] = [
    SCHEMA_VERSION,
    electronStatuses.indexOf(r.status),
    r.attempt,
    r.failures,
    r.losses,
    r.seq,
    r.token ?? null,
    r.agent ?? null,
    r.inputsDigest ?? null,
    r.startedAt ?? null,
    r.endedAt ?? null,
    r.retryAt ?? null,
    packValue(r.value),
    r.error ?? null,
    r.cause ?? null,
  ];
  if (r.queueDue !== undefined || r.totalDue !== undefined || r.lostWith !== undefined || r.from !== undefined)
    fields.push(r.queueDue ?? null, r.totalDue ?? null, r.lostWith ?? null);
  if (r.from !== undefined) fields.push([r.from.dispatch, r.from.node]);
  return packr.pack(fields);
}

export function decodeElectron(bytes: Uint8Array): ElectronRecord {
  const [
    ,
    status,
    attempt,
    failures,
    losses,
    seq,
    token,
    agent,
    inputsDigest,
    startedAt,
    endedAt,
    retryAt,
    value,
    error,
    cause,
    queueDue,
    totalDue,
    lostWith,
    from,
  ] = unpack(bytes, 'electron');
  const named = typeof status === 'number' ? electronStatuses[status] : undefined;
  if (named === undefined) throw new PolaronError('DATA_DAMAGED', `electron: there is no status ${String(status)}`);
  const record: Record<string, unknown> = { status: named, attempt, failures, losses, seq };
  // Optional fields are absent, never undefined.
  if (isGiven(token)) record['token'] = token;
  if (isGiven(agent)) record['agent'] = agent;
  if (isGiven(inputsDigest)) record['inputsDigest'] = inputsDigest;
  if (isGiven(startedAt)) record['startedAt'] = startedAt;
  if (isGiven(endedAt)) record['endedAt'] = endedAt;
  if (isGiven(retryAt)) record['retryAt'] = retryAt;
  if (Array.isArray(value)) record['value'] = unpackValue(value);
  if (isGiven(error)) record['error'] = error;
  if (isGiven(cause)) record['cause'] = cause;
  if (isGiven(queueDue)) record['queueDue'] = queueDue;
  if (isGiven(totalDue)) record['totalDue'] = totalDue;
  if (isGiven(lostWith)) record['lostWith'] = lostWith;
  if (Array.isArray(from)) record['from'] = { dispatch: from[0], node: from[1] };
  return trusted('electron', record);
}

const isGiven = (x: unknown): boolean => x !== null && x !== undefined;
const unpackValue = ([digest, size, length]: Packed): object =>
  isGiven(length) ? { digest, size, length } : { digest, size };

export const encodeKey = (id: DispatchId, content: Digest): Uint8Array => packr.pack([SCHEMA_VERSION, id, content]);
export function decodeKey(bytes: Uint8Array): { readonly id: string; readonly contentDigest: string } {
  const [, id, content] = unpack(bytes, 'idempotency key');
  return { id: String(id), contentDigest: String(content) };
}

export const encodeCached = ({ dispatch, node }: ValueOrigin, at: number): Uint8Array =>
  packr.pack([SCHEMA_VERSION, dispatch, node, at]);
/** `at`: when the value was made, wall clock, ms. */
export function decodeCached(bytes: Uint8Array): { readonly from: ValueOrigin; readonly at: number } {
  const [, dispatch, node, at] = unpack(bytes, 'cache');
  if (!isDispatchId(dispatch)) throw new PolaronError('DATA_DAMAGED', 'cache: the record names no dispatch');
  return { from: { dispatch, node: Number(node) }, at: Number(at) };
}

export const encodeNumber = (n: number): Uint8Array => packr.pack([SCHEMA_VERSION, n]);
export const decodeNumber = (bytes: Uint8Array): number => Number(unpack(bytes, 'number')[1]);

/** An agent of the roster; its epoch can be read as a number, too. */
export const encodeAgent = (epoch: number, instance = '', lostAt?: number): Uint8Array =>
  packr.pack([SCHEMA_VERSION, epoch, instance, ...(lostAt === undefined ? [] : [lostAt])]);
export function decodeAgent(bytes: Uint8Array): {
  readonly epoch: number;
  readonly instance?: string;
  readonly lostAt?: number;
} {
  const [, epoch, instance, lost] = unpack(bytes, 'agent');
  return {
    epoch: Number(epoch),
    ...(typeof instance === 'string' && instance !== '' ? { instance } : {}),
    // older records say only that it is
    ...(isGiven(lost) ? { lostAt: Number(lost === true ? 0 : lost) } : {}),
  };
}

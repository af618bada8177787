/**
 * Decoded bodies (msgpack or JSON) → the types of api.ts, checked. Each `parseX(x)` raises BAD_MESSAGE with the path of what doesn't fit; fields it doesn't know are dropped.
 * A request in JSON can carry no bytes, and a text of base64 is none: what a submit by hand would hold in them it names as values. Not here: bytes (codec.ts), answers in JSON (actors/dispatcher/api.ts).
 */
import { dispatchStatuses, electronStatuses, type DispatchStatus } from '../../model/lifecycle.ts';
import type * as api from './api.ts';
import { attemptStatuses } from './api.ts';
import { LONGEST_SOURCE, MOST_METADATA } from './submit-limits.ts';
import {
  aDigest,
  aText,
  anInt,
  anything,
  array,
  bool,
  bytes,
  digest,
  field,
  int,
  misfit,
  number,
  object,
  oneOf,
  optional,
  parse,
  parser,
  record,
  TEXT_LENGTH,
  text,
  type Fields,
  type Reader,
} from './shape.ts';
import { capturesOf } from './wire-agent.ts';
import { durabilities } from './wire-drawing.ts';
import { codesOf, lineageOf, originOf, replaceOf } from './wire-redispatch.ts';
import { errorInfo, executorChoices, MANY, taskLogs, valueInfo } from './wire-value.ts';

const MOST = 1_000_000;

const longText = (o: Fields, key: string): string => text(o, key, TEXT_LENGTH);
const anInfo = (o: Fields, key: string) => field(o, key, valueInfo);
/** Optional whole number. */
const whole = (o: Fields, key: string): number => int(o, key);
const words = (o: Fields, key: string): Record<string, string> => record(o, key, MOST_METADATA, aText(TEXT_LENGTH));

const bytesOrValue: Reader<api.BytesOrValue> = object((o) =>
  o['bytes'] === undefined ? { value: anInfo(o, 'value') } : { bytes: bytes(o, 'bytes') },
);

export const parseSubmit: Reader<api.SubmitRequest> = parser(
  'submit',
  object((o) => ({
    key: text(o, 'key'),
    lattice: field(
      o,
      'lattice',
      object((lattice) => ({ name: text(lattice, 'name'), source: text(lattice, 'source', LONGEST_SOURCE) })),
    ),
    graph: field(o, 'graph', bytesOrValue),
    args: field(o, 'args', bytesOrValue),
    ...optional(o, 'bundle', anInfo),
    argv: array(o, 'argv', MANY, aText(TEXT_LENGTH)),
    captures: capturesOf(o, 'captures'),
    ...optional(o, 'codes', codesOf),
    ...optional(o, 'origin', originOf),
    ...optional(o, 'replace', replaceOf),
    ...optional(o, 'executors', executorChoices),
    metadata: words(o, 'metadata'),
    durability: oneOf(o, 'durability', durabilities),
    failFast: bool(o, 'failFast'),
    priority: number(o, 'priority'),
    timeoutMs: number(o, 'timeoutMs', 0),
  })),
);

export const parseSubmitReply: Reader<api.SubmitReply> = parser(
  'submit reply',
  object((o) => ({ id: text(o, 'id'), existing: bool(o, 'existing') })),
);

export const parseList: Reader<api.ListRequest> = parser(
  'list',
  object((o) => ({
    ...optional(o, 'limit', whole),
    ...optional(o, 'before', text),
    ...optional(o, 'status', (from, key) => oneOf(from, key, dispatchStatuses)),
    ...optional(o, 'inner', bool),
  })),
);

function countsOf(o: Fields, key: string): api.StatusCounts {
  return field(
    o,
    key,
    object((counts) => {
      const read: { [status in (typeof electronStatuses)[number]]?: number } = {};
      for (const status of electronStatuses) if (counts[status] !== undefined) read[status] = int(counts, status);
      return read;
    }),
  );
}

const nodeFailure: Reader<api.NodeFailure> = object((o) => ({
  node: text(o, 'node', 300),
  error: field(o, 'error', errorInfo),
}));

const summaryOf = (o: Fields): api.DispatchSummary => ({
  id: text(o, 'id'),
  user: text(o, 'user'),
  lattice: text(o, 'lattice'),
  status: oneOf(o, 'status', dispatchStatuses),
  acceptedAt: number(o, 'acceptedAt'),
  ...optional(o, 'startedAt', number),
  ...optional(o, 'endedAt', number),
  counts: countsOf(o, 'counts'),
  metadata: words(o, 'metadata'),
  ...optional(o, 'error', (from, key) => field(from, key, nodeFailure)),
  seq: int(o, 'seq'),
  ...optional(o, 'outer', text),
  ...optional(o, 'origin', lineageOf),
});

export const parseListReply: Reader<api.ListReply> = parser(
  'list reply',
  object((o) => ({ dispatches: array(o, 'dispatches', MOST, object(summaryOf)), more: bool(o, 'more') })),
);

export const parseStatus: Reader<api.StatusRequest> = parser(
  'status',
  object((o) => ({ ...optional(o, 'id', text) })),
);

const agentStates = ['live', 'suspect', 'lost', 'draining'] as const;
const agentStatus: Reader<api.AgentStatus> = object((o) => ({
  name: text(o, 'name'),
  site: text(o, 'site'),
  host: text(o, 'host', 300),
  pid: int(o, 'pid'),
  slots: int(o, 'slots'),
  running: int(o, 'running'),
  queued: int(o, 'queued'),
  capabilities: array(o, 'capabilities', 1_000, aText()),
  version: text(o, 'version'),
  state: oneOf(o, 'state', agentStates),
  lastSyncMs: number(o, 'lastSyncMs'),
  ...optional(o, 'roundTripMs', number),
  ...optional(o, 'load', number),
  ...optional(o, 'clockMs', number),
}));

const someAgents = (o: Fields): api.AgentsReply => ({
  agents: array(o, 'agents', MOST, agentStatus),
  ...optional(o, 'more', whole),
});

export const parseHubStatus: Reader<api.HubStatus> = parser(
  'hub status',
  object((o) => ({
    version: text(o, 'version'),
    pid: int(o, 'pid'),
    node: text(o, 'node'),
    bus: longText(o, 'bus'),
    data: longText(o, 'data'),
    startedAt: number(o, 'startedAt'),
    ...someAgents(o),
    dispatches: field(
      o,
      'dispatches',
      object((d) => ({ live: int(d, 'live') })),
    ),
  })),
);

/** The answer to `status` with an id. */
export const parseSummary: Reader<api.DispatchSummary> = parser('status reply', object(summaryOf));

export const parseSnapshot: Reader<api.SnapshotRequest> = parser(
  'snapshot',
  object((o) => ({
    id: text(o, 'id'),
    ...optional(o, 'since', whole),
    ...optional(o, 'from', whole),
    ...optional(o, 'limit', whole),
    ...optional(o, 'brief', bool),
    ...optional(o, 'status', (from, key) => oneOf(from, key, electronStatuses)),
    ...optional(o, 'name', (from, key) => text(from, key, 300)),
  })),
);

const detail: Reader<api.DispatchDetail> = object((o) => ({
  ...summaryOf(o),
  ...optional(o, 'source', longText),
  ...optional(o, 'graph', anInfo),
  args: anInfo(o, 'args'),
  errors: array(o, 'errors', MOST, nodeFailure),
  ...optional(o, 'bundle', digest),
  ...optional(o, 'bundleSize', whole),
}));

const valueOrigin = object((o) => ({ dispatch: text(o, 'dispatch'), node: int(o, 'node') }));

const electronView: Reader<api.ElectronView> = object((o) => ({
  id: int(o, 'id'),
  name: text(o, 'name', 300),
  status: oneOf(o, 'status', electronStatuses),
  attempts: int(o, 'attempts'),
  ...optional(o, 'agent', text),
  ...optional(o, 'startedAt', number),
  ...optional(o, 'endedAt', number),
  ...optional(o, 'error', (from, key) => field(from, key, errorInfo)),
  ...optional(o, 'value', anInfo),
  ...optional(o, 'from', (of, key) => field(of, key, valueOrigin)),
  seq: int(o, 'seq'),
  ...optional(o, 'retryAt', number),
  ...optional(o, 'cause', (from, key) => text(from, key, 300)),
  ...optional(o, 'inner', text),
  ...optional(o, 'map', whole),
}));

const unoffered: Reader<api.Unoffered> = object((o) => ({
  needs: array(o, 'needs', 1_000, aText()),
  missing: array(o, 'missing', 1_000, aText()),
  electrons: int(o, 'electrons'),
}));

export const parseSnapshotReply: Reader<api.SnapshotReply> = parser(
  'snapshot reply',
  object((o) => ({
    dispatch: field(o, 'dispatch', detail),
    electrons: array(o, 'electrons', MOST, electronView),
    ...optional(o, 'next', whole),
    ...optional(o, 'unoffered', (from, key) => array(from, key, MANY, unoffered)),
  })),
);

export const parseWait: Reader<api.WaitRequest> = parser(
  'wait',
  object((o) => ({ id: text(o, 'id'), timeoutMs: number(o, 'timeoutMs', 0) })),
);

const outputInput = (x: unknown) => (x instanceof Uint8Array ? x : valueInfo(x));
const output: Reader<api.OutputView> = object((o) => ({
  template: field(o, 'template', outputInput),
  inputs: Array.isArray(o['inputs']) ? array(o, 'inputs', MOST, outputInput) : anInfo(o, 'inputs'),
}));

/** A wait's answer. Who waits for a value needs no more than these: the dispatch's other fields are checked when they are first read. */
export class WaitAnswer implements api.WaitReply {
  readonly status: DispatchStatus;
  readonly output?: api.OutputView;
  readonly #fields: Fields;
  #dispatch: api.DispatchDetail | undefined;

  constructor(fields: Fields) {
    this.#fields = fields;
    this.status = field(fields, 'dispatch', statusOf);
    if (fields['output'] !== undefined && fields['output'] !== null) this.output = field(fields, 'output', output);
  }

  /** Raises BAD_MESSAGE. */
  get dispatch(): api.DispatchDetail {
    this.#dispatch ??= parse('wait reply', detailOf, this.#fields);
    return this.#dispatch;
  }
}

const statusOf: Reader<DispatchStatus> = object((o) => oneOf(o, 'status', dispatchStatuses));
const detailOf: Reader<api.DispatchDetail> = object((o) => field(o, 'dispatch', detail));

export const parseWaitReply: Reader<WaitAnswer> = parser(
  'wait reply',
  object((o) => new WaitAnswer(o)),
);

const idOrName: Reader<number | string> = (x) => (typeof x === 'string' ? aText(300)(x) : anInt()(x));
const electronOf = (o: Fields, key: string): number | string => field(o, key, idOrName);

export const parseValue: Reader<api.ValueRequest> = parser(
  'value',
  object((o) => ({ id: text(o, 'id'), ...optional(o, 'electron', electronOf) })),
);
export const parseValueReply: Reader<api.ValueReply> = parser(
  'value reply',
  object((o) => ({ value: anInfo(o, 'value'), ...optional(o, 'bytes', bytes) })),
);

export const parseLogs: Reader<api.LogsRequest> = parser(
  'logs',
  object((o) => ({ id: text(o, 'id'), electron: electronOf(o, 'electron'), ...optional(o, 'attempt', whole) })),
);
export const parseLogsReply: Reader<api.LogsReply> = parser(
  'logs reply',
  object((o) => ({
    electron: field(o, 'electron', electronView),
    ...taskLogs(o),
    ...optional(o, 'attempt', int),
    ...optional(o, 'live', bool),
  })),
);

export const parseAttempts: Reader<api.AttemptsRequest> = parser(
  'attempts',
  object((o) => ({ id: text(o, 'id'), electron: electronOf(o, 'electron') })),
);
const attemptView: Reader<api.AttemptView> = object((o) => ({
  attempt: int(o, 'attempt'),
  status: oneOf(o, 'status', attemptStatuses),
  ...optional(o, 'agent', text),
  ...optional(o, 'startedAt', number),
  ...optional(o, 'endedAt', number),
  ...optional(o, 'error', (from, key) => field(from, key, errorInfo)),
  stdout: int(o, 'stdout'),
  stderr: int(o, 'stderr'),
  log: int(o, 'log'),
}));
export const parseAttemptsReply: Reader<api.AttemptsReply> = parser(
  'attempts reply',
  object((o) => ({ electron: field(o, 'electron', electronView), attempts: array(o, 'attempts', MOST, attemptView) })),
);

export const parseCancelRequest: Reader<api.CancelRequest> = parser(
  'cancel',
  object((o) => ({
    id: text(o, 'id'),
    ...optional(o, 'electrons', (from, key) => array(from, key, MOST, idOrName)),
    ...optional(o, 'reason', longText),
  })),
);
export const parseCancelReplyBody: Reader<api.CancelReplyBody> = parser(
  'cancel reply',
  object((o) => ({
    cancelled: array(o, 'cancelled', MOST, aText(300)),
    unconfirmed: array(o, 'unconfirmed', MOST, aText(300)),
    ...optional(o, 'more', whole),
  })),
);

export const parseAgentsReply: Reader<api.AgentsReply> = parser('agents reply', object(someAgents));

export const parseEvent: Reader<api.EventBody> = parser(
  'event',
  object((o) => ({
    dispatch: text(o, 'dispatch'),
    seq: int(o, 'seq'),
    transient: bool(o, 'transient'),
    at: number(o, 'at'),
    type: text(o, 'type'),
    ...optional(o, 'electron', (from, key) => text(from, key, 300)),
    ...optional(o, 'node', whole),
    ...optional(o, 'data', (from, key) => record(from, key, MANY, anything)),
  })),
);

export const parseBlobPut: Reader<api.BlobPut> = parser(
  'blob put',
  object((o) => ({
    digest: digest(o, 'digest'),
    size: int(o, 'size'),
    offset: int(o, 'offset'),
    bytes: bytes(o, 'bytes'),
  })),
);
export const parseBlobPutReply: Reader<api.BlobPutReply> = parser(
  'blob put reply',
  object((o) => ({ received: int(o, 'received'), done: bool(o, 'done') })),
);
export const parseBlobHas: Reader<api.BlobHas> = parser(
  'blob has',
  object((o) => ({ digests: array(o, 'digests', MOST, aDigest) })),
);
export const parseBlobHasReply: Reader<api.BlobHasReply> = parser(
  'blob has reply',
  object((o) => ({ have: array(o, 'have', MOST, aDigest) })),
);

const apiError: Reader<api.ApiError> = object((o) => ({
  code: text(o, 'code'),
  message: longText(o, 'message'),
  help: longText(o, 'help'),
  details: record(o, 'details', MANY, anything),
}));

/** The answer to any verb: `parseReply(parseSubmitReply)(decoded)`. Raises BAD_MESSAGE. */
export function parseReply<T>(body: Reader<T>): Reader<api.ApiReply<T>> {
  const read: Reader<api.ApiReply<T>> = object((o) => {
    if (o['ok'] === true) return { ok: true, body: body(o['body']) };
    if (o['ok'] === false) return { ok: false, error: field(o, 'error', apiError) };
    throw misfit('true or false', o['ok'], 'ok');
  });
  return (x) => parse('reply', read, x);
}

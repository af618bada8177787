/**
 * Decoded bodies → the types of agent.ts, checked. Each `parseX(x)` raises BAD_MESSAGE with the path of what doesn't fit; fields it doesn't know are dropped.
 * Not here: bytes (codec.ts), whether what is said is true.
 */
import { streams } from '../../model/log-entry.ts';
import type { Token } from '../../model/outcome.ts';
import type {
  Assign,
  AssignedTask,
  AssignReply,
  BlobRead,
  Cancel,
  CancelReply,
  Control,
  Done,
  DoneReply,
  FinishedTask,
  KeyHold,
  LiveLogs,
  LogLine,
  LogsAsk,
  Manifest,
  Progress,
  RefusalReason,
  RunEntry,
  Sync,
  SyncReply,
  TaskInput,
  TaskState,
  Verdict,
} from './agent.ts';
import {
  aText,
  array,
  bool,
  digest,
  field,
  int,
  misfit,
  number,
  object,
  oneOf,
  optional,
  parser,
  record,
  task,
  taskId,
  TEXT_LENGTH,
  text,
  token,
  type Fields,
  type Reader,
} from './shape.ts';
import { decodeBody } from '../codec.ts';
import { partReader } from './shared-parts.ts';
import { electronDef, MANY, outcome, taskLogs, valueInfo } from './wire-value.ts';

/** Most tasks that one message may name: slots and queue of the largest agent, several times over. */
export const MOST_TASKS = 200_000;
const MOST_INPUTS = 2_000_000;
/** A user's name and a key of theirs. */
const LONGEST_HOLD = 300;

const taskStates: readonly TaskState[] = ['queued', 'running', 'done'];
const refusals: readonly RefusalReason[] = ['busy', 'epoch', 'stale', 'draining', 'capability'];
const verdicts: readonly Verdict[] = ['committed', 'duplicate', 'stale', 'later', 'missing', 'unknown'];

const taskAndToken = (o: Fields): { readonly task: RunEntry['task']; readonly token: Token } => ({
  task: task(o, 'task'),
  token: token(o, 'token'),
});

const keyHold = object((o) => ({ key: text(o, 'key', LONGEST_HOLD), limit: int(o, 'limit') }));
const holds = (o: Fields, key: string): readonly KeyHold[] => array(o, key, 2, keyHold);

const runEntry: Reader<RunEntry> = object((o) => ({
  task: task(o, 'task'),
  token: token(o, 'token'),
  inputsDigest: digest(o, 'inputsDigest'),
  state: oneOf(o, 'state', taskStates),
  startedAt: number(o, 'startedAt'),
  ...optional(o, 'progress', number),
  ...optional(o, 'holds', holds),
  ...optional(o, 'takes', (from, key) => array(from, key, 100, aText())),
}));

export const parseSync: Reader<Sync> = parser(
  'sync',
  object((o) => ({
    epoch: int(o, 'epoch'),
    seq: int(o, 'seq'),
    seen: int(o, 'seen'),
    hub: int(o, 'hub'),
    history: text(o, 'history'),
    slots: int(o, 'slots'),
    free: int(o, 'free'),
    queue: int(o, 'queue'),
    // what is too long for a capability is told so
    capabilities: array(o, 'capabilities', 1_000, aText(TEXT_LENGTH)),
    host: text(o, 'host', 300),
    pid: int(o, 'pid'),
    version: text(o, 'version'),
    draining: bool(o, 'draining'),
    instance: text(o, 'instance'),
    run: array(o, 'run', MOST_TASKS, runEntry),
    ...optional(o, 'sentAt', number),
    ...optional(o, 'roundTripMs', number),
    ...optional(o, 'load', number),
    ...optional(o, 'leaving', bool),
  })),
);

const drop = object(taskAndToken);
const cancelled = object((o) => ({
  task: task(o, 'task'),
  token: token(o, 'token'),
  reason: text(o, 'reason', TEXT_LENGTH),
}));

export const parseSyncReply: Reader<SyncReply> = parser<SyncReply>(
  'sync reply',
  object((o) => {
    switch (o['type']) {
      case 'ok':
        return {
          type: 'ok',
          hub: int(o, 'hub'),
          history: text(o, 'history'),
          seq: int(o, 'seq'),
          leaseMs: number(o, 'leaseMs', 0),
          heartbeatMs: number(o, 'heartbeatMs', 0),
          ...optional(o, 'void', int),
          ...optional(o, 'sent', int),
          drop: array(o, 'drop', MOST_TASKS, drop),
          cancel: array(o, 'cancel', MOST_TASKS, cancelled),
        };
      case 'epoch-low':
        return { type: 'epoch-low', n: int(o, 'n') };
      case 'name-taken':
        return { type: 'name-taken', host: text(o, 'host', 300), pid: int(o, 'pid') };
      case 'superseded':
        return { type: 'superseded' };
      case 'other-version':
        return { type: 'other-version', protocol: int(o, 'protocol'), version: text(o, 'version') };
      case 'unreadable-offer':
        return {
          type: 'unreadable-offer',
          capability: text(o, 'capability', TEXT_LENGTH),
          problem: text(o, 'problem', TEXT_LENGTH),
        };
      case 'not-ready':
        return { type: 'not-ready' };
      default:
        throw misfit(
          'one of ok, epoch-low, name-taken, superseded, other-version, unreadable-offer, not-ready',
          o['type'],
          'type',
        );
    }
  }),
);

/** Per electron name: captured variables and their values. */
export const capturesOf = (o: Fields, key: string): Record<string, Record<string, unknown>> =>
  record(o, key, MANY, (x) => record({ x }, 'x', MANY, shallow));

/** What travels inside other messages, and is stored: deeper than it may be as a whole it could be written, and not be read. */
const MOST_CAPTURE_DEPTH = 16;
const shallow: Reader<unknown> = (x) => {
  if (depthOf(x, MOST_CAPTURE_DEPTH) > MOST_CAPTURE_DEPTH) throw misfit(`at most ${MOST_CAPTURE_DEPTH} levels`, 'more');
  return x;
};

/** Counts no further than one more than `most`. */
function depthOf(x: unknown, most: number): number {
  if (typeof x !== 'object' || x === null || x instanceof Uint8Array || most < 0) return 0;
  let deepest = 0;
  for (const value of x instanceof Map ? x.values() : Object.values(x))
    deepest = Math.max(deepest, depthOf(value, most - 1));
  return deepest + 1;
}

const manifest: Reader<Manifest> = object((o) => ({
  dispatch: text(o, 'dispatch'),
  user: text(o, 'user'),
  lattice: text(o, 'lattice'),
  ...optional(o, 'metadata', (from, key) => record(from, key, MANY, aText(TEXT_LENGTH))),
  ...optional(o, 'bundle', (from, key) => field(from, key, valueInfo)),
  argv: array(o, 'argv', MANY, aText(TEXT_LENGTH)),
  captures: capturesOf(o, 'captures'),
  expiresAt: number(o, 'expiresAt', 0),
  strict: bool(o, 'strict'),
}));

export const parseManifest: Reader<Manifest> = parser('manifest', manifest);

/** Bytes that hold one encoded body. */
const part = <T>(read: Reader<T>): Reader<T> => {
  const decode = partReader((encoded) => read(decodeBody(encoded)));
  return (x) => {
    if (!(x instanceof Uint8Array)) throw misfit('bytes', x);
    return decode(x);
  };
};
const manifestPart = part(manifest);
const electronPart = part(electronDef);

const taskInput: Reader<TaskInput> = (x) => (x instanceof Uint8Array ? x : valueInfo(x));

function inputsOf(o: Fields): AssignedTask['inputs'] {
  return Array.isArray(o['inputs']) ? array(o, 'inputs', MOST_INPUTS, taskInput) : field(o, 'inputs', valueInfo);
}

const assignedTask: Reader<AssignedTask> = object((o) => ({
  task: task(o, 'task'),
  token: token(o, 'token'),
  inputsDigest: digest(o, 'inputsDigest'),
  manifest: int(o, 'manifest'),
  electron: int(o, 'electron'),
  name: text(o, 'name', 300),
  ...optional(o, 'path', (from, key) => text(from, key, 300)),
  template: field(o, 'template', taskInput),
  inputs: inputsOf(o),
  split: bool(o, 'split'),
  timeoutMs: number(o, 'timeoutMs', 0),
  ...optional(o, 'holds', holds),
}));

/** Of what `packAssign` made. Besides the shape it checks that each task's `manifest` and `electron` are there. */
export const parseAssign: Reader<Assign> = parser(
  'assign',
  object((o) => {
    const manifests = array(o, 'manifests', MOST_TASKS, manifestPart);
    const electrons = array(o, 'electrons', MOST_TASKS, electronPart);
    const tasks = array(o, 'tasks', MOST_TASKS, assignedTask);
    for (const one of tasks) {
      if (one.manifest >= manifests.length) throw misfit('indexes of manifests', one.manifest, 'tasks');
      if (one.electron >= electrons.length) throw misfit('indexes of electrons', one.electron, 'tasks');
    }
    return {
      epoch: int(o, 'epoch'),
      instance: text(o, 'instance'),
      hub: int(o, 'hub'),
      history: text(o, 'history'),
      n: int(o, 'n'),
      manifests,
      electrons,
      tasks,
    };
  }),
);

const refused = object((o) => ({ task: task(o, 'task'), reason: oneOf(o, 'reason', refusals) }));

export const parseAssignReply: Reader<AssignReply> = parser(
  'assign reply',
  object((o) => ({ refused: array(o, 'refused', MOST_TASKS, refused) })),
);

const finishedTask: Reader<FinishedTask> = object((o) => ({
  task: task(o, 'task'),
  token: token(o, 'token'),
  inputsDigest: digest(o, 'inputsDigest'),
  outcome: field(o, 'outcome', outcome),
}));

export const parseDone: Reader<Done> = parser(
  'done',
  object((o) => ({ epoch: int(o, 'epoch'), outcomes: array(o, 'outcomes', MOST_TASKS, finishedTask) })),
);

/** One entry of a `done`: what the agent's spool holds. */
export const parseFinishedTask: Reader<FinishedTask> = parser('outcome', finishedTask);

const verdict = object((o) => ({
  task: task(o, 'task'),
  token: token(o, 'token'),
  verdict: oneOf(o, 'verdict', verdicts),
}));

export const parseDoneReply: Reader<DoneReply> = parser<DoneReply>(
  'done reply',
  object((o) =>
    o['all'] === undefined
      ? { verdicts: array(o, 'verdicts', MOST_TASKS, verdict) }
      : { all: oneOf(o, 'all', verdicts) },
  ),
);

const toCancel = object((o) => ({
  task: task(o, 'task'),
  token: token(o, 'token'),
  reason: text(o, 'reason', TEXT_LENGTH),
  revoke: bool(o, 'revoke'),
}));

export const parseCancel: Reader<Cancel> = parser(
  'cancel',
  object((o) => ({ hub: int(o, 'hub'), tasks: array(o, 'tasks', MOST_TASKS, toCancel) })),
);

export const parseCancelReply: Reader<CancelReply> = parser(
  'cancel reply',
  object((o) => ({
    stopped: array(o, 'stopped', MOST_TASKS, taskId),
    stopping: array(o, 'stopping', MOST_TASKS, taskId),
  })),
);

const controls: readonly Control['type'][] = ['drain', 'stop'];
export const parseControl: Reader<Control> = parser(
  'control',
  object((o) => {
    const type = oneOf(o, 'type', controls);
    return type === 'stop' ? { type } : { type, ...optional(o, 'graceMs', (from, key) => number(from, key, 0)) };
  }),
);

export const parseBlobRead: Reader<BlobRead> = parser(
  'blob read',
  object((o) => ({ digest: digest(o, 'digest'), offset: int(o, 'offset'), length: int(o, 'length') })),
);

export const parseLogLine: Reader<LogLine> = parser(
  'log',
  object((o) => ({
    task: task(o, 'task'),
    token: token(o, 'token'),
    n: int(o, 'n'),
    stream: oneOf(o, 'stream', streams),
    text: text(o, 'text', TEXT_LENGTH),
  })),
);

export const parseLogsAsk: Reader<LogsAsk> = parser(
  'logs request',
  object((o) => ({ task: task(o, 'task') })),
);

export const parseLiveLogs: Reader<LiveLogs> = parser(
  'live logs',
  object((o) => ({
    ...optional(o, 'token', token),
    ...optional(o, 'logs', (from, key) => field(from, key, taskLogs)),
  })),
);

export const parseProgress: Reader<Progress> = parser(
  'progress',
  object((o) => ({
    task: task(o, 'task'),
    token: token(o, 'token'),
    fraction: number(o, 'fraction'),
    note: text(o, 'note', TEXT_LENGTH),
  })),
);

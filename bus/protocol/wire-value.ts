/** Checked readers of the words that several protocols share: value descriptions, errors, outcomes, electron definitions. */
import type { ExecutorChoice, ExecutorChoices } from '../../model/executor-choice.ts';
import type { DepsDef, ElectronDef } from '../../model/graph.ts';
import type { ErrorInfo, Outcome, TaskLogs, Usage, ValueInfo } from '../../model/outcome.ts';
import {
  aText,
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
  optional,
  parser,
  record,
  TEXT_LENGTH,
  text,
  type Fields,
  type Reader,
} from './shape.ts';

const DEEPEST_CAUSE = 16;
/** Most entries of `captures`, `env`, `metadata` and alike. */
export const MANY = 10_000;

export const valueInfo: Reader<ValueInfo> = object((o) =>
  o['length'] === undefined || o['length'] === null
    ? { digest: digest(o, 'digest'), size: int(o, 'size') }
    : { digest: digest(o, 'digest'), size: int(o, 'size'), length: int(o, 'length') },
);

const longText = (o: Fields, key: string): string => text(o, key, TEXT_LENGTH);

const errorAt = (depth: number): Reader<ErrorInfo> =>
  object((o) => ({
    code: text(o, 'code'),
    message: longText(o, 'message'),
    ...optional(o, 'name', longText),
    ...optional(o, 'userCode', longText),
    ...optional(o, 'stack', longText),
    ...optional(o, 'cause', (from, key) => {
      if (depth >= DEEPEST_CAUSE) throw misfit(`at most ${DEEPEST_CAUSE} causes`, from[key], key);
      return field(from, key, errorAt(depth + 1));
    }),
  }));

export const errorInfo: Reader<ErrorInfo> = errorAt(0);

export const taskLogs: Reader<TaskLogs> = object((o) => ({
  stdout: longText(o, 'stdout'),
  stderr: longText(o, 'stderr'),
  ...optional(o, 'log', longText),
}));

const usage: Reader<Usage> = object((o) => ({ startedAt: number(o, 'startedAt'), endedAt: number(o, 'endedAt') }));

const logs = (o: Fields): { readonly logs?: TaskLogs } =>
  optional(o, 'logs', (from, key) => field(from, key, taskLogs));

const isAbsent = (x: unknown): boolean => x === undefined || x === null;

export const outcome: Reader<Outcome> = object((o) => {
  switch (o['status']) {
    case 'completed': {
      const value = field(o, 'value', valueInfo);
      const used = field(o, 'usage', usage);
      // The usual one, without a spread for what it doesn't have.
      if (isAbsent(o['logs'])) {
        return isAbsent(o['bytes'])
          ? { status: 'completed', value, usage: used }
          : { status: 'completed', value, bytes: bytes(o, 'bytes'), usage: used };
      }
      return { status: 'completed', value, ...optional(o, 'bytes', bytes), ...logs(o), usage: used };
    }
    case 'failed':
      return { status: 'failed', error: field(o, 'error', errorInfo), ...logs(o), usage: field(o, 'usage', usage) };
    case 'cancelled':
      return { status: 'cancelled', ...logs(o), usage: field(o, 'usage', usage) };
    default:
      throw misfit('one of completed, failed, cancelled', o['status'], 'status');
  }
});

const share = (o: Fields, key: string): number => number(o, key, 0, 1);
const nonNegative = (o: Fields, key: string): number => number(o, key, 0);

const retries = object((o) => ({
  max: int(o, 'max'),
  delayMs: nonNegative(o, 'delayMs'),
  backoff: nonNegative(o, 'backoff'),
  maxDelayMs: nonNegative(o, 'maxDelayMs'),
  jitter: share(o, 'jitter'),
  retryOn: array(o, 'retryOn', 100, aText()),
  notOn: array(o, 'notOn', 100, aText()),
}));

const timeouts = object((o) => ({
  queueMs: nonNegative(o, 'queueMs'),
  attemptMs: nonNegative(o, 'attemptMs'),
  totalMs: nonNegative(o, 'totalMs'),
  silenceMs: nonNegative(o, 'silenceMs'),
}));

const MOST_DEPS = 10_000;
const depsTexts = (o: Fields, key: string): string[] => array(o, key, MOST_DEPS, aText(TEXT_LENGTH));
const depsDef: Reader<DepsDef> = object((o) => ({
  ...optional(o, 'npm', (from, key) => record(from, key, MOST_DEPS, aText(TEXT_LENGTH))),
  ...optional(o, 'pip', depsTexts),
  ...optional(o, 'shell', depsTexts),
}));
const concurrency = object((o) => ({ key: text(o, 'key'), limit: int(o, 'limit') }));

const cache = object((o) => ({ ...optional(o, 'key', text), ...optional(o, 'ttlMs', nonNegative) }));

const executorChoice: Reader<ExecutorChoice> = object((o) => ({
  executor: text(o, 'executor'),
  ...optional(o, 'executorOptions', (from, key) => record(from, key, MANY, anything)),
}));
export const executorChoices = (o: Fields, key: string): ExecutorChoices => record(o, key, MANY, executorChoice);

export const electronDef: Reader<ElectronDef> = object((o) => ({
  name: text(o, 'name'),
  ...executorChoice(o),
  needs: array(o, 'needs', 100, aText()),
  retries: field(o, 'retries', retries),
  timeouts: field(o, 'timeouts', timeouts),
  ...optional(o, 'concurrency', (from, key) => field(from, key, concurrency)),
  ...optional(o, 'exclusive', bool),
  ...optional(o, 'memoryMb', nonNegative),
  ...optional(o, 'env', (from, key) => record(from, key, MANY, aText(TEXT_LENGTH))),
  ...optional(o, 'deps', (from, key) => field(from, key, depsDef)),
  ...optional(o, 'at', (from, key) => text(from, key)),
  ...optional(o, 'hooks', (from, key) => text(from, key)),
  ...optional(o, 'cache', (from, key) => field(from, key, cache)),
}));

/** An electron's definition. Raises BAD_MESSAGE. */
export const parseElectronDef = parser('electron', electronDef);

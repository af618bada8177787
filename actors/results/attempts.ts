/** The attempts of one electron from its records: those that were not the last have one each, the last is what the electron's own record says. Reads only. */
import type { AttemptView } from '../../bus/protocol/api.ts';
import type { DispatchId } from '../../model/ids.ts';
import type { ErrorInfo } from '../../model/outcome.ts';
import type { ElectronRecord } from '../../model/records.ts';
import type { Stream } from '../../model/log-entry.ts';
import { decodeAttempt, decodeLogs, keys, attemptOfKey } from '../../store/records.ts';
import type { Store } from '../../store/store.ts';
import { errorWithin, firstWithin, LIST_BYTES } from '../answer-size.ts';

const MOST_ATTEMPTS = 500;
/** Of one error. */
const ERROR_BYTES = 2_048;

/** Oldest first; of many the last ones, as many as a message carries. `running`: since when the electron runs, as far as that is known. */
export function attemptsOf(
  store: Store,
  id: DispatchId,
  node: number,
  record: ElectronRecord | undefined,
  running: number | undefined,
): readonly AttemptView[] {
  const found: AttemptView[] = [];
  for (const { key, value } of store.range({ ...keys.attemptsOf(id, node), reverse: true, limit: MOST_ATTEMPTS })) {
    const attempt = attemptOfKey(key);
    const { error, ...rest } = decodeAttempt(value);
    found.push({ attempt, ...rest, error: short(error), ...written(store, id, node, attempt) });
  }
  const last = record === undefined ? undefined : lastOf(record, running);
  if (last !== undefined && found[0]?.attempt !== last.attempt)
    found.unshift({ ...last, ...written(store, id, node, last.attempt) });
  return firstWithin(found.slice(0, MOST_ATTEMPTS), 2 * LIST_BYTES).toReversed();
}

/** Undefined when it is told by a record of its own, or never came to an agent. */
function lastOf(record: ElectronRecord, running: number | undefined): Omit<AttemptView, Stream> | undefined {
  const { attempt, status, agent, startedAt, endedAt, error } = record;
  if (attempt === 0 || agent === undefined) return undefined;
  if (
    status === 'waiting' ||
    status === 'ready' ||
    status === 'retrying' ||
    status === 'skipped' ||
    status === 'reused'
  )
    return undefined;
  const began = running ?? startedAt;
  return {
    attempt,
    status: running === undefined ? status : 'running',
    agent,
    ...(began === undefined ? {} : { startedAt: began }),
    ...(endedAt === undefined ? {} : { endedAt }),
    ...(error === undefined ? {} : { error: short(error) }),
  };
}

function written(store: Store, id: DispatchId, node: number, attempt: number): Pick<AttemptView, Stream> {
  const bytes = store.get(keys.logs(id, node, attempt));
  if (bytes === undefined) return { stdout: 0, stderr: 0, log: 0 };
  const { stdout, stderr, log = '' } = decodeLogs(bytes);
  return { stdout: stdout.length, stderr: stderr.length, log: log.length };
}

const short = ({ code, name, userCode, message }: ErrorInfo): ErrorInfo =>
  errorWithin(
    {
      code,
      message,
      ...(name === undefined ? {} : { name }),
      ...(userCode === undefined ? {} : { userCode }),
    },
    ERROR_BYTES,
  );

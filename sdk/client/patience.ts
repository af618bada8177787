/**
 * How long a call to the hub is tried again, with back-off and jitter: everything the SDK asks is idempotent.
 * A hub that never answered here is reported at once (NO_HUB); one that answered before is waited for.
 * Not here: the connection itself (connection.ts).
 */
import { PolaronError, type ErrorCode } from '../../model/errors.ts';
import type { Connection, Line } from './connection.ts';
import { describeTarget } from './target.ts';

export interface Patience {
  /** How long an outage may last once the hub has answered before, ms. `Infinity`: a wait. @default 10000 */
  readonly outageMs?: number | undefined;
  readonly signal?: AbortSignal | undefined;
}

/** A wait goes on for as long as it takes. */
export const WAITING = { outageMs: Infinity } as const;

const FIRST_PAUSE_MS = 40;
const LONGEST_PAUSE_MS = 2_000;
/** A bus that is up with no hub on it: the hub may be starting. */
const FIRST_CONTACT_MS = 1_000;
const DEFAULT_OUTAGE_MS = 10_000;
/** An outage of a wait is said once, when it lasts so long. */
const TELL_AFTER_MS = 1_000;

const outages: ReadonlySet<ErrorCode> = new Set(['NO_HUB', 'NO_RESPONDERS', 'REQUEST_TIMEOUT', 'BUS_DISCONNECTED']);
const overloads: ReadonlySet<ErrorCode> = new Set(['HUB_BUSY', 'MAILBOX_FULL', 'STORE_FAILED']);

/** Runs `attempt` on a live line until it succeeds, fails for good, or patience ends. Holds the connection meanwhile. */
export async function withPatience<T>(
  connection: Connection,
  patience: Patience,
  attempt: (line: Line) => Promise<T>,
): Promise<T> {
  const { signal } = patience;
  const release = connection.hold();
  let since: number | undefined;
  let told = false;
  try {
    for (let tries = 0; ; tries++) {
      signal?.throwIfAborted();
      let dialled = false;
      try {
        const line = connection.live() ?? (await abortable(connection.line(), signal));
        dialled = true;
        return await attempt(line);
      } catch (error) {
        const code = transientCode(connection, error);
        if (code === undefined) throw error;
        const now = performance.now();
        since ??= now;
        if (now - since >= allowedMs(connection, patience, code, dialled)) throw givenUp(connection, code, error);
        if (!told && now - since >= TELL_AFTER_MS && patience.outageMs === Infinity && outages.has(code)) {
          told = true;
          process.emitWarning(
            'the hub went away; waiting for it to come back (is `polaron start` running?)',
            'PolaronWarning',
          );
        }
        await pause(backOffMs(tries), signal);
      }
    }
  } finally {
    release();
  }
}

/** The code, if trying again may help. A bus that we dropped ourselves counts as disconnected. */
function transientCode(connection: Connection, error: unknown): ErrorCode | undefined {
  if (!(error instanceof PolaronError)) return undefined;
  if (error.code === 'BUS_CLOSED') return connection.closed ? undefined : 'BUS_DISCONNECTED';
  return outages.has(error.code) || overloads.has(error.code) ? error.code : undefined;
}

function allowedMs(connection: Connection, patience: Patience, code: ErrorCode, dialled: boolean): number {
  if (connection.contacted) return patience.outageMs ?? DEFAULT_OUTAGE_MS;
  if (!dialled) return 0;
  return code === 'NO_RESPONDERS' ? FIRST_CONTACT_MS : DEFAULT_OUTAGE_MS;
}

function givenUp(connection: Connection, code: ErrorCode, error: unknown): unknown {
  if (code === 'NO_HUB' || overloads.has(code)) return error;
  const target = connection.target();
  const what =
    code === 'NO_RESPONDERS'
      ? `the bus is up, but no hub listens there for user ${JSON.stringify(target.user)}`
      : 'the bus is up, but the hub does not answer';
  return new PolaronError(
    'NO_HUB',
    `no hub answers at ${describeTarget(target)}: ${what}; run \`polaron start\`, or set POLARON_URL`,
    { cause: error, details: { servers: target.servers, from: target.from } },
  );
}

/** Doubles up to 2 s; half of it is random, so that many clients don't come back at once. */
function backOffMs(tries: number): number {
  return Math.min(LONGEST_PAUSE_MS, FIRST_PAUSE_MS * 2 ** Math.min(tries, 10)) * (0.5 + Math.random() / 2);
}

/** Resolves after `ms`; rejects with the signal's reason. Keeps the process alive. */
export function pause(ms: number, signal?: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    const aborted = (): void => {
      clearTimeout(timer);
      reject(reasonOf(signal));
    };
    const timer = setTimeout(() => {
      signal?.removeEventListener('abort', aborted);
      resolve();
    }, ms);
    if (signal?.aborted === true) aborted();
    else signal?.addEventListener('abort', aborted, { once: true });
  });
}

/** `promise`, or the signal's reason if that comes first. */
export function abortable<T>(promise: Promise<T>, signal?: AbortSignal): Promise<T> {
  if (signal === undefined) return promise;
  return new Promise((resolve, reject) => {
    const aborted = (): void => reject(reasonOf(signal));
    if (signal.aborted) aborted();
    signal.addEventListener('abort', aborted, { once: true });
    promise
      .then(resolve, reject)
      .finally(() => signal.removeEventListener('abort', aborted))
      .catch(reject);
  });
}

function reasonOf(signal: AbortSignal | undefined): Error {
  const reason: unknown = signal?.reason;
  return reason instanceof Error ? reason : new PolaronError('CANCELLED', `the call was aborted: ${String(reason)}`);
}

/**
 * How long a call to the hub is tried again, with back-off and jitter: everything the SDK asks is idempotent.
 * A hub that never answered here is reported at once (NO_HUB); one that answered before is waited for. One that says that it is busy isn't away.
 * Not here: the connection itself (connection.ts).
 */
import { PolaronError, type ErrorCode } from '../../model/errors.ts';
import type { Connection, Line } from './connection.ts';
import { describeTarget } from './target.ts';

export interface Patience {
  /** How long an outage may last once the hub has answered before, ms. `Infinity`: a wait. @default 10000 */
  readonly outageMs?: number | undefined;
  /** How long a hub may answer HUB_BUSY, ms. @default outageMs */
  readonly busyMs?: number | undefined;
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
/** A busy hub is no news for so long, ms. */
const TELL_BUSY_AFTER_MS = 10_000;

/** Runs `attempt` on a live line until it succeeds, fails for good, or patience ends. Holds the connection meanwhile. */
export async function withPatience<T>(
  connection: Connection,
  patience: Patience,
  attempt: (line: Line) => Promise<T>,
): Promise<T> {
  const { signal } = patience;
  const release = connection.hold();
  const trouble = new Trouble(connection, patience);
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
        if (trouble.isOver(code, dialled, error)) throw givenUp(connection, code, error);
        await pause(backOffMs(tries), signal);
      }
    }
  } finally {
    trouble.end();
    release();
  }
}

/** The code, if trying again may help. A bus that we dropped ourselves counts as disconnected. */
function transientCode(connection: Connection, error: unknown): ErrorCode | undefined {
  if (!(error instanceof PolaronError)) return undefined;
  if (error.code === 'BUS_CLOSED') return connection.closed ? undefined : 'BUS_DISCONNECTED';
  return outages.has(error.code) || overloads.has(error.code) ? error.code : undefined;
}

/** Who has been told what keeps calls over this connection: once, whatever number of calls wait. */
const told = new WeakSet<Connection>();

/** Since when the hub is away, or busy; said when it lasts. */
class Trouble {
  readonly #connection: Connection;
  readonly #patience: Patience;
  #awaySince: number | undefined;
  #busySince: number | undefined;
  #told = false;

  constructor(connection: Connection, patience: Patience) {
    this.#connection = connection;
    this.#patience = patience;
  }

  /** Patience ends with this failure. */
  isOver(code: ErrorCode, dialled: boolean, error: unknown): boolean {
    const now = performance.now();
    if (code === 'HUB_BUSY') {
      this.#busySince ??= now;
      this.#awaySince = undefined;
      const since = now - this.#busySince;
      if (since >= (this.#patience.busyMs ?? this.#allowedMs(code, dialled))) return true;
      if (since >= TELL_BUSY_AFTER_MS) this.#tell(`waiting: ${error instanceof Error ? error.message : code}`);
      return false;
    }
    this.#awaySince ??= now;
    const since = now - this.#awaySince;
    if (since >= this.#allowedMs(code, dialled)) return true;
    if (since >= TELL_AFTER_MS && this.#patience.outageMs === Infinity && outages.has(code))
      this.#tell(
        code === 'REQUEST_TIMEOUT'
          ? 'the hub does not answer, though its bus is up; waiting for it'
          : 'the hub went away; waiting for it to come back (is `polaron start` running?)',
      );
    return false;
  }

  #tell(what: string): void {
    if (told.has(this.#connection)) return;
    this.#told = true;
    told.add(this.#connection);
    process.emitWarning(what, 'PolaronWarning');
  }

  /** The next trouble is news again. */
  end(): void {
    if (this.#told) told.delete(this.#connection);
  }

  #allowedMs(code: ErrorCode, dialled: boolean): number {
    if (this.#connection.contacted) return this.#patience.outageMs ?? DEFAULT_OUTAGE_MS;
    if (!dialled) return 0;
    return code === 'NO_RESPONDERS' ? FIRST_CONTACT_MS : DEFAULT_OUTAGE_MS;
  }
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

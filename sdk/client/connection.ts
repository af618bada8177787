/**
 * One lazy bus connection: dials when it is first needed, closes itself when nothing has been pending for a moment, and dials
 * again on the next use. Not here: what is sent (api.ts), and how long a call is tried again (patience.ts).
 *
 * C1. What waits keeps the process alive by itself: a request its socket, a pause its timer. The connection alone never does.
 * C2. When nothing has been held for `idleMs`, the bus is closed: a script ends by itself after its last await, with any bus.
 * C3. A lost bus is dropped at once and dialled anew, with the target resolved again: a restarted hub may listen elsewhere.
 * C4. Uses that arrive while a dial is under way share it.
 */
import type { Bus } from '../../bus/bus.ts';
import { makeSubjects, type Subjects } from '../../bus/subjects.ts';
import { PolaronError } from '../../model/errors.ts';
import { describeTarget, type Target } from './target.ts';

/** Opens a bus; rejects when the first dial fails. */
export type Dial = (target: Target) => Promise<Bus>;

export interface ConnectionOptions {
  /** Called at each dial. Raises NO_HUB when there is nothing to dial. */
  readonly target: () => Target;
  readonly dial: Dial;
  /** Closes after so long with nothing pending, ms. @default 100 */
  readonly idleMs?: number;
}

/** A bus that is connected, and what it leads to. */
export interface Line {
  readonly bus: Bus;
  readonly target: Target;
  readonly subjects: Subjects;
}

export class Connection {
  readonly #options: ConnectionOptions;
  readonly #idleMs: number;
  readonly #lost = new Set<() => void>();
  #line: Line | undefined;
  #dialling: Promise<Line> | undefined;
  #held = 0;
  #idle: NodeJS.Timeout | undefined;
  #idleSince = 0;
  #closed = false;
  #closing: Promise<void> = Promise.resolve();
  #contacted = false;

  constructor(options: ConnectionOptions) {
    this.#options = options;
    this.#idleMs = options.idleMs ?? 100;
  }

  /** Has a hub ever answered here? Before that, a failure is told at once; after it, calls wait for the hub to come back. */
  get contacted(): boolean {
    return this.#contacted;
  }

  markContacted(): void {
    this.#contacted = true;
  }

  /** Where it leads: of the live bus, or resolved now. Raises NO_HUB. */
  target(): Target {
    return this.#line?.target ?? this.#options.target();
  }

  /** Keeps the bus open until the returned function is called (once). */
  hold(): () => void {
    this.#held++;
    let held = true;
    return () => {
      if (!held) return;
      held = false;
      if (--this.#held === 0) this.#idleSoon();
    };
  }

  /** The live bus, if there is one: saves a turn of the event loop. */
  live(): Line | undefined {
    return this.#line?.bus.connected === true ? this.#line : undefined;
  }

  /** The live bus, dialled when there is none. Rejects with NO_HUB, AUTH_FAILED, BUS_CLOSED. Call it while holding. */
  async line(): Promise<Line> {
    const live = this.live();
    if (live !== undefined) return live;
    if (this.#closed)
      throw new PolaronError('BUS_CLOSED', 'this client was closed with close(); make another by connect()');
    this.#drop();
    this.#dialling ??= this.#dial().finally(() => {
      this.#dialling = undefined;
    });
    return this.#dialling;
  }

  /** Calls `listener` each time a bus that was live is lost or closed. */
  onLost(listener: () => void): () => void {
    this.#lost.add(listener);
    return () => this.#lost.delete(listener);
  }

  /** Closes for good: pending calls reject with BUS_CLOSED. */
  async close(): Promise<void> {
    this.#closed = true;
    clearTimeout(this.#idle);
    this.#drop();
    await this.#closing;
  }

  get closed(): boolean {
    return this.#closed;
  }

  async #dial(): Promise<Line> {
    const target = this.#options.target();
    const bus = await this.#options.dial(target).catch((error: unknown) => {
      throw dialFailed(target, error);
    });
    const line: Line = { bus, target, subjects: makeSubjects() };
    if (this.#closed) {
      await bus.close();
      throw new PolaronError('BUS_CLOSED', 'this client was closed with close() while it dialled');
    }
    this.#line = line;
    bus.onStatus((status) => {
      if (status.type !== 'disconnected' && status.type !== 'closed') return;
      if (this.#line === line) this.#drop();
    });
    if (this.#held === 0) this.#idleSoon();
    return line;
  }

  /** One timer serves many short uses: when it fires, it waits for what is left since the last of them. */
  #idleSoon(): void {
    this.#idleSince = performance.now();
    if (this.#idle === undefined) this.#closeIn(this.#idleMs);
  }

  #closeIn(ms: number): void {
    this.#idle = setTimeout(() => {
      this.#idle = undefined;
      if (this.#held > 0) return;
      const left = this.#idleSince + this.#idleMs - performance.now();
      if (left > 0) this.#closeIn(Math.ceil(left));
      else this.#drop();
    }, ms).unref();
  }

  #drop(): void {
    const line = this.#line;
    if (line === undefined) return;
    this.#line = undefined;
    this.#closing = line.bus.close().catch(() => undefined);
    for (const listener of this.#lost) listener();
  }
}

/** A failed dial in one line: what was tried, why it failed, what to do. */
function dialFailed(target: Target, error: unknown): PolaronError {
  const reason = error instanceof Error ? error.message : String(error);
  if (error instanceof PolaronError && (error.code === 'AUTH_FAILED' || error.code === 'PERMISSION_DENIED')) {
    const who = target.login === undefined ? 'without credentials' : `as ${JSON.stringify(target.login.user)}`;
    return new PolaronError(
      error.code,
      `the bus at ${describeTarget(target)} refused us ${who}; check user and password in the URL, or remove POLARON_URL to use this machine's hub`,
      { cause: error, details: { servers: target.servers, from: target.from } },
    );
  }
  return new PolaronError(
    'NO_HUB',
    `no hub answers at ${describeTarget(target)}: ${reason}; run \`polaron start\`, or set POLARON_URL`,
    { cause: error, details: { servers: target.servers, from: target.from } },
  );
}

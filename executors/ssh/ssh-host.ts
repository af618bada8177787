/**
 * One host, as long as an agent has work there: one connection at a time for all its electrons, dialled when the first comes, and again when it breaks. What runs over there runs on meanwhile;
 * the stream goes on where it was. Invariants: H1 there is at most one ssh process, and the next is started when the last has ended; H2 the stream is given up only after the
 * daemon's lease has passed over there, so nothing that is told as lost still runs; H3 an error in the first dial is told at once, later ones when the stream is given up.
 */
import { randomUUID } from 'node:crypto';
import { asPolaronError, PolaronError } from '../../model/errors.ts';
import { deferred } from '../../model/deferred.ts';
import type { Clock } from '../../model/clock.ts';
import type { Log } from '../../model/log.ts';
import { BridgeLink } from '../remote/bridge-link.ts';
import { RECORD } from '../remote/records.ts';
import { ResumableStream } from '../remote/resumable-stream.ts';
import { decodeAttached, encodeAttachment, type Attached } from './attachment.ts';
import { dial, type SshConnection } from './ssh-connection.ts';
import { DEFAULT_LEASE_MS, type SshOptions } from './ssh-options.ts';

const FIRST_BACKOFF_MS = 100;
const LONGEST_BACKOFF_MS = 15_000;
/** The daemon hears of us so often in a lease at least. */
const PINGS_PER_LEASE = 5;
const LONGEST_PING_MS = 10_000;
/** What the daemon's end may be later than its lease. */
const AFTER_LEASE_MS = 6_000;
const ANSWER_MS = 30_000;

export interface SshHostOptions {
  readonly host: SshOptions;
  readonly agent: string;
  readonly boot: number;
  /** Names how the host is reached: another way has another daemon. */
  readonly way: string;
  readonly clock: Clock;
  readonly log: Log;
  /** An earlier use of this way to the host has ended then. */
  readonly after?: Promise<void>;
  /** @default ssh, of the PATH */
  readonly program?: string;
}

interface Session {
  readonly id: string;
  readonly stream: ResumableStream;
  readonly link: BridgeLink;
}

export class SshHost {
  readonly #options: SshHostOptions;
  readonly place: string;
  readonly #leaseMs: number;
  #opening: Promise<BridgeLink> | undefined;
  #link: BridgeLink | undefined;
  #connection: SshConnection | undefined;
  #closing = false;
  readonly #closed = deferred<boolean>();
  readonly #abort = new AbortController();

  constructor(options: SshHostOptions) {
    this.#options = options;
    this.place = `host ${options.host.host}`;
    this.#leaseMs = options.host.leaseMs ?? DEFAULT_LEASE_MS;
  }

  /** Of the ssh process at work, if there is one. */
  get connectionPid(): number | undefined {
    return this.#connection?.pid;
  }

  /** The bridge over there, begun if there is none. Rejects with what `dial` rejects with, and EXECUTOR_FAILED. */
  link(): BridgeLink | Promise<BridgeLink> {
    if (this.#link !== undefined && !this.#link.over) return this.#link;
    this.#opening ??= this.#open().finally(() => {
      this.#opening = undefined;
    });
    return this.#opening;
  }

  /** Everything over there is killed, and nothing is left but the program. False: it can't be reached, and ends by itself a lease later. */
  async close(): Promise<boolean> {
    if (this.#closing) return this.#closed.promise;
    this.#closing = true;
    this.#abort.abort();
    await this.#opening?.catch(() => undefined);
    let clean = true;
    if (this.#link !== undefined && !this.#link.over) {
      clean = this.#connection !== undefined;
      if (clean) await this.#link.close();
      else this.#link.stream.destroy();
    }
    this.#connection?.close();
    this.#closed.resolve(clean);
    return clean;
  }

  async #open(): Promise<BridgeLink> {
    const id = randomUUID();
    const stream = new ResumableStream();
    await this.#options.after;
    const connection = await this.#dial();
    const attached = await this.#attach(connection, { id, stream }, false);
    if (attached.refused !== undefined) {
      connection.close();
      throw new PolaronError(
        'EXECUTOR_FAILED',
        `${this.place}: nothing can be started there: ${attached.message ?? 'refused'}`,
      );
    }
    const { clock, log } = this.#options;
    const link = new BridgeLink({
      stream,
      place: this.place,
      clock,
      log,
      pingMs: Math.min(LONGEST_PING_MS, this.#leaseMs / PINGS_PER_LEASE),
      lost: (reason) => {
        const { code, message } = asPolaronError(
          reason ?? new Error(`${this.place}: its daemon has ended`),
          'SSH_LOST',
        );
        return { code, message };
      },
    });
    this.#link = link;
    void link.ended.then(() => this.#connection?.close());
    this.#use(connection, { id, stream, link }, attached.received);
    await link.ready;
    return link;
  }

  async #dial(): Promise<SshConnection> {
    if (this.#closing) throw new PolaronError('SSH_UNREACHABLE', `${this.place}: the agent ends`);
    const { host, agent, boot, way, clock, program = 'ssh' } = this.#options;
    return dial({ host, place: this.place, agent, boot, way, clock, program, signal: this.#abort.signal });
  }

  /** The daemon's answer. Rejects when the connection breaks before. */
  #attach(
    connection: SshConnection,
    { id, stream }: Pick<Session, 'id' | 'stream'>,
    resume: boolean,
  ): Promise<Attached> {
    const { records } = connection;
    return new Promise((resolve, reject) => {
      const late = this.#options.clock.after(ANSWER_MS, () => connection.close());
      records.onClose(() => {
        late.cancel();
        reject(connection.failure());
      });
      records.onRecord((type, payload) => {
        // what follows belongs to the stream
        records.pause();
        records.hold();
        late.cancel();
        try {
          if (type === RECORD.attached) return resolve(decodeAttached(payload));
        } catch {
          // said below
        }
        connection.close();
        reject(new PolaronError('EXECUTOR_FAILED', `${this.place}: its daemon speaks another language`));
      });
      records.send(RECORD.attach, encodeAttachment({ session: id, received: stream.received, resume }));
    });
  }

  #use(connection: SshConnection, session: Session, theirs: number): void {
    this.#connection = connection;
    const { records } = connection;
    records.resume();
    const lost = (): void => {
      if (this.#connection === connection) this.#connection = undefined;
      const why = connection.failure();
      connection.close();
      if (!session.link.over) void this.#redial(session, why);
    };
    if (!session.stream.attach(records, theirs, lost)) {
      session.stream.destroy(lostSession(this.place));
      connection.close();
    }
  }

  /** Until it is back, or given up (H2, H3). */
  async #redial(session: Session, first: PolaronError): Promise<void> {
    const { clock, log } = this.#options;
    if (this.#closing) return void session.stream.destroy(first);
    log('warn', `${this.place}: the connection is broken; what runs there goes on (${first.message})`);
    const until = clock.monotonic() + this.#leaseMs + AFTER_LEASE_MS;
    let why = first;
    for (let wait = FIRST_BACKOFF_MS; ; wait = Math.min(2 * wait, LONGEST_BACKOFF_MS)) {
      await new Promise<void>((resolve) => clock.after(wait * (0.75 + Math.random() / 2), resolve));
      if (session.link.over || this.#closing) return void session.stream.destroy(why);
      if (clock.monotonic() > until) break;
      try {
        const connection = await this.#dial();
        const attached = await this.#attach(connection, session, true);
        if (attached.refused !== undefined) {
          connection.close();
          return void session.stream.destroy(lostSession(this.place));
        }
        log('info', `${this.place}: connected again`);
        return this.#use(connection, session, attached.received);
      } catch (error) {
        why = asPolaronError(error, 'SSH_UNREACHABLE');
      }
    }
    const what = `${this.place}: it could not be reached for ${Math.round(this.#leaseMs / 1_000)} s, so what ran there was ended (${why.message})`;
    session.stream.destroy(new PolaronError('SSH_UNREACHABLE', what));
  }
}

const lostSession = (place: string): PolaronError =>
  new PolaronError('SSH_LOST', `${place}: what ran there is gone; its daemon has ended, as by a restart of the host`);

/**
 * The result manager: the only writer of the store. Applies numbered writes, answers queries and waits, from the records alone.
 * Not here: bytes in and out for agents and users (blob-service.ts), how ops become records (writer.ts).
 *
 * R1. A wait is answered only when the dispatch's end is on disk.
 * R2. `results.judge` is answered only when everything written before is on disk, and so is every query of a user.
 * R3. A request of another process waits for what its sender had written before: the bus may have lost that, and then it comes again.
 */
import type { Clock, Timer } from '../../model/clock.ts';
import { defaults } from '../../model/defaults.ts';
import { asPolaronError } from '../../model/errors.ts';
import { isAgentKey, isDigest, isDispatchId, type DispatchId } from '../../model/ids.ts';
import { isTerminalDispatch, isTerminalElectron } from '../../model/lifecycle.ts';
import { olderToken, sameToken } from '../../model/outcome.ts';
import type { Log } from '../../model/log.ts';
import type { DispatchRecord, ElectronRecord } from '../../model/records.ts';
import { isFinalTimeout } from '../../model/timeouts.ts';
import type { ApiError, WaitReply } from '../../bus/protocol/api.ts';
import type { CountRequest } from '../../bus/micro-service.ts';
import type {
  ResultsMessage,
  ResultsRequests,
  ResultsRequestType,
  RosterEntry,
  WritePosition,
} from '../../bus/protocol/results.ts';
import { decodeAgent, decodeKey, decodeNumber, keys, tailOfKey } from '../../store/records.ts';
import type { Store } from '../../store/store.ts';
import { addressOf, type Actor, type ActorSystem, type Address, type Message } from '../system.ts';
import type { NearMemory } from '../services.ts';
import { cachedValue } from './cached.ts';
import { KnownSizes } from './known-sizes.ts';
import { LiveDispatches } from './live.ts';
import { Queries } from './queries.ts';
import { pullFromAgent, type PullOptions } from './pull.ts';
import { Upkeep, type CopyData } from './upkeep.ts';
import { composeList, sliceList, storeBytes, wholeValue } from './values.ts';
import { keyPart, RecordWriter, type Ended } from './writer.ts';

export interface ManagerOptions {
  readonly system: ActorSystem;
  readonly store: Store;
  readonly clock: Clock;
  readonly pull: PullOptions;
  /** Changes with each start of the manager. */
  readonly epoch: string;
  /** Below so many free bytes no dispatch is accepted. @default 256 MiB */
  readonly reserveBytes?: number;
  /** It runs in a process of its own: who writes to it may outlive it. @default false */
  readonly alone?: boolean;
  readonly log?: Log;
  /** Makes a backup. */
  readonly copy?: CopyData | undefined;
  /** Memory of the hub, when it lives there. */
  readonly near?: NearMemory | undefined;
  /** Absent: nobody counts. */
  readonly count?: CountRequest<ResultsRequestType> | undefined;
}

export type ResultsAsk = ResultsMessage & { readonly ask: number; readonly after?: WritePosition };
export const isResultsAsk = (message: Message): message is ResultsAsk =>
  message.type.startsWith('results.') && 'ask' in message;

interface Waiter {
  /** With the dispatch's last record, when that is known. */
  readonly answer: (record?: DispatchRecord) => void;
  readonly timer: Timer;
}

/** A cancel ended it, or the hub did: no outcome of its last attempt was committed, and what comes of it later is not used. */
const isUnused = ({ status, error }: ElectronRecord): boolean =>
  status === 'cancelled' || (error !== undefined && (isFinalTimeout(error) || error.code === 'POISON'));

export class ResultManager implements Actor<ResultsAsk> {
  readonly #o: ManagerOptions;
  readonly #self: Address;
  readonly #live = new LiveDispatches();
  readonly #sizes: KnownSizes;
  readonly #writer: RecordWriter;
  readonly #queries: Queries;
  readonly #upkeep: Upkeep;
  readonly #waiters = new Map<string, Set<Waiter>>();
  /** Requests of other processes that are being worked on: one that comes again waits for the same answer. */
  readonly #working = new Set<string>();
  #freeBytes = Number.POSITIVE_INFINITY;

  constructor(options: ManagerOptions) {
    this.#o = options;
    this.#self = options.system.address('results', 'main');
    this.#sizes = new KnownSizes(options.store, () => options.clock.monotonic());
    this.#queries = new Queries(options.store, this.#live, options.near);
    this.#writer = new RecordWriter(options.store, this.#live, (ended) => this.#ended(ended), {
      numbered: options.alone ?? false,
      onAccept: (spec) => this.#queries.remember(spec),
    });
    this.#live.restore(this.#liveIds(), (id) => this.#queries.restoreCounts(id));
    this.#upkeep = new Upkeep({
      store: options.store,
      live: this.#live,
      writer: this.#writer,
      clock: options.clock,
      log: options.log ?? (() => undefined),
      copy: options.copy,
      forget: (id) => this.#queries.forget(id),
    });
    this.#watchDisk();
  }

  receive(message: ResultsAsk, from: Address): void {
    // Numbers of requests begin anew with each life of the hub; what has no position may be done twice.
    const { ask, after } = message;
    const name = this.#o.alone === true && after !== undefined ? `${from} ${after.sender} ${ask}` : undefined;
    if (name !== undefined && this.#working.has(name)) return;
    if (name !== undefined) this.#working.add(name);
    const say = (answer: { readonly body: unknown } | { readonly error: ApiError }): void => {
      if (name !== undefined) this.#working.delete(name);
      this.#o.system.send(from, { type: 'results.answer', ask: message.ask, ...answer }, this.#self);
    };
    const { clock, count } = this.#o;
    const began = clock.monotonic();
    this.#handle(message).then(
      (body) => {
        count?.(message.type, clock.monotonic() - began);
        say({ body });
      },
      (error: unknown) => {
        count?.(message.type, clock.monotonic() - began, error);
        const { code, message: text, help, details } = asPolaronError(error, 'STORE_FAILED');
        say({ error: { code, message: text, help, details } });
      },
    );
  }

  async #handle(message: ResultsAsk): Promise<ResultsRequests[ResultsMessage['type']]['answer']> {
    const { store, alone } = this.#o;
    if (alone === true && message.after !== undefined) await this.#writer.reached(message.after);
    if ('user' in message && 'id' in message) this.#queries.owned(message.id, message.user);
    switch (message.type) {
      case 'results.write':
        await this.#writer.write(message.sender, message.from, message.n, message.ops);
        return { n: message.n, epoch: this.#o.epoch };
      case 'results.admit':
        return this.#admit(message);
      case 'results.read':
        return { values: message.digests.map((digest) => store.smallValue(digest)) };
      case 'results.bytes':
        return { bytes: await wholeValue(store, message.digest) };
      case 'results.store':
        return this.#lasting({ value: await storeBytes(store, message.bytes) });
      case 'results.compose':
        return this.#lasting({ value: await composeList(store, message.elements, message.settled) });
      case 'results.slice':
        return this.#lasting({ items: await sliceList(store, message.digest) });
      case 'results.fetch':
        return { stored: await pullFromAgent(store, this.#o.pull, message.agent, message.digest, message.size) };
      case 'results.live':
        return this.#lasting({
          ids: this.#liveIds(),
          roster: this.#roster(),
          history: store.meta.history,
          epoch: this.#hubEpoch(),
        });
      case 'results.spec':
        return { spec: this.#queries.spec(message.id) };
      case 'results.load':
        return this.#queries.load(message.id);
      case 'results.cached':
        return { found: message.keys.map((key) => cachedValue(store, message.user, key)) };
      case 'results.ended':
        return this.#lasting(await this.#queries.ended(message.id));
      case 'results.judge':
        return this.#judge(message);
      case 'results.purge':
        return this.#upkeep.purge(message);
      case 'results.backup':
        return this.#upkeep.backup(message.folder, message.ticket);
      case 'results.list':
        return this.#flushed(this.#queries.list(message));
      case 'results.detail':
        return this.#flushed(this.#queries.detail(message.id));
      case 'results.snapshot':
        return this.#flushed(await this.#queries.snapshot(message));
      case 'results.wait':
        return this.#wait(message.id, message.timeoutMs);
      case 'results.value':
        return this.#flushed(await this.#queries.value(message.id, message.electron));
      case 'results.logs':
        return this.#flushed(await this.#queries.logs(message));
      case 'results.attempts':
        return this.#flushed(await this.#queries.attempts(message.id, message.electron));
    }
  }

  #admit(message: Extract<ResultsAsk, { type: 'results.admit' }>): ResultsRequests['results.admit']['answer'] {
    const { store } = this.#o;
    const sizes = message.digests.map((digest) => this.#sizes.of(digest));
    const full = this.#freeBytes < (this.#o.reserveBytes ?? defaults.reserveBytes);
    const known = store.get(keys.idempotency(message.user, keyPart(message.key)));
    if (known === undefined) return { sizes, full };
    const { id, contentDigest } = decodeKey(known);
    return isDispatchId(id) && isDigest(contentDigest)
      ? { sizes, full, existing: { id, contentDigest } }
      : { sizes, full };
  }

  async #judge({ id, node, token }: Extract<ResultsAsk, { type: 'results.judge' }>): Promise<{
    readonly verdict: 'duplicate' | 'stale' | 'later' | 'unknown';
  }> {
    const known = this.#o.store.get(keys.dispatch(id)) !== undefined;
    const record = this.#queries.electron(id, node);
    await this.#o.store.write([]);
    if (!known) return { verdict: 'unknown' };
    const ended = record !== undefined && isTerminalElectron(record.status);
    const recorded = record?.token !== undefined && sameToken(record.token, token);
    if (ended && recorded) return { verdict: isUnused(record) ? 'stale' : 'duplicate' };
    if (ended || isTerminalDispatch(this.#queries.record(id).status)) return { verdict: 'stale' };
    // Its supervisor is about to begin again: the outcome is wanted, and the agent keeps it until then.
    if (recorded) return { verdict: 'later' };
    // A killed hub gave it out, and its record was lost: the agent's claim decides (H8). What this hub gives out has a record.
    const newer = record?.token === undefined || olderToken(record.token, token);
    return { verdict: newer && token[0] < this.#hubEpoch() ? 'later' : 'stale' };
  }

  /** Who asked may outlive this process, and then counts on what it was told: of values that were made here, of where the hub begins again. */
  #lasting<T>(told: T): T | Promise<T> {
    return this.#o.alone === true ? this.#flushed(told) : told;
  }

  /** What was read may be newer than the disk: it is told once it isn't. */
  async #flushed<T>(read: T): Promise<T> {
    await this.#o.store.write([]);
    return read;
  }

  #wait(id: DispatchId, timeoutMs: number): Promise<WaitReply> {
    // What has ended is written, but perhaps not flushed: the waiters' own path (R1).
    if (!this.#live.has(id)) return this.#o.store.write([]).then(() => this.#waited(id));
    // What was read may lie between the end's record and its flush: it is told after that, and nothing newer.
    const asItIs = (): Promise<WaitReply> => this.#waited(id).then((reply) => this.#flushed(reply));
    if (timeoutMs === 0) return asItIs();
    return new Promise((resolve, reject) => {
      const waiters = this.#waiters.get(id) ?? new Set<Waiter>();
      const settle = (reply: Promise<WaitReply>): void => {
        waiter.timer.cancel();
        waiters.delete(waiter);
        if (waiters.size === 0) this.#waiters.delete(id);
        reply.then(resolve, reject);
      };
      const late = (): void => settle(asItIs());
      const answer = (record?: DispatchRecord): void => settle(this.#waited(id, record));
      const waiter: Waiter = { answer, timer: this.#o.clock.after(timeoutMs, late, 'routine') };
      waiters.add(waiter);
      this.#waiters.set(id, waiters);
    });
  }

  async #waited(id: DispatchId, record?: DispatchRecord): Promise<WaitReply> {
    const dispatch = this.#queries.brief(id, record);
    return dispatch.status === 'completed' ? { dispatch, output: await this.#queries.output(id) } : { dispatch };
  }

  #ended({ id, record }: Ended): void {
    for (const waiter of [...(this.#waiters.get(id) ?? [])]) waiter.answer(record);
  }

  #liveIds(): readonly DispatchId[] {
    return [...this.#o.store.range(keys.allLive)].map(({ key }) => tailOfKey(key)).filter(isDispatchId);
  }

  #roster(): readonly RosterEntry[] {
    return [...this.#o.store.range(keys.allAgents)].flatMap(({ key, value }) => {
      const agent = tailOfKey(key);
      return isAgentKey(agent) ? [{ agent, ...decodeAgent(value) }] : [];
    });
  }

  #hubEpoch(): number {
    const bytes = this.#o.store.get(keys.hubEpoch);
    return bytes === undefined ? 0 : decodeNumber(bytes);
  }

  /** Free space is looked at now and then, not per dispatch: accepting must stay cheap. */
  #watchDisk(): void {
    const look = (): void => {
      this.#o.store.freeBytes().then(
        (bytes) => {
          this.#freeBytes = bytes;
        },
        () => undefined, // the disk can't be asked: accepting goes on, and a failing write is fatal anyway
      );
      this.#diskTimer = this.#o.clock.after(1_000, look, 'routine');
    };
    look();
  }
  #diskTimer: Timer | undefined;

  close(): void {
    this.#upkeep.close();
    this.#diskTimer?.cancel();
    for (const waiters of this.#waiters.values()) for (const waiter of waiters) waiter.timer.cancel();
  }
}

/** Where the manager of a node is. */
export const managerAddress = (node: string): Address => addressOf(node, 'results', 'main');

/** What a lattice supervisor leaves behind: the dispatch's record, those of nodes that it settles itself, and their events. Decides nothing. */
import type { DispatchRecord, DispatchSpec, ElectronRecord } from '../../model/records.ts';
import type { Clock } from '../../model/clock.ts';
import type { DispatchId } from '../../model/ids.ts';
import { isTerminalElectron, type DispatchStatus } from '../../model/lifecycle.ts';
import type { ResultsClient } from '../results-client.ts';
import type { PublishEvent } from '../services.ts';
import type { Plan } from '../../model/plan.ts';
import type { Effect } from './effects.ts';

type EventType = Parameters<PublishEvent>[0]['type'];
type EventDetails = {
  readonly node?: number;
  readonly electron?: string;
  readonly data?: Readonly<Record<string, unknown>>;
};

export class LatticeJournal {
  readonly #id: DispatchId;
  readonly #s: { readonly results: ResultsClient; readonly clock: Clock; readonly publish: PublishEvent };
  #user = '';
  #startedAt: number | undefined;
  /** The last durable seq of the dispatch. */
  seq = 0;
  /** Why all of it was cancelled, when somebody asked for that. */
  cancelled: string | undefined;

  constructor(id: DispatchId, services: { results: ResultsClient; clock: Clock; publish: PublishEvent }) {
    this.#id = id;
    this.#s = services;
  }

  begin(spec: DispatchSpec): void {
    this.#user = spec.user;
  }

  /** Goes on from the dispatch's record. */
  restore({ startedAt, cancel, seq }: DispatchRecord): void {
    this.#startedAt = startedAt;
    this.cancelled = cancel;
    this.seq = seq;
  }

  started(): void {
    this.#startedAt = this.#s.clock.now();
    this.seq++;
    this.record('running');
    this.#published('dispatch.started', this.seq);
  }

  ended(status: 'completed' | 'failed' | 'cancelled', errors: DispatchRecord['errors']): void {
    const seq = ++this.seq;
    this.record(status, { errors, endedAt: this.#s.clock.now() });
    this.#published(`dispatch.${status}`, seq);
  }

  record(status: DispatchStatus, extra: Partial<DispatchRecord> = {}): void {
    const record: DispatchRecord = {
      status,
      seq: this.seq,
      errors: [],
      ...(this.#startedAt === undefined ? {} : { startedAt: this.#startedAt }),
      ...(this.cancelled === undefined ? {} : { cancel: this.cancelled }),
      ...extra,
    };
    this.#s.results.write({ op: 'dispatch', id: this.#id, record });
  }

  /** A transition that the supervisor decided itself. */
  settled(effect: Extract<Effect, { type: 'settled' }>, plan: Plan): void {
    const { node, was, status, value, from, error, cause } = effect;
    const seq = ++this.seq;
    const record: ElectronRecord = {
      status,
      attempt: 0,
      failures: 0,
      losses: 0,
      seq,
      ...(isTerminalElectron(status) ? { endedAt: this.#s.clock.now() } : {}),
      ...(value === undefined ? {} : { value }),
      ...(from === undefined ? {} : { from }),
      ...(error === undefined ? {} : { error }),
      ...(cause === undefined ? {} : { cause }),
    };
    this.#s.results.write({
      op: 'electron',
      id: this.#id,
      node,
      // What the supervisor settles itself had no record before, but for what was being cancelled, and a lattice whose dispatch had begun.
      was: was === 'cancelling' || (was === 'running' && plan.place(node).node.kind === 'lattice') ? was : undefined,
      record,
    });
    if (status === 'reused')
      this.#published('electron.completed', seq, { node, electron: plan.nameOf(node), data: { reused: true } });
    else if (status === 'completed' || status === 'failed' || status === 'cancelled' || status === 'skipped') {
      const data = cause === undefined ? {} : { cause: plan.nameOf(cause) };
      this.#published(`electron.${status}`, seq, { node, electron: plan.nameOf(node), data });
    }
  }

  /** Once everything so far is on disk. */
  #published(type: EventType, seq: number, more: EventDetails = {}): void {
    this.#s.results.afterFlush(() =>
      this.#s.publish({ user: this.#user, dispatch: this.#id, type, seq, transient: false, ...more }),
    );
  }
}

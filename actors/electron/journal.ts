/** What an electron actor leaves behind: its records, its logs, its events. Decides nothing. */
import type { ElectronMessage } from '../../bus/protocol/actors.ts';
import type { EventType } from '../../bus/protocol/api.ts';
import type { ElectronStatus } from '../../model/lifecycle.ts';
import type { ErrorInfo, TaskLogs } from '../../model/outcome.ts';
import type { AttemptRecord, ElectronRecord } from '../../model/records.ts';
import type { Attempts } from './attempts.ts';
import type { ElectronServices, ElectronWork } from '../services.ts';

export class ElectronJournal {
  readonly #work: ElectronWork;
  readonly #s: ElectronServices;
  /** The last recorded status: the live counts go from it to the next. */
  #recorded: ElectronStatus | undefined;
  /** The last that was given to a transition of this electron. Later records keep it: a restarted hub counts on from what it finds. */
  #seq: number;

  constructor(work: ElectronWork, services: ElectronServices, recorded: ElectronStatus | undefined, seq = 0) {
    this.#seq = seq;
    this.#work = work;
    this.#s = services;
    this.#recorded = recorded;
  }

  /** `seq` 0: no transition that is told as durable. */
  record(record: ElectronRecord): void {
    const { dispatch: id, node } = this.#work;
    this.#seq = Math.max(this.#seq, record.seq);
    const whole = record.seq === this.#seq ? record : { ...record, seq: this.#seq };
    this.#s.results.write({ op: 'electron', id, node, was: this.#recorded, record: whole });
    const { cacheKey: key, user } = this.#work;
    // In the same turn, and so in the same batch.
    if (key !== undefined && record.status === 'completed')
      this.#s.results.write({ op: 'cached', user, key, from: { dispatch: id, node }, at: this.#s.clock.now() });
    this.#recorded = record.status;
  }

  logs(attempt: number, logs: TaskLogs | undefined): void {
    if (logs === undefined || isEmpty(logs)) return;
    this.#s.results.write({ op: 'logs', id: this.#work.dispatch, node: this.#work.node, attempt, logs });
  }

  /** One that another followed, or that was one too many. */
  attempt(
    { number: attempt, agent, startedAt }: Attempts,
    status: AttemptRecord['status'],
    error: ErrorInfo,
    endedAt: number,
  ): void {
    const record: AttemptRecord = {
      status,
      endedAt,
      error,
      ...(agent === undefined ? {} : { agent }),
      ...(startedAt === undefined ? {} : { startedAt }),
    };
    this.#s.results.write({ op: 'attempt', id: this.#work.dispatch, node: this.#work.node, attempt, record });
  }

  running(startedAt: number): void {
    this.#s.results.write({ op: 'running', id: this.#work.dispatch, node: this.#work.node, startedAt });
  }

  /** A durable transition's event: the caller has waited for the flush. */
  published(type: EventType, seq: number, data: Readonly<Record<string, unknown>>): void {
    this.#publish(type, seq, false, data);
  }

  passing(type: EventType, data: Readonly<Record<string, unknown>>): void {
    this.#publish(type, this.#s.lastSeq(), true, data);
  }

  retrying(seq: number, attempt: number, delayMs: number, { code, message }: ErrorInfo): void {
    this.published('electron.retrying', seq, { attempt, delayMs: Math.round(delayMs), error: { code, message } });
  }

  /** Output and progress of the current attempt: shown, not kept. */
  live(message: Extract<ElectronMessage, { type: 'attempt.logged' | 'attempt.progressed' }>): void {
    if (message.type === 'attempt.logged') this.passing('electron.log', { stream: message.stream, text: message.text });
    else this.passing('electron.progress', { fraction: message.fraction, note: message.note });
  }

  ended(
    status: ElectronStatus,
    seq: number,
    agent: string | undefined,
    attempt: number,
    error: ErrorInfo | undefined,
  ): void {
    if (status === 'completed') this.#publish('electron.completed', seq, false, { agent, attempt });
    else if (status === 'failed' || status === 'cancelled') {
      const told = error === undefined ? {} : { error: { code: error.code, message: error.message } };
      this.#publish(`electron.${status}`, seq, false, { agent, attempt, ...told });
    }
  }

  #publish(type: EventType, seq: number, transient: boolean, data: Readonly<Record<string, unknown>>): void {
    const { user, dispatch, node, name } = this.#work;
    this.#s.publish({ user, dispatch, type, seq, transient, node, electron: name, data });
  }
}

const isEmpty = ({ stdout, stderr, log = '' }: TaskLogs): boolean => stdout === '' && stderr === '' && log === '';

/**
 * One electron being worked on: from its assignment to its end, retries included. Holds the fencing token and judges outcomes (protocol.md, H1).
 * Not here: when it is ready (lattice supervisor), where it runs (matchmaker).
 *
 * E1. Status changes only by `nextStatus`; an event without a transition is ignored, since messages may come late.
 * E2. Records are queued in the order decide → persist → act; what the outside sees waits for the flush.
 * E3. An outcome counts only with the current agent, token and inputs digest; an older one is stale.
 * E4. An attempt without a record, from an earlier life of the hub, is adopted if it is newer than the own one and its inputs are equal (H8).
 * E5. That it was assigned is recorded and told when it lasts a moment (at once in a strict lattice): a shorter attempt is known by its agent's claim
 *     if the hub is killed (docs/adr/007), and its end says all.
 */
import type { Timer } from '../../model/clock.ts';
import { defaults } from '../../model/defaults.ts';
import type { AgentKey, TaskId } from '../../model/ids.ts';
import { isTerminalElectron, type ElectronStatus } from '../../model/lifecycle.ts';
import {
  olderToken,
  sameToken,
  type ErrorInfo,
  type TaskLogs,
  type Token,
  type ValueInfo,
} from '../../model/outcome.ts';
import { decideRetry } from '../../model/retry.ts';
import type { ElectronMessage, MatchmakerMessage } from '../../bus/protocol/actors.ts';
import type { Verdict } from '../../bus/protocol/agent.ts';
import type { ElectronRecord } from '../../bus/protocol/results.ts';
import { digestOf } from '../../bus/value/digest.ts';
import type { ElectronServices, ElectronWork, Lingering } from '../services.ts';
import type { Actor, Address } from '../system.ts';
import { nextStatus, type LifecycleEvent } from '../machine.ts';
import { readInputs } from './inputs.ts';
import { ElectronJournal } from './journal.ts';
import { endedOf, poisonOf, recoveredOf, sendOf, type Ending } from './letters.ts';
import { ValuePull, type Finished } from './pull.ts';

/** Losses with an agent that are too many (H9). */
export const MAX_LOSSES = defaults.maxLosses;

export class ElectronActor implements Actor<ElectronMessage>, Lingering {
  readonly #work: ElectronWork;
  readonly #s: ElectronServices;
  readonly #self: Address;
  readonly #task: TaskId;
  #status: ElectronStatus;
  readonly #journal: ElectronJournal;
  #pull: ValuePull | undefined;
  #attempt: number;
  #failures: number;
  #losses: number;
  #agent: AgentKey | undefined;
  #token: Token | undefined;
  #startedAt: number | undefined;
  #sent = false;
  /** Assigned, and neither recorded nor told (E5). */
  #untold = false;
  #timer: Timer | undefined;
  readonly #lostWith: AgentKey[] = [];

  constructor(work: ElectronWork, services: ElectronServices, restored?: ElectronRecord) {
    this.#work = work;
    this.#s = services;
    this.#task = work.task;
    this.#self = work.address;
    this.#status = restored?.status ?? 'ready';
    this.#journal = new ElectronJournal(work, services, restored?.status, restored?.seq);
    this.#attempt = restored?.attempt ?? 0;
    this.#failures = restored?.failures ?? 0;
    this.#losses = restored?.losses ?? 0;
    this.#agent = restored?.agent;
    this.#token = restored?.token;
    this.#startedAt = restored?.startedAt;
    if (restored !== undefined) this.#resume(restored);
  }

  receive(message: ElectronMessage): void {
    switch (message.type) {
      case 'attempt.assigned':
        return this.#assigned(message.agent);
      case 'inputs.read':
        return this.#inputsRead(message);
      case 'attempt.unsendable':
        return this.#unsendable(message.token, message.error);
      case 'attempt.started':
        return this.#started(message.token, message.startedAt);
      case 'attempt.lost':
        return this.#lost(message);
      case 'attempt.finished':
        return this.#finished(message);
      case 'value.fetched':
        return this.#fetched(message.token, message.stored);
      case 'attempt.adopt':
        return this.#adopt(message);
      case 'attempt.stopped':
        return this.#stopped(message.token, message.confirmed);
      case 'backoff.elapsed':
        if (this.#apply('backoff.elapsed')) this.#requestMatch();
        return;
      case 'attempt.logged':
      case 'attempt.progressed':
        if (!this.#isCurrent(message.token)) return;
        this.tell();
        return this.#journal.live(message);
      case 'electron.cancel':
        return this.#cancel(message.reason);
    }
  }

  #isCurrent(token: Token): boolean {
    return this.#token !== undefined && sameToken(token, this.#token);
  }

  /** Given out after ours, by an earlier life of the hub: its record was lost. */
  #isUnrecorded(token: Token): boolean {
    return token[0] < this.#s.epoch.value && (this.#token === undefined || olderToken(this.#token, token));
  }

  #apply(event: LifecycleEvent): boolean {
    const next = nextStatus(this.#status, event);
    if (next === undefined) return false;
    this.#status = next;
    return true;
  }

  #assigned(agent: AgentKey): void {
    if (!this.#apply('attempt.assigned')) {
      this.#tell({ type: 'attempt.abandoned', agent, task: this.#task });
      return;
    }
    this.#attempt++;
    this.#agent = agent;
    this.#token = [this.#s.epoch.value, this.#attempt];
    this.#startedAt = this.#s.clock.now();
    this.#sent = false;
    this.#untold = true;
    if (this.#work.strict) this.tell();
    else this.#s.moment.wait(this);
    const ready = readInputs(this.#work, this.#s.values, this.#s.results, (result) =>
      this.#s.system.send(this.#self, { type: 'inputs.read', ...result }, this.#self),
    );
    if (ready !== undefined) this.#inputsRead({ type: 'inputs.read', ...ready });
  }

  /** E5. */
  tell(): void {
    if (!this.#untold) return;
    this.#record(undefined);
    this.#journal.passing('electron.assigned', { agent: this.#agent });
  }

  /** E4: whatever the records say of an older attempt, its agent has had this one since. */
  #adopt({ agent, token, inputsDigest, startedAt }: Extract<ElectronMessage, { type: 'attempt.adopt' }>): void {
    const { dispatch, node } = this.#work;
    const task = this.#task;
    if (this.#isCurrent(token) && agent === this.#agent)
      return this.#tell({ type: 'attempt.recovered', agent, task, token });
    const wanted = inputsDigest === this.#work.inputsDigest && this.#isUnrecorded(token);
    const requested = this.#status === 'ready' && this.#attempt > 0;
    if (!wanted || !this.#adoptable()) return this.#tell({ type: 'attempt.refused', agent, task, token });
    if (requested) this.#tell({ type: 'match.withdraw', dispatch, nodes: [node] });
    if (this.#agent !== undefined && this.#token !== undefined && this.#agent !== agent)
      this.#tell({ type: 'attempt.refused', agent: this.#agent, task, token: this.#token });
    this.#timer?.cancel();
    this.#pull?.forget();
    this.#attempt = token[1];
    this.#agent = agent;
    this.#token = token;
    this.#startedAt = startedAt > 0 ? startedAt : this.#s.clock.now();
    this.#sent = true;
    this.#apply('attempt.assigned');
    this.#untold = true;
    this.tell();
    this.#tell({ type: 'attempt.recovered', agent, task, token });
    if (startedAt > 0) this.#started(token, startedAt);
  }

  /** Makes it ready if what it does now can be replaced. */
  #adoptable(): boolean {
    return this.#status === 'ready' || this.#apply('backoff.elapsed') || this.#apply('attempt.lost');
  }

  #inputsRead(message: Extract<ElectronMessage, { type: 'inputs.read' }>): void {
    if (this.#status !== 'assigned' || this.#sent || this.#agent === undefined || this.#token === undefined) return;
    if ('error' in message) {
      this.#tell({ type: 'attempt.abandoned', agent: this.#agent, task: this.#task });
      return this.#unsendable(this.#token, message.error);
    }
    this.#sent = true;
    this.#tell(sendOf(this.#work, this.#agent, this.#token, message));
  }

  /** It can't be given to any agent: no retry would help. */
  #unsendable(token: Token, error: ErrorInfo): void {
    if (!this.#isCurrent(token)) return;
    if (this.#status === 'cancelling') this.#stopped(token, true);
    else if (this.#apply('attempt.failed')) this.#end({ error });
  }

  #started(token: Token, startedAt: number): void {
    if (!this.#isCurrent(token)) return;
    this.tell();
    if (!this.#apply('attempt.started')) return;
    this.#journal.running(startedAt);
    this.#journal.passing('electron.running', { agent: this.#agent });
  }

  #lost(message: Extract<ElectronMessage, { type: 'attempt.lost' }>): void {
    if (this.#token === undefined || !sameToken(message.token, this.#token)) return;
    if (this.#status === 'cancelling') {
      this.#stopped(message.token, message.reason !== 'agent-lost');
      return;
    }
    if (!this.#apply('attempt.lost')) return;
    this.#pull?.forget();
    if (message.charged) {
      this.#losses++;
      if (this.#agent !== undefined) this.#lostWith.push(this.#agent);
      if (this.#losses >= MAX_LOSSES) {
        this.#apply('electron.fail');
        this.#end({ error: poisonOf(this.#work.name, this.#losses, this.#lostWith) });
        return;
      }
    }
    this.#agent = undefined;
    this.#record(undefined);
    this.#requestMatch();
  }

  /** `stored`: its large value has been pulled. */
  #finished(message: Finished, stored = false): void {
    const current =
      this.#token !== undefined &&
      sameToken(message.token, this.#token) &&
      message.agent === this.#agent &&
      message.inputsDigest === this.#work.inputsDigest;
    if (!current) {
      // One without a record may still be adopted: its agent's next sync claims it (H1).
      this.#judge(message, this.#isUnrecorded(message.token) ? 'later' : 'stale', false);
      return;
    }
    if (this.#status === 'cancelling') {
      this.#stopped(message.token, true, message.outcome.logs);
      this.#judge(message, 'stale', true);
      return;
    }
    if (this.#status !== 'assigned' && this.#status !== 'running') {
      // The attempt's failure is recorded and being retried: this is its report once more.
      this.#judge(message, 'duplicate', true);
      return;
    }
    const { outcome } = message;
    if (outcome.status === 'cancelled') {
      this.#judge(message, 'stale', true);
      this.#lost({ type: 'attempt.lost', token: message.token, reason: 'refused', charged: false });
    } else if (outcome.status === 'failed') this.#attemptFailed(message, outcome.error);
    else if (stored) this.#completed(message, outcome.value);
    else if (outcome.bytes === undefined)
      (this.#pull ??= new ValuePull(this.#s, this.#self)).begin(message, outcome.value);
    else if (digestOf(outcome.bytes) !== outcome.value.digest) this.#judge(message, 'missing', false);
    else {
      this.#s.values.put(outcome.value.digest, outcome.bytes);
      this.#s.results.write({ op: 'value', digest: outcome.value.digest, bytes: outcome.bytes });
      this.#completed(message, outcome.value);
    }
  }

  #fetched(token: Token, stored: boolean): void {
    const message = this.#pull?.fetched(token);
    if (message === undefined) return;
    if (stored) this.#finished(message, true);
    else this.#judge(message, 'missing', false);
  }

  #completed(message: Finished, value: ValueInfo): void {
    this.#apply('attempt.completed');
    this.#startedAt = message.outcome.usage.startedAt;
    this.#end({ value, logs: message.outcome.logs, endedAt: message.outcome.usage.endedAt }, message);
  }

  #attemptFailed(message: Finished, error: ErrorInfo): void {
    this.#failures++;
    this.#startedAt = message.outcome.usage.startedAt;
    const decision = decideRetry(this.#work.def.retries, error, this.#failures, this.#s.random());
    if (!decision.retry) {
      this.#apply('attempt.failed');
      this.#end({ error, logs: message.outcome.logs, endedAt: message.outcome.usage.endedAt }, message);
      return;
    }
    this.#apply('attempt.retry');
    this.#journal.logs(this.#attempt, message.outcome.logs);
    const seq = this.#s.nextSeq();
    this.#record({ error, retryAt: this.#s.clock.now() + decision.delayMs, seq });
    this.#backOff(decision.delayMs);
    this.#s.results.afterFlush(() => {
      this.#journal.retrying(seq, this.#attempt, decision.delayMs, error);
      this.#judge(message, 'committed', true);
    });
  }

  #stopped(token: Token, confirmed: boolean, logs?: TaskLogs): void {
    if (this.#token === undefined || !sameToken(token, this.#token) || !this.#apply('attempt.stopped')) return;
    this.#end({ logs, unconfirmed: !confirmed });
  }

  #cancel(reason: string): void {
    const wasWorking = this.#status === 'assigned' || this.#status === 'running';
    if (!this.#apply('electron.cancel')) return;
    this.#timer?.cancel();
    if (isTerminalElectron(this.#status)) {
      this.#tell({ type: 'match.withdraw', dispatch: this.#work.dispatch, nodes: [this.#work.node] });
      this.#end({});
      return;
    }
    if (!wasWorking || this.#agent === undefined || this.#token === undefined) return;
    if (!this.#sent) {
      this.#tell({ type: 'attempt.abandoned', agent: this.#agent, task: this.#task });
      this.#stopped(this.#token, true);
      return;
    }
    this.#record(undefined);
    this.#tell({ type: 'attempt.cancel', agent: this.#agent, task: this.#task, token: this.#token, reason });
  }

  #resume(restored: ElectronRecord): void {
    if (this.#status === 'retrying')
      this.#backOff(
        Math.max(0, Math.min((restored.retryAt ?? 0) - this.#s.clock.now(), this.#work.def.retries.maxDelayMs)),
      );
    else if (this.#agent !== undefined && this.#token !== undefined) {
      this.#sent = true;
      this.#tell(recoveredOf(this.#task, this.#agent, this.#token, this.#status === 'cancelling'));
    }
  }

  #backOff(delayMs: number): void {
    this.#timer = this.#s.clock.after(delayMs, () =>
      this.#s.system.send(this.#self, { type: 'backoff.elapsed' }, this.#self),
    );
  }

  #requestMatch(): void {
    const { dispatch, node, requirement, priority } = this.#work;
    this.#s.system.send(
      this.#s.matchmaker,
      { type: 'match.request', dispatch, nodes: [node], requirement, priority, held: false },
      this.#s.supervisor,
    );
  }

  /** Records the end, tells the supervisor (after the flush when the lattice is strict), publishes, answers who reported it, and leaves. */
  #end(o: Ending & { readonly logs?: TaskLogs | undefined; readonly endedAt?: number }, reported?: Finished): void {
    this.#timer?.cancel();
    const status = this.#status;
    const seq = this.#s.nextSeq();
    this.#journal.logs(this.#attempt, o.logs);
    const endedAt = o.endedAt ?? this.#s.clock.now();
    this.#record({ endedAt, seq, ...(o.error === undefined ? {} : { error: o.error }) }, o.value);
    const { strict, node } = this.#work;
    const ended = endedOf(node, status, o);
    if (!strict) this.#s.system.send(this.#s.supervisor, ended, this.#self);
    this.#s.results.afterFlush(() => {
      if (strict) this.#s.system.send(this.#s.supervisor, ended, this.#self);
      this.#journal.ended(status, seq, this.#agent, this.#attempt, o.error);
      if (reported !== undefined) this.#judge(reported, 'committed', true);
    });
    this.#s.system.stop(this.#self);
  }

  /** Field by field: two of these are made for every electron. */
  #record(extra: Partial<ElectronRecord> | undefined, value?: ValueInfo): void {
    if (this.#untold) this.#s.moment.forget(this);
    this.#untold = false;
    const record: { -readonly [K in keyof ElectronRecord]: ElectronRecord[K] } = {
      status: this.#status,
      attempt: this.#attempt,
      failures: this.#failures,
      losses: this.#losses,
      seq: 0,
      inputsDigest: this.#work.inputsDigest,
    };
    if (this.#token !== undefined) record.token = this.#token;
    if (this.#agent !== undefined) record.agent = this.#agent;
    if (this.#startedAt !== undefined) record.startedAt = this.#startedAt;
    if (value !== undefined) record.value = value;
    this.#journal.record(extra === undefined ? record : Object.assign(record, extra));
  }

  #judge(message: Finished, verdict: Verdict, current: boolean): void {
    const { receipt, token } = message;
    const judged = { type: 'attempt.judged', receipt, task: this.#task, token, verdict, current } as const;
    if (verdict === 'committed' || verdict === 'missing') this.#tell(judged);
    else this.#s.results.afterFlush(() => this.#tell(judged));
  }

  #tell(message: MatchmakerMessage): void {
    this.#s.system.send(this.#s.matchmaker, message, this.#self);
  }
}

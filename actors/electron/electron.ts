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
 * E6. A time that is over (docs/adr/009) ends it as soon as nothing of it runs; an attempt that had completed before it could be stopped counts.
 */
import type { Timer } from '../../model/clock.ts';
import { defaults } from '../../model/defaults.ts';
import type { AgentKey, TaskId } from '../../model/ids.ts';
import { isTerminalElectron, type ElectronStatus } from '../../model/lifecycle.ts';
import type { ErrorInfo, TaskLogs, Token, ValueInfo } from '../../model/outcome.ts';
import { decideRetry } from '../../model/retry.ts';
import { isTimed, type ElectronTimeout } from '../../model/timeouts.ts';
import type { ElectronMessage, MatchmakerMessage } from '../../bus/protocol/actors.ts';
import type { Verdict } from '../../bus/protocol/agent.ts';
import type { ElectronRecord } from '../../bus/protocol/results.ts';
import { digestOf } from '../../bus/value/digest.ts';
import type { ElectronServices, ElectronWork, Lingering } from '../services.ts';
import type { Actor, Address } from '../system.ts';
import { nextStatus, type LifecycleEvent } from '../machine.ts';
import { Attempts } from './attempts.ts';
import { Deadlines } from './deadlines.ts';
import { readInputs } from './inputs.ts';
import { ElectronJournal } from './journal.ts';
import { endedOf, lostError, poisonOf, recoveredOf, sendOf, type Ending } from './letters.ts';
import { judge, requestMatch, tell, withdraw } from './post.ts';
import { ValuePull, type Finished } from './pull.ts';

export class ElectronActor implements Actor<ElectronMessage>, Lingering {
  readonly #work: ElectronWork;
  readonly #s: ElectronServices;
  readonly #self: Address;
  readonly #task: TaskId;
  #status: ElectronStatus;
  readonly #journal: ElectronJournal;
  readonly #at: Attempts;
  /** Of the few with such an option. */
  readonly #deadlines: Deadlines | undefined;
  #pull: ValuePull | undefined;
  /** Assigned, and neither recorded nor told (E5). */
  #untold = false;
  #timer: Timer | undefined;

  constructor(work: ElectronWork, services: ElectronServices, restored?: ElectronRecord) {
    this.#work = work;
    this.#s = services;
    this.#task = work.task;
    this.#self = work.address;
    this.#status = restored?.status ?? 'ready';
    this.#journal = new ElectronJournal(work, services, restored?.status, restored?.seq);
    this.#at = new Attempts(restored);
    if (isTimed(work.def.timeouts)) {
      const waits = this.#status === 'ready' || this.#status === 'assigned';
      this.#deadlines = new Deadlines(services.clock, work.def.timeouts, this.#passed, restored, waits);
      if (restored === undefined) this.#record(undefined);
    }
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
        if (!this.#apply('backoff.elapsed')) return;
        this.#deadlines?.waits();
        return requestMatch(this.#s, this.#work);
      case 'deadline.passed':
        return this.#overdue();
      case 'attempt.logged':
      case 'attempt.progressed':
        if (!this.#at.isCurrent(message.token)) return;
        this.tell();
        return this.#journal.live(message);
      case 'electron.cancel':
        return this.#cancel(message.reason);
    }
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
    this.#at.begin(agent, this.#s.epoch.value, this.#s.clock.now());
    this.#untold = true;
    if (this.#work.strict) this.tell();
    else this.#s.moment.wait(this);
    const ready = readInputs(this.#work, this.#s.values, this.#s.results, this.#s.clock.monotonic(), (result) =>
      this.#s.system.send(this.#self, { type: 'inputs.read', ...result }, this.#self),
    );
    if (ready !== undefined) this.#inputsRead({ type: 'inputs.read', ...ready });
  }

  /** E5. */
  tell(): void {
    if (!this.#untold) return;
    this.#record(undefined);
    this.#journal.passing('electron.assigned', { agent: this.#at.agent });
  }

  /** E4: whatever the records say of an older attempt, its agent has had this one since. */
  #adopt({ agent, token, inputsDigest, startedAt }: Extract<ElectronMessage, { type: 'attempt.adopt' }>): void {
    const task = this.#task;
    const at = this.#at;
    if (at.isCurrent(token) && agent === at.agent) return this.#tell({ type: 'attempt.recovered', agent, task, token });
    const wanted = inputsDigest === this.#work.inputsDigest && at.isUnrecorded(token, this.#s.epoch.value);
    const requested = this.#status === 'ready' && (at.number > 0 || this.#deadlines !== undefined);
    if (!wanted || !this.#adoptable()) return this.#tell({ type: 'attempt.refused', agent, task, token });
    if (requested) withdraw(this.#s, this.#work);
    if (at.agent !== undefined && at.token !== undefined && at.agent !== agent)
      this.#tell({ type: 'attempt.refused', agent: at.agent, task, token: at.token });
    this.#timer?.cancel();
    this.#pull?.forget();
    at.adopt(agent, token, startedAt > 0 ? startedAt : this.#s.clock.now());
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
    const { sent, agent, token } = this.#at;
    if (this.#status !== 'assigned' || sent || agent === undefined || token === undefined) return;
    if ('error' in message) {
      this.#tell({ type: 'attempt.abandoned', agent, task: this.#task });
      return this.#unsendable(token, message.error);
    }
    this.#at.sent = true;
    this.#tell(sendOf(this.#work, agent, token, message));
  }

  /** It can't be given to any agent: no retry would help. */
  #unsendable(token: Token, error: ErrorInfo): void {
    if (!this.#at.isCurrent(token)) return;
    if (this.#status === 'cancelling') this.#stopped(token, true);
    else if (this.#apply('attempt.failed')) this.#end({ error });
  }

  #started(token: Token, startedAt: number): void {
    if (!this.#at.isCurrent(token)) return;
    this.tell();
    if (!this.#apply('attempt.started')) return;
    // That it needn't wait any more holds over a restart, too; a record says `assigned` of what runs.
    if (this.#deadlines?.runs() === true) this.#record({ status: 'assigned' });
    this.#journal.running(startedAt);
    this.#journal.passing('electron.running', { agent: this.#at.agent });
  }

  #lost(message: Extract<ElectronMessage, { type: 'attempt.lost' }>): void {
    const at = this.#at;
    if (!at.isCurrent(message.token)) return;
    if (this.#status === 'cancelling') {
      this.#stopped(message.token, message.reason !== 'agent-lost');
      return;
    }
    const over = this.#deadlines?.over;
    if (over === undefined && !this.#apply('attempt.lost')) return;
    this.#pull?.forget();
    if (message.charged) at.lostWithAgent();
    const error = lostError(this.#work.name, at.agent, message.reason);
    if (error !== undefined) this.#journal.attempt(at, 'lost', error, this.#s.clock.now());
    if (over !== undefined) return this.#timedOut(over);
    if (message.charged && at.losses >= (this.#s.maxLosses ?? defaults.maxLosses)) {
      this.#apply('electron.fail');
      return this.#end({ error: poisonOf(this.#work.name, at.losses, at.lostWith ?? []) });
    }
    at.agent = undefined;
    this.#deadlines?.waits();
    this.#record(undefined);
    requestMatch(this.#s, this.#work);
  }

  /** `stored`: its large value has been pulled. */
  #finished(message: Finished, stored = false): void {
    const at = this.#at;
    const ours = message.agent === at.agent && message.inputsDigest === this.#work.inputsDigest;
    if (!ours || !at.isCurrent(message.token)) {
      // One without a record may still be adopted: its agent's next sync claims it (H1).
      this.#judge(message, at.isUnrecorded(message.token, this.#s.epoch.value) ? 'later' : 'stale', false);
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
      const over = this.#deadlines?.over;
      if (over !== undefined) return this.#timedOut(over, outcome.logs);
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
    this.#at.startedAt = message.outcome.usage.startedAt;
    this.#end({ value, logs: message.outcome.logs, endedAt: message.outcome.usage.endedAt }, message);
  }

  #attemptFailed(message: Finished, error: ErrorInfo): void {
    const at = this.#at;
    const { usage, logs } = message.outcome;
    at.failures++;
    at.startedAt = usage.startedAt;
    const decision = decideRetry(this.#work.def.retries, error, at.failures, this.#s.random());
    if (!decision.retry) {
      this.#apply('attempt.failed');
      this.#end({ error, logs, endedAt: usage.endedAt }, message);
      return;
    }
    this.#apply('attempt.retry');
    this.#deadlines?.runs();
    this.#journal.logs(at.number, logs);
    this.#journal.attempt(at, 'failed', error, usage.endedAt);
    const seq = this.#s.nextSeq();
    this.#record({ error, retryAt: this.#s.clock.now() + decision.delayMs, seq });
    this.#backOff(decision.delayMs);
    const { number } = at;
    this.#s.results.afterFlush(() => {
      this.#journal.retrying(seq, number, decision.delayMs, error);
      this.#judge(message, 'committed', true);
    });
    if (this.#deadlines?.over !== undefined) this.#overdue();
  }

  readonly #passed = (kind: ElectronTimeout): void =>
    this.#s.system.send(this.#self, { type: 'deadline.passed', kind }, this.#self);

  /** E6: a time is over. What an agent may have is stopped or asked back first. */
  #overdue(): void {
    const deadlines = this.#deadlines;
    const over = deadlines?.over;
    const { agent, token, sent } = this.#at;
    const { task, name } = this.#work;
    if (deadlines === undefined || over === undefined || this.#status === 'cancelling') return;
    if ((this.#status !== 'assigned' && this.#status !== 'running') || agent === undefined || token === undefined)
      return this.#timedOut(over);
    if (!sent) {
      this.#tell({ type: 'attempt.abandoned', agent, task });
      return this.#timedOut(over);
    }
    this.tell();
    const reason = deadlines.error(over, name).message;
    if (over === 'total') return this.#tell({ type: 'attempt.cancel', agent, task, token, reason });
    this.#tell({ type: 'attempt.revoke', agent, task, token, reason });
    deadlines.again();
  }

  #timedOut(kind: ElectronTimeout, logs?: TaskLogs): void {
    if (this.#status === 'ready') withdraw(this.#s, this.#work);
    const error = this.#deadlines?.error(kind, this.#work.name);
    if (error !== undefined && (this.#apply('electron.fail') || this.#apply('attempt.failed')))
      this.#end({ error, logs });
  }

  #stopped(token: Token, confirmed: boolean, logs?: TaskLogs): void {
    if (!this.#at.isCurrent(token)) return;
    if (this.#apply('attempt.stopped')) return this.#end({ logs, unconfirmed: !confirmed });
    const over = this.#deadlines?.over;
    if (over !== undefined) this.#timedOut(over, logs);
  }

  #cancel(reason: string): void {
    const wasWorking = this.#status === 'assigned' || this.#status === 'running';
    if (!this.#apply('electron.cancel')) return;
    this.#timer?.cancel();
    if (isTerminalElectron(this.#status)) {
      withdraw(this.#s, this.#work);
      this.#end({});
      return;
    }
    const { agent, token, sent } = this.#at;
    if (!wasWorking || agent === undefined || token === undefined) return;
    if (!sent) {
      this.#tell({ type: 'attempt.abandoned', agent, task: this.#task });
      this.#stopped(token, true);
      return;
    }
    this.#record(undefined);
    this.#tell({ type: 'attempt.cancel', agent, task: this.#task, token, reason });
  }

  #resume(restored: ElectronRecord): void {
    const { agent, token } = this.#at;
    if (this.#status === 'retrying')
      this.#backOff(
        Math.max(0, Math.min((restored.retryAt ?? 0) - this.#s.clock.now(), this.#work.def.retries.maxDelayMs)),
      );
    else if (agent !== undefined && token !== undefined) {
      this.#at.sent = true;
      this.#tell(recoveredOf(this.#task, agent, token, this.#status === 'cancelling'));
    }
  }

  #backOff(delayMs: number): void {
    this.#timer = this.#s.clock.after(delayMs, () =>
      this.#s.system.send(this.#self, { type: 'backoff.elapsed' }, this.#self),
    );
  }

  /** Records the end, tells the supervisor (after the flush when the lattice is strict), publishes, answers who reported it, and leaves. */
  #end(o: Ending & { readonly logs?: TaskLogs | undefined; readonly endedAt?: number }, reported?: Finished): void {
    this.#timer?.cancel();
    this.#deadlines?.end();
    const status = this.#status;
    const seq = this.#s.nextSeq();
    this.#journal.logs(this.#at.number, o.logs);
    const endedAt = o.endedAt ?? this.#s.clock.now();
    this.#record({ endedAt, seq, ...(o.error === undefined ? {} : { error: o.error }) }, o.value);
    const { strict, node } = this.#work;
    const ended = endedOf(node, status, o);
    if (!strict) this.#s.system.send(this.#s.supervisor, ended, this.#self);
    this.#s.results.afterFlush(() => {
      if (strict) this.#s.system.send(this.#s.supervisor, ended, this.#self);
      this.#journal.ended(status, seq, this.#at.agent, this.#at.number, o.error);
      if (reported !== undefined) this.#judge(reported, 'committed', true);
    });
    this.#s.system.stop(this.#self);
  }

  #record(extra: Partial<ElectronRecord> | undefined, value?: ValueInfo): void {
    if (this.#untold) this.#s.moment.forget(this);
    this.#untold = false;
    const record = this.#at.record(this.#status, this.#work.inputsDigest);
    this.#deadlines?.into(record);
    if (value !== undefined) record.value = value;
    this.#journal.record(extra === undefined ? record : Object.assign(record, extra));
  }

  #judge(message: Finished, verdict: Verdict, current: boolean): void {
    judge(this.#s, this.#work, message, verdict, current);
  }

  #tell(message: MatchmakerMessage): void {
    tell(this.#s, this.#work, message);
  }
}

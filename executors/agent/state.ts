/**
 * What an agent knows and decides: which assigned tasks it takes, what a cancel or a sync's answer stops, what it lists. No I/O, no clock;
 * agent.ts carries the decisions out. Invariants, cited in the tests:
 *  S1 an assign of another agent epoch, another history or a lower hub epoch starts nothing (A1);
 *  S2 an assign number is carried out once, a repeat gets the same answer (A1);
 *  S3 a token lower than, or equal to, one accepted before starts nothing; a higher one ends the older attempt (A1);
 *  S4 a token cancelled before it came starts nothing (A1);
 *  S5 at most one entry per task; an entry leaves only by a verdict, a drop, a revocation or a change of history;
 *  S7 an exclusive one begins only while the hub's lease of this agent is known to last (A3);
 *  S8 what runs and queues never takes more of an amount than the agent offers;
 *  S6 `running` plus `queued` stay within slots + queue; `done` entries count for nothing.
 */
import type {
  Assign,
  AssignedTask,
  AssignReply,
  Cancel,
  FinishedTask,
  KeyHold,
  RefusalReason,
  RunEntry,
  SyncReply,
  Verdict,
} from '../../bus/protocol/agent.ts';
import { AmountLedger, takesOfTexts } from '../../model/amount-ledger.ts';
import { meets, needFrom, offeredBy, type Offered } from '../../model/capability.ts';
import type { Digest, TaskId } from '../../model/ids.ts';
import type { FoundTask } from '../executor.ts';
import { olderToken, sameToken, type Outcome, type Token } from '../../model/outcome.ts';
import { AssignWindow } from './assign-window.ts';
import { TokenMemory } from './token-memory.ts';

/** One task that the agent holds. `outcome` is set when it has ended and isn't acknowledged. */
export interface Held {
  readonly task: TaskId;
  readonly token: Token;
  readonly inputsDigest: Digest;
  outcome: Outcome | undefined;
  readonly holds?: readonly KeyHold[];
  readonly exclusive: boolean;
  /** What it takes of the agent's amounts until it has ended. */
  readonly taken?: { readonly needs: readonly string[]; readonly giveBack: () => void };
}

export interface AssignDecision {
  readonly reply: AssignReply;
  /** To be started, in order; empty for a repeat. */
  readonly start: readonly AssignedTask[];
  /** Older attempts of tasks in `start`: stop them, without an outcome. */
  readonly replaced: readonly Held[];
  /** The hub spoke of an epoch or history that only a sync can settle. */
  readonly syncNow: boolean;
}

export interface CancelDecision {
  /** Held here and not ended. */
  readonly stop: readonly { readonly held: Held; readonly reason: string; readonly revoke: boolean }[];
  /** Not running here (any more). */
  readonly stopped: readonly TaskId[];
}

export type SyncDecision =
  | { readonly type: 'ignore' }
  | {
      readonly type: 'joined';
      /** Everything held under the old history was forgotten: stop it. */
      readonly forgotten: readonly Held[];
      /** The history changed, or is known for the first time: keep it. */
      readonly newHistory: boolean;
      readonly dropped: readonly Held[];
      readonly cancel: CancelDecision['stop'];
    }
  | { readonly type: 'epoch'; readonly epoch: number }
  | { readonly type: 'end'; readonly why: 'name-taken' | 'superseded' | 'other-version' | 'unreadable-offer' }
  | { readonly type: 'again-soon' };

export interface StateOptions {
  readonly epoch: number;
  /** '' before the first sync ever. */
  readonly history: string;
  readonly slots: number;
  /** Executors that this agent has. */
  readonly executors: ReadonlySet<string>;
  /** Beside them: what electrons may need. */
  readonly capabilities: readonly string[];
  /** Outcomes of an earlier life that no hub has acknowledged. */
  readonly spooled: readonly FinishedTask[];
  /** Attempts of an earlier life that its executors have found again (H6). */
  readonly found?: readonly FoundTask[];
}

export class AgentState {
  epoch: number;
  history: string;
  /** Highest hub epoch seen; 0 before the first. */
  hub = 0;
  joined = false;
  draining = false;
  /** Exclusive electrons may run: the hub has answered lately (A3). */
  leased = false;
  /** Electrons taken beyond the slots: the larger of the last two announced, since the hub may go by the older. */
  queueLimit = 0;
  readonly held = new Map<TaskId, Held>();
  readonly #slots: number;
  readonly #executors: ReadonlySet<string>;
  readonly #offered: Offered;
  readonly #amounts: AmountLedger;
  readonly #tokens = new TokenMemory();
  #window = new AssignWindow();
  #unfinished = 0;

  constructor(options: StateOptions) {
    this.epoch = options.epoch;
    this.history = options.history;
    this.#slots = options.slots;
    this.#executors = options.executors;
    this.#offered = offeredBy([...options.executors, ...options.capabilities]);
    this.#amounts = new AmountLedger(this.#offered.amounts);
    for (const { task, token, inputsDigest, outcome } of options.spooled) {
      this.held.set(task, { task, token, inputsDigest, outcome, exclusive: false });
      this.#tokens.accept(task, token);
    }
    for (const { task, token, inputsDigest, holds, takes } of options.found ?? []) {
      const known = this.held.get(task);
      if (known !== undefined && !olderToken(known.token, token)) continue;
      if (known !== undefined) this.#remove(known);
      const taken = this.#take(takes ?? []);
      const held = {
        ...{ task, token, inputsDigest, outcome: undefined, exclusive: false },
        ...(taken === undefined ? {} : { taken }),
      };
      this.held.set(task, holds === undefined ? held : { ...held, holds });
      this.#tokens.accept(task, token);
      this.#unfinished++;
    }
  }

  get seen(): number {
    return this.#window.seen;
  }

  /** Tasks that run or queue. */
  get unfinished(): number {
    return this.#unfinished;
  }

  assign(assign: Assign, nowMs: number): AssignDecision {
    if (assign.epoch !== this.epoch || assign.history !== this.history || assign.hub < this.hub) {
      // a newer epoch of ours, or another history: only the answer to a sync settles it (S1)
      return refuseAll(assign, 'epoch', assign.history !== this.history);
    }
    this.#meetHub(assign.hub);
    const sighting = this.#window.meet(assign.n);
    if (sighting.type === 'outside') return refuseAll(assign, 'stale', false);
    if (sighting.type === 'repeat') return nothing(sighting.refused, false);
    const start: AssignedTask[] = [];
    const replaced: Held[] = [];
    const refused: { task: TaskId; reason: RefusalReason }[] = [];
    for (const task of assign.tasks) {
      const reason = this.#refusal(assign, task, nowMs);
      if (reason !== undefined) {
        refused.push({ task: task.task, reason });
        continue;
      }
      const older = this.held.get(task.task);
      if (older !== undefined) replaced.push(this.#remove(older));
      this.#tokens.accept(task.task, task.token);
      const electron = assign.electrons[task.electron];
      const taken = this.#take(electron?.needs ?? []);
      this.held.set(task.task, {
        task: task.task,
        token: task.token,
        inputsDigest: task.inputsDigest,
        outcome: undefined,
        ...(task.holds === undefined ? {} : { holds: task.holds }),
        exclusive: electron?.exclusive === true,
        ...(taken === undefined ? {} : { taken }),
      });
      this.#unfinished++;
      start.push(task);
    }
    this.#window.refuse(assign.n, refused);
    return { reply: { refused }, start, replaced, syncNow: false };
  }

  /** Cancels by message. A hub of an older epoch is not heard. */
  cancel(cancel: Cancel): CancelDecision {
    if (cancel.hub < this.hub) return { stop: [], stopped: [] };
    const stop: { held: Held; reason: string; revoke: boolean }[] = [];
    const stopped: TaskId[] = [];
    for (const { task, token, reason, revoke } of cancel.tasks) {
      const held = this.held.get(task);
      if (held !== undefined && held.outcome === undefined && !olderToken(token, held.token)) {
        if (olderToken(held.token, token)) this.#tokens.cancel(task, token);
        stop.push({ held, reason, revoke: revoke && sameToken(held.token, token) });
        continue;
      }
      // Asked back too late: its outcome is on its way.
      if (revoke && held !== undefined && sameToken(held.token, token)) continue;
      const highest = this.#tokens.highest(task);
      if (highest === undefined || olderToken(highest, token)) this.#tokens.cancel(task, token);
      stopped.push(task);
    }
    return { stop, stopped };
  }

  /** The answer to a sync. */
  synced(reply: SyncReply): SyncDecision {
    switch (reply.type) {
      case 'epoch-low':
        this.epoch = reply.n + 1;
        this.#window = new AssignWindow();
        return { type: 'epoch', epoch: this.epoch };
      case 'name-taken':
      case 'superseded':
      case 'other-version':
      case 'unreadable-offer':
        return { type: 'end', why: reply.type };
      case 'not-ready':
        return { type: 'again-soon' };
      case 'ok':
        break;
    }
    const newHistory = reply.history !== this.history;
    if (!newHistory && reply.hub < this.hub) return { type: 'ignore' };
    const forgotten = newHistory && this.history !== '' ? [...this.held.values()] : [];
    if (newHistory) this.#changeHistory(reply.history, forgotten);
    this.#meetHub(reply.hub);
    if (reply.void !== undefined) this.#window.skip(reply.void);
    this.joined = true;
    const dropped: Held[] = [];
    for (const { task, token } of reply.drop) {
      const held = this.held.get(task);
      if (held !== undefined && sameToken(held.token, token)) dropped.push(this.#remove(held));
    }
    const cancel: { held: Held; reason: string; revoke: boolean }[] = [];
    for (const { task, token, reason } of reply.cancel) {
      const held = this.held.get(task);
      if (held !== undefined && held.outcome === undefined && sameToken(held.token, token))
        cancel.push({ held, reason, revoke: false });
    }
    return { type: 'joined', forgotten, newHistory, dropped, cancel };
  }

  /** An attempt ended: what to spool and report, or undefined when it isn't held any more. */
  ended(task: TaskId, token: Token, outcome: Outcome): FinishedTask | undefined {
    const held = this.held.get(task);
    if (held === undefined || held.outcome !== undefined || !sameToken(held.token, token)) return undefined;
    held.outcome = outcome;
    held.taken?.giveBack();
    this.#unfinished--;
    return { task, token, inputsDigest: held.inputsDigest, outcome };
  }

  /** A queued task was taken back. */
  revoked(held: Held): void {
    if (this.held.get(held.task) === held) this.#remove(held);
  }

  /** The hub's word on a reported outcome. True: acknowledged for good, forget it. */
  judged(task: TaskId, token: Token, verdict: Verdict): boolean {
    const held = this.held.get(task);
    // dropped while its report was under way: nobody will ever want it
    if (held?.outcome === undefined || !sameToken(held.token, token)) return true;
    if (verdict === 'later' || verdict === 'missing') return false;
    this.#remove(held);
    return true;
  }

  /** This outcome is held and no hub has settled it. */
  reports(task: TaskId, token: Token): boolean {
    const held = this.held.get(task);
    return held?.outcome !== undefined && sameToken(held.token, token);
  }

  /** What a sync lists. `runningSince`: wall clock when it began to run, 0 while it queues. */
  list(
    runningSince: (held: Held) => { readonly startedAt: number; readonly progress: number | undefined },
  ): RunEntry[] {
    const entries: RunEntry[] = [];
    for (const held of this.held.values()) {
      const { task, token, inputsDigest, outcome, holds, taken } = held;
      if (outcome !== undefined) {
        entries.push({ task, token, inputsDigest, state: 'done', startedAt: outcome.usage.startedAt });
        continue;
      }
      const { startedAt, progress } = runningSince(held);
      const state = startedAt > 0 ? 'running' : 'queued';
      const entry: RunEntry = { task, token, inputsDigest, state, startedAt };
      if (progress === undefined && holds === undefined && taken === undefined) entries.push(entry);
      else
        entries.push({
          ...entry,
          ...(progress === undefined ? {} : { progress }),
          ...(holds === undefined ? {} : { holds }),
          ...(taken === undefined ? {} : { takes: taken.needs }),
        });
    }
    return entries;
  }

  #refusal(assign: Assign, task: AssignedTask, nowMs: number): RefusalReason | undefined {
    if (this.draining) return 'draining';
    const electron = assign.electrons[task.electron];
    const manifest = assign.manifests[task.manifest];
    if (electron === undefined || !this.#executors.has(electron.executor)) return 'capability';
    if (!electron.needs.every((need) => meets(this.#offered, needFrom(need)))) return 'capability';
    if (manifest === undefined || (manifest.expiresAt !== 0 && manifest.expiresAt < nowMs)) return 'stale';
    if (electron.exclusive === true && !this.leased) return 'busy';
    const highest = this.#tokens.highest(task.task);
    if (highest !== undefined && !olderToken(highest, task.token)) return 'stale';
    if (this.#tokens.isCancelled(task.task, task.token)) return 'stale';
    const held = this.held.get(task.task);
    // one that has ended has given back what it had
    const older = held?.outcome === undefined ? held : undefined;
    if (this.#unfinished >= this.#slots + this.queueLimit && older === undefined) return 'busy';
    // An older attempt of it gives back the same.
    const takes = older?.taken === undefined ? takesOfTexts(electron.needs) : undefined;
    return takes === undefined || this.#amounts.room(takes, 1) > 0 ? undefined : 'busy';
  }

  #take(needs: readonly string[]): Held['taken'] {
    const takes = takesOfTexts(needs);
    if (takes === undefined) return undefined;
    return { needs: needs.filter((need) => needFrom(need).kind === 'amount'), giveBack: this.#amounts.take(takes) };
  }

  #meetHub(hub: number): void {
    if (hub <= this.hub) return;
    this.hub = hub;
    this.#window = new AssignWindow();
  }

  #changeHistory(history: string, forgotten: readonly Held[]): void {
    this.history = history;
    this.hub = 0;
    this.#window = new AssignWindow();
    for (const held of forgotten) this.#remove(held);
    this.#tokens.clear();
  }

  #remove(held: Held): Held {
    this.held.delete(held.task);
    if (held.outcome === undefined) this.#unfinished--;
    held.taken?.giveBack();
    return held;
  }
}

const refuseAll = (assign: Assign, reason: RefusalReason, syncNow: boolean): AssignDecision =>
  nothing(
    assign.tasks.map(({ task }) => ({ task, reason })),
    syncNow,
  );

const nothing = (refused: AssignReply['refused'], syncNow: boolean): AssignDecision => ({
  reply: { refused },
  start: [],
  replaced: [],
  syncNow,
});

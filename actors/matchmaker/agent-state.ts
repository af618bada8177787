/**
 * What the hub knows of one agent, and what its syncs mean. Pure: no I/O; time comes in as an argument (the hub's monotonic clock, ms).
 * The rules H4–H8 and H11 of docs/protocol.md by number. Not here: attempts without a record (agent-claims.ts).
 */
import { parseTaskId, type AgentKey, type DispatchId, type TaskId } from '../../model/ids.ts';
import { olderToken, sameToken, type Token } from '../../model/outcome.ts';
import type { RunEntry, Sync, SyncReply } from '../../bus/protocol/agent.ts';
import type { RosterEntry } from '../../bus/protocol/results.ts';
import { AmountLedger, type Takes } from '../../model/amount-ledger.ts';
import { meets, offeredBy, type Need, type Offered } from '../../model/capability.ts';
import { AgentClaims } from './agent-claims.ts';
import { Attempts, isUnsent, UNSENT } from './attempts.ts';
import { grips, Grips } from './grips.ts';
import { Keys } from './keys.ts';
import { NameHolder } from './name-holder.ts';
import { Strays } from './strays.ts';

export interface Leases {
  readonly heartbeatMs: number;
  readonly leaseMs: number;
}

export type AgentEffect =
  | { readonly type: 'started'; readonly task: TaskId; readonly token: Token; readonly startedAt: number }
  | {
      readonly type: 'lost';
      readonly task: TaskId;
      readonly token: Token;
      readonly reason: 'agent-lost' | 'not-listed' | 'given-back';
      readonly charged: boolean;
    }
  /** Given out by an earlier life of the hub, which has no record of it: its dispatch decides. Before what is lost, which it may replace. */
  | { readonly type: 'claimed'; readonly entries: readonly RunEntry[] }
  /** The agent is new, or has a new epoch: record it, then call `admitted`. */
  | { readonly type: 'joined'; readonly epoch: number; readonly instance: string }
  /** Assigns above `seen` that nobody answered go out again. */
  | { readonly type: 'resend'; readonly above: number };

const NO_TOKEN: Token = [0, 0];
/** More assigns than can still be on their way, and half of those that an agent takes beyond what it has met: the next may come before the answer that says what is void. */
const BEYOND = 2_048;
/** So long after its last sync the name of a lost agent is forgotten, ms. */
export const FORGET_MS = 24 * 60 * 60 * 1_000;

export class AgentState {
  readonly key: AgentKey;
  readonly site: string;
  readonly name: string;
  readonly #leases: Leases;
  readonly #held = new Attempts(() => this.onChange());
  readonly #claims = new AgentClaims();
  /** What of its amounts is taken. */
  readonly amounts = new AmountLedger();
  readonly #grips: Grips;
  readonly #strays: Strays;
  #last: Sync | undefined;
  #lastAt = 0;
  readonly #holder: NameHolder;
  #admitted = false;
  /** Nobody listened there the last time: nothing new goes there until it syncs. */
  #deaf = false;
  #lost = false;
  /** Count of assigns to this (hub epoch, agent epoch), and up to which they are void, since its lease ended. */
  #n = 0;
  #void = 0;
  offered: Offered = offeredBy([]);
  /** Kinds of electrons that it refused though it seems to offer what they need, by the key of their class. */
  readonly #unable = new Set<string>();
  /** Is told of all that may change what it can be given, but for the time that passes. */
  onChange: () => void = () => undefined;
  /** Grows when it offers something else. */
  offersVersion = 0;
  /** A first sync came since the hub started. */
  synced = false;

  /** `instance`: the process that had the name before the hub's restart. */
  constructor(
    key: AgentKey,
    leases: Leases,
    epoch: number,
    now: number,
    instance?: string,
    keys = new Keys(() => undefined),
  ) {
    this.key = key;
    this.#grips = new Grips(keys, this.amounts);
    this.#strays = new Strays(this.#grips);
    const dot = key.indexOf('.');
    this.site = key.slice(0, dot);
    this.name = key.slice(dot + 1);
    this.#leases = leases;
    this.#holder = new NameHolder(key, epoch, instance);
    this.#lastAt = now;
  }

  get epoch(): number {
    return this.#holder.epoch;
  }
  get instance(): string {
    return this.#holder.instance;
  }
  get identity(): RosterEntry {
    return this.#holder.identity;
  }
  get last(): Sync | undefined {
    return this.#last;
  }
  get held(): number {
    return this.#held.size + this.#claims.taken;
  }
  get running(): number {
    return Math.min(this.#open, this.#last?.slots ?? 0);
  }
  /** What takes a slot, or a place in the queue. */
  get #open(): number {
    return this.#held.open + this.#claims.taken;
  }

  state(now: number): 'live' | 'suspect' | 'lost' | 'draining' {
    const silent = now - this.#lastAt;
    if (this.#lost || !this.synced || silent > this.#leases.leaseMs) return 'lost';
    if (this.#deaf || silent > 3 * this.#leases.heartbeatMs) return 'suspect';
    return this.#last?.draining === true ? 'draining' : 'live';
  }

  silentMs(now: number): number {
    return now - this.#lastAt;
  }

  /** Not running yet, as far as its last sync tells. */
  unbegun(): readonly TaskId[] {
    return [...this.#held].flatMap(([task, { running, finished }]) => (running || finished ? [] : [task]));
  }

  /** Free slots, and places in its queue beyond them. */
  credit(now: number): { readonly free: number; readonly total: number } {
    if (!this.#admitted || this.#last === undefined || this.state(now) !== 'live') return { free: 0, total: 0 };
    const free = Math.max(0, this.#last.slots - this.#open);
    return { free, total: Math.max(0, this.#last.slots + this.#last.queue - this.#open) };
  }

  /** If nothing else ran there. `key`: of their class; absent: whatever it is for. */
  offers(needs: readonly Need[], key?: string): boolean {
    return !(key !== undefined && this.#unable.has(key)) && needs.every((need) => meets(this.offered, need));
  }
  /** It said that it can't run such electrons: it is given no more of them until it offers something else, or begins anew. */
  unable(key: string): void {
    this.#unable.add(key);
    this.offersVersion++;
    this.onChange();
  }

  /** It takes nothing any more that an earlier life of the hub sends late; `strictly`: and had the name then. */
  readonly knows = (hub: number, strictly: boolean): boolean =>
    this.#last?.hub === hub && !(strictly && this.#holder.usurped);

  /** It is on disk, as the process that it is now. */
  get isAdmitted(): boolean {
    return this.#admitted;
  }
  admitted(epoch: number): void {
    if (epoch === this.epoch) this.#admitted = true;
    this.onChange();
  }

  deaf(): void {
    this.#deaf = true;
    this.onChange();
  }

  /** Takes the credit for an attempt that is about to be sent; `hold` fills in its token. */
  reserve(task: TaskId, holds?: RunEntry['holds'], takes?: Takes): void {
    this.#held.put(task, NO_TOKEN, UNSENT, this.#grips.take(task, holds, takes));
  }
  nextN(): number {
    return ++this.#n;
  }
  /** The attempt goes out with assign `n`. */
  hold(task: TaskId, token: Token, n: number): void {
    const reserved = this.#held.get(task);
    if (reserved !== undefined && isUnsent(reserved)) this.#held.sent(reserved, token, n);
    else this.#held.put(task, token, n, undefined);
  }
  /** Claims on electrons of a dispatch that are still to be decided. */
  openClaims(dispatch: DispatchId): readonly RunEntry[] {
    return this.#claims.open(dispatch);
  }

  /** It was with the agent before the hub restarted (H8), by its record or by the agent's claim. */
  recover(task: TaskId, token: Token, cancel: string | undefined): void {
    const held = this.#held.get(task);
    const done = this.#claims.adopted(task, token);
    if (held !== undefined && sameToken(held.token, token)) {
      // Only the supervisor began again: what is known of the attempt stands.
      held.cancel ??= cancel;
      return;
    }
    this.#held.put(task, token, 0, this.#strays.adopt(task, token), cancel);
    if (done) this.finish(task, token);
  }
  /** The dispatch doesn't want this attempt: the next sync that lists it is told to drop it. */
  refuse(task: TaskId, token: Token): void {
    this.#claims.refused(task, token);
    this.release(task, token);
  }
  release(task: TaskId, token: Token): boolean {
    const held = this.#held.get(task);
    return held !== undefined && sameToken(held.token, token) && this.#held.remove(task, held);
  }
  /** Gives back the credit of a match that was never sent; an attempt that was sent stays. */
  unreserve(task: TaskId): boolean {
    const held = this.#held.get(task);
    return held !== undefined && isUnsent(held) && this.#held.remove(task, held);
  }
  /** Matches for electrons of a dispatch that were never sent; undefined: none for any dispatch. */
  unsent(dispatch: DispatchId): readonly TaskId[] | undefined {
    return this.#held.unsent()?.filter((task) => parseTaskId(task).dispatch === dispatch);
  }
  /** The hub took a greater epoch: assigns are counted anew, and the next sync tells what became of those before. */
  hubEpochRaised(): void {
    this.#n = this.#void = 0;
    for (const [, held] of this.#held) if (!isUnsent(held)) held.n = 0;
  }
  /** The agent reported its end: the place it took can be given again. */
  finish(task: TaskId, token: Token): void {
    this.#claims.finish(task, token);
    this.#strays.adopt(task, token)?.free();
    const held = this.#held.get(task);
    if (held !== undefined && sameToken(held.token, token)) this.#held.finish(held);
    this.onChange();
  }
  holds(task: TaskId): Token | undefined {
    return this.#held.get(task)?.token;
  }
  cancel(task: TaskId, token: Token, reason: string): boolean {
    const held = this.#held.get(task);
    if (held === undefined || !sameToken(held.token, token)) return false;
    held.cancel = reason;
    return true;
  }

  /** The answer to a sync, and what follows from it. `hub` is the hub's epoch. */
  sync(
    sync: Sync,
    now: number,
    hub: number,
    history: string,
  ): { readonly reply: SyncReply; readonly effects: readonly AgentEffect[] } {
    const effects: AgentEffect[] = [];
    this.onChange();
    const last = this.#last;
    const alive = !this.#lost && now - this.#lastAt <= this.#leases.leaseMs;
    const refused = this.#holder.claim(sync, last, alive, this.synced);
    if (refused !== undefined) return { reply: refused, effects };
    const restarted = sync.epoch > this.epoch;
    if (!restarted && last !== undefined && sync.seq <= last.seq)
      return { reply: this.#ok(hub, history, sync, []), effects };
    if (restarted || last === undefined) {
      this.#admitted = false;
      if (restarted) this.#n = this.#void = 0;
      // It knows this life of the hub, where its name was forgotten (H7): numbers go on above all that it was sent before. `seen` may be 0, if the first of them was lost.
      if (!this.synced && sync.hub === hub) this.#n = this.#void = sync.seen + BEYOND;
      this.#holder.began(sync.epoch);
      effects.push({ type: 'joined', epoch: sync.epoch, instance: sync.instance });
    }
    if (restarted || last === undefined || last.capabilities.join() !== sync.capabilities.join())
      this.#offer(sync.capabilities);
    this.#last = sync;
    this.#lastAt = now;
    this.#deaf = false;
    this.#lost = false;
    this.synced = true;
    const drop = this.#compare(sync, hub, restarted, sync.history === history, effects);
    if (sync.hub === hub && sync.seen < this.#n) effects.push({ type: 'resend', above: sync.seen });
    return { reply: this.#ok(hub, history, sync, drop), effects };
  }

  /** It couldn't be heard: its lease begins anew. */
  excuse(now: number): void {
    if (!this.#lost) this.#lastAt = now;
    this.onChange();
  }

  /** It had time enough and wasn't heard in this life of the hub: what can't be heard from now on is no excuse. */
  missed(): void {
    this.#lost = true;
  }

  /** Nothing is left to know of it but who had the name, and that long ago. */
  isForgettable(now: number): boolean {
    return this.#last === undefined && this.held === 0 && this.silentMs(now) > FORGET_MS;
  }

  /** Its lease ended (H7), or it said that it leaves: everything it had is lost. */
  expire(): readonly AgentEffect[] {
    this.#lost = true;
    this.onChange();
    this.#void = this.#n;
    this.#admitted = false;
    this.#last = undefined;
    this.#claims.clear();
    this.#strays.listed([]);
    const effects: AgentEffect[] = [];
    for (const [task, held] of this.#held) {
      if (isUnsent(held)) continue;
      this.#held.remove(task, held);
      effects.push({ type: 'lost', task, token: held.token, reason: 'agent-lost', charged: true });
    }
    return effects;
  }

  #offer(capabilities: readonly string[]): void {
    this.offered = offeredBy(capabilities);
    this.amounts.offer(this.offered.amounts);
    this.#unable.clear();
    this.offersVersion++;
  }

  #ok(hub: number, history: string, sync: Sync, drop: readonly { task: TaskId; token: Token }[]): SyncReply {
    const cancel: { task: TaskId; token: Token; reason: string }[] = [];
    for (const [task, held] of this.#held)
      if (held.cancel !== undefined) cancel.push({ task, token: held.token, reason: held.cancel });
    return {
      type: 'ok',
      hub,
      history,
      seq: sync.seq,
      leaseMs: this.#leases.leaseMs,
      heartbeatMs: this.#leases.heartbeatMs,
      ...(this.#void > 0 ? { void: this.#void } : {}),
      ...(sync.hub === hub && this.#n > Math.max(sync.seen, this.#void) ? { sent: this.#n } : {}),
      drop,
      cancel,
    };
  }

  /** H5, H6: what is listed and not current is dropped or a claim; what is current and should be listed but isn't is lost. */
  #compare(
    sync: Sync,
    hub: number,
    restarted: boolean,
    ours: boolean,
    effects: AgentEffect[],
  ): { task: TaskId; token: Token }[] {
    const drop: { task: TaskId; token: Token }[] = [];
    const claimed: RunEntry[] = [];
    const listed = new Set<TaskId>();
    const unheld = new Set<TaskId>();
    const strays: RunEntry[] = [];
    for (const entry of sync.run) {
      const { task, token } = entry;
      const held = this.#held.get(task);
      if (held !== undefined && sameToken(held.token, token)) {
        listed.add(task);
        if (entry.state === 'done') this.finish(task, token);
        else if (grips(entry) && !held.finished) held.grip ??= this.#grips.listed(entry);
        if (entry.state !== 'running' || held.running) continue;
        held.running = true;
        effects.push({ type: 'started', task, token, startedAt: entry.startedAt });
        continue;
      }
      if (grips(entry)) strays.push(entry);
      const claim = ours && token[0] < hub && (held === undefined || olderToken(held.token, token));
      if (claim) unheld.add(task);
      if (claim && this.#claims.listed(entry) === 'ask') {
        // The older attempt that it stands for isn't lost: it was followed by this one, if that is adopted.
        listed.add(task);
        claimed.push(entry);
      } else drop.push({ task, token });
    }
    this.#claims.keep(unheld);
    this.#strays.listed(strays);
    if (claimed.length > 0) effects.push({ type: 'claimed', entries: claimed });
    const seen = sync.hub === hub ? sync.seen : 0;
    // H9: who drains gives back what it can't end. What had begun may be why it drains
    const reason = sync.draining && !restarted ? 'given-back' : 'not-listed';
    for (const [task, held] of this.#held) {
      if (listed.has(task) || isUnsent(held)) continue;
      if (!restarted && held.n > seen) continue;
      this.#held.remove(task, held);
      effects.push({ type: 'lost', task, token: held.token, reason, charged: reason === 'not-listed' || held.running });
    }
    return drop;
  }
}

/**
 * What the hub knows of one agent, and what its syncs mean. Pure: no I/O; time comes in as an argument (the hub's monotonic clock, ms).
 * The rules H4–H8 and H11 of docs/protocol.md by number.
 */
import type { AgentKey, TaskId } from '../../model/ids.ts';
import { sameToken, type Token } from '../../model/outcome.ts';
import type { Sync, SyncReply } from '../../bus/protocol/agent.ts';

export interface Leases {
  readonly heartbeatMs: number;
  readonly leaseMs: number;
}

/** An attempt that this agent has, as far as the hub knows. */
interface Held {
  readonly token: Token;
  /** Number of the assign that carried it; 0: from before the hub's restart. */
  n: number;
  running: boolean;
  cancel: string | undefined;
}

export type AgentEffect =
  | { readonly type: 'started'; readonly task: TaskId; readonly token: Token; readonly startedAt: number }
  | {
      readonly type: 'lost';
      readonly task: TaskId;
      readonly token: Token;
      readonly reason: 'agent-lost' | 'not-listed';
    }
  /** The agent is new, or has a new epoch: record it, then call `admitted`. */
  | { readonly type: 'joined'; readonly epoch: number }
  /** Assigns above `seen` that nobody answered go out again. */
  | { readonly type: 'resend'; readonly above: number };

export class AgentState {
  readonly key: AgentKey;
  readonly site: string;
  readonly name: string;
  readonly #leases: Leases;
  readonly #held = new Map<TaskId, Held>();
  #last: Sync | undefined;
  #lastAt = 0;
  #epoch: number;
  #admitted = false;
  #lost = false;
  /** Count of assigns to this (hub epoch, agent epoch). */
  #n = 0;
  #capabilities: ReadonlySet<string> = new Set();
  /** A first sync came since the hub started. */
  synced = false;

  constructor(key: AgentKey, leases: Leases, epoch: number, now: number) {
    this.key = key;
    const dot = key.indexOf('.');
    this.site = key.slice(0, dot);
    this.name = key.slice(dot + 1);
    this.#leases = leases;
    this.#epoch = epoch;
    this.#lastAt = now;
  }

  get epoch(): number {
    return this.#epoch;
  }
  get last(): Sync | undefined {
    return this.#last;
  }
  get held(): number {
    return this.#held.size;
  }
  get running(): number {
    return Math.min(this.#held.size, this.#last?.slots ?? 0);
  }

  state(now: number): 'live' | 'suspect' | 'lost' | 'draining' {
    const silent = now - this.#lastAt;
    if (this.#lost || !this.synced || silent > this.#leases.leaseMs) return 'lost';
    if (silent > 3 * this.#leases.heartbeatMs) return 'suspect';
    return this.#last?.draining === true ? 'draining' : 'live';
  }

  silentMs(now: number): number {
    return now - this.#lastAt;
  }

  /** Free slots, and places in its queue beyond them. */
  credit(now: number): { readonly free: number; readonly total: number } {
    if (!this.#admitted || this.#last === undefined || this.state(now) !== 'live') return { free: 0, total: 0 };
    const free = Math.max(0, this.#last.slots - this.#held.size);
    return { free, total: Math.max(0, this.#last.slots + this.#last.queue - this.#held.size) };
  }

  offers(capabilities: readonly string[]): boolean {
    return capabilities.every((capability) => this.#capabilities.has(capability));
  }

  admitted(epoch: number): void {
    if (epoch === this.#epoch) this.#admitted = true;
  }

  /** Takes the credit for an attempt that is about to be sent; `hold` fills in its token. */
  reserve(task: TaskId): void {
    this.#held.set(task, { token: [0, 0], n: Number.POSITIVE_INFINITY, running: false, cancel: undefined });
  }
  nextN(): number {
    return ++this.#n;
  }
  /** The attempt goes out with assign `n`. */
  hold(task: TaskId, token: Token, n: number): void {
    this.#held.set(task, { token, n, running: false, cancel: undefined });
  }
  /** It was with the agent before the hub restarted (H8). */
  recover(task: TaskId, token: Token, cancel: string | undefined): void {
    this.#held.set(task, { token, n: 0, running: false, cancel });
  }
  release(task: TaskId, token?: Token): boolean {
    const held = this.#held.get(task);
    if (held === undefined || (token !== undefined && !sameToken(held.token, token))) return false;
    return this.#held.delete(task);
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
    const last = this.#last;
    if (
      last !== undefined &&
      last.instance !== sync.instance &&
      !this.#lost &&
      now - this.#lastAt <= this.#leases.leaseMs &&
      !sameFolder(last.instance, sync.instance)
    ) {
      if (sync.epoch < this.#epoch && last.host === sync.host && last.pid === sync.pid)
        return { reply: { type: 'superseded' }, effects };
      return { reply: { type: 'name-taken', host: last.host, pid: last.pid }, effects };
    }
    if (sync.epoch < this.#epoch) {
      if (last !== undefined && sameFolder(last.instance, sync.instance))
        return { reply: { type: 'superseded' }, effects };
      return { reply: { type: 'epoch-low', n: this.#epoch }, effects };
    }
    const restarted = sync.epoch > this.#epoch;
    if (!restarted && last !== undefined && sync.seq <= last.seq)
      return { reply: this.#ok(hub, history, sync.seq, []), effects };
    if (restarted || last === undefined) {
      this.#admitted = false;
      if (restarted) this.#n = 0;
      this.#epoch = sync.epoch;
      effects.push({ type: 'joined', epoch: sync.epoch });
    }
    if (last === undefined || last.capabilities.join() !== sync.capabilities.join())
      this.#capabilities = new Set(sync.capabilities);
    this.#last = sync;
    this.#lastAt = now;
    this.#lost = false;
    this.synced = true;
    const drop = this.#compare(sync, hub, restarted, effects);
    if (sync.hub === hub && sync.seen < this.#n) effects.push({ type: 'resend', above: sync.seen });
    return { reply: this.#ok(hub, history, sync.seq, drop), effects };
  }

  /** Its lease ended (H7), or it said that it leaves: everything it had is lost. */
  expire(): readonly AgentEffect[] {
    this.#lost = true;
    this.#admitted = false;
    this.#last = undefined;
    const effects: AgentEffect[] = [];
    for (const [task, held] of this.#held) {
      if (held.n === Number.POSITIVE_INFINITY) continue;
      this.#held.delete(task);
      effects.push({ type: 'lost', task, token: held.token, reason: 'agent-lost' });
    }
    return effects;
  }

  #ok(hub: number, history: string, seq: number, drop: readonly { task: TaskId; token: Token }[]): SyncReply {
    const cancel: { task: TaskId; token: Token; reason: string }[] = [];
    for (const [task, held] of this.#held)
      if (held.cancel !== undefined) cancel.push({ task, token: held.token, reason: held.cancel });
    return {
      type: 'ok',
      hub,
      history,
      seq,
      leaseMs: this.#leases.leaseMs,
      heartbeatMs: this.#leases.heartbeatMs,
      drop,
      cancel,
    };
  }

  /** H5, H6: what is listed and not current is dropped; what is current and should be listed but isn't is lost. */
  #compare(sync: Sync, hub: number, restarted: boolean, effects: AgentEffect[]): { task: TaskId; token: Token }[] {
    const drop: { task: TaskId; token: Token }[] = [];
    const listed = new Set<TaskId>();
    for (const entry of sync.run) {
      const held = this.#held.get(entry.task);
      if (held === undefined || !sameToken(held.token, entry.token)) {
        drop.push({ task: entry.task, token: entry.token });
        continue;
      }
      listed.add(entry.task);
      if (entry.state === 'running' && !held.running) {
        held.running = true;
        effects.push({ type: 'started', task: entry.task, token: entry.token, startedAt: entry.startedAt });
      }
    }
    const seen = sync.hub === hub ? sync.seen : 0;
    for (const [task, held] of this.#held) {
      if (listed.has(task) || held.n === Number.POSITIVE_INFINITY) continue;
      if (!restarted && held.n > seen) continue;
      this.#held.delete(task);
      effects.push({ type: 'lost', task, token: held.token, reason: 'not-listed' });
    }
    return drop;
  }
}

/** An instance is `<id of the state folder>.<random of the boot>`: the same folder means the same agent, restarted. */
const sameFolder = (a: string, b: string): boolean => a.split('.')[0] === b.split('.')[0];

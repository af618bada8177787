/** Everything that can be seen from outside, in order. The same seed gives the same lines; their digest names the history. Decides nothing. */
import { createHash } from 'node:crypto';
import type { RefusalReason, RunEntry, SyncReply, Verdict } from '../../../bus/protocol/agent.ts';
import type { Token } from '../../../model/outcome.ts';
import type { FaultKind } from './plan.ts';

export interface TaskRef {
  readonly task: string;
  readonly token: Token;
}
/** `life`: which life of the hub or the agent said or heard it, e.g. `a1#2`. */
export type Entry =
  | {
      readonly type: 'sync' /** Heard by the hub. */;
      readonly agent: string;
      readonly life: string;
      readonly hub: string;
      readonly epoch: number;
      readonly seq: number;
      readonly seen: number;
      readonly hubEpoch: number;
      readonly instance: string;
      readonly draining: boolean;
      readonly run: readonly RunEntry[];
    }
  | {
      readonly type: 'synced' /** The hub's answer, as it was sent. */;
      readonly agent: string;
      readonly life: string;
      readonly hub: string;
      readonly reply: SyncReply;
    }
  | {
      readonly type: 'assign' /** Sent by the hub. */;
      readonly agent: string;
      readonly hub: string;
      readonly epoch: number;
      readonly hubEpoch: number;
      readonly n: number;
      readonly tasks: readonly (TaskRef & { readonly inputsDigest: string })[];
    }
  /** An assign reached an agent. */
  | { readonly type: 'brought'; readonly agent: string; readonly life: string; readonly n: number }
  | {
      readonly type: 'taken' /** An agent's answer to an assign. */;
      readonly agent: string;
      readonly life: string;
      readonly n: number;
      readonly refused: readonly { readonly task: string; readonly reason: RefusalReason }[];
    }
  | {
      readonly type: 'done' /** Heard by the hub. */;
      readonly agent: string;
      readonly life: string;
      readonly hub: string;
      readonly outcomes: readonly (TaskRef & { readonly status: string; readonly digest?: string })[];
    }
  | {
      readonly type: 'judged' /** The hub's answer, as it was sent. */;
      readonly agent: string;
      readonly life: string;
      readonly hub: string;
      readonly verdicts: readonly (TaskRef & { readonly verdict: Verdict })[];
    }
  | {
      readonly type: 'stop' /** The hub asks an agent to cancel. */;
      readonly agent: string;
      readonly hub: string;
      readonly tasks: readonly TaskRef[];
    }
  | {
      readonly type: 'recall' /** The hub asks an agent to give back what only queues. */;
      readonly agent: string;
      readonly hub: string;
      readonly tasks: readonly TaskRef[];
    }
  | {
      readonly type: 'told' /** A durable event, as the hub published it. */;
      readonly dispatch: string;
      readonly event: string;
      readonly seq: number;
      readonly node?: number;
    }
  | {
      readonly type: 'answered' /** An answer to the client that names a dispatch, as the hub sent it. */;
      readonly verb: string;
      readonly dispatch: string;
      readonly ended: boolean;
    }
  | {
      readonly type: 'event' /** Heard by the client. */;
      readonly dispatch: string;
      readonly seq: number;
      readonly transient: boolean;
      readonly event: string;
      readonly node?: number;
    }
  | ({
      readonly type: 'begun' /** An executor runs it. */;
      readonly agent: string;
      readonly life: string;
      readonly name: string;
    } & TaskRef)
  | ({
      readonly type: 'over' /** An executor's attempt has ended; `heard`: its agent was told. */;
      readonly agent: string;
      readonly life: string;
      readonly how: 'completed' | 'failed' | 'cancelled' | 'killed';
      readonly code?: string;
      readonly heard: boolean;
      /** Its agent was dead when it ended. */
      readonly orphan: boolean;
    } & TaskRef)
  /** An attempt was given out of which the disk knows nothing yet. */
  | ({ readonly type: 'early' } & TaskRef)
  | { readonly type: 'submitted'; readonly index: number; readonly dispatch: string; readonly existing: boolean }
  | {
      readonly type: 'ended' /** A wait was answered. */;
      readonly dispatch: string;
      readonly status: string;
      readonly output?: readonly string[];
    }
  | { readonly type: 'cancelling'; readonly dispatch: string; readonly nodes?: readonly number[] }
  | { readonly type: 'cancelled'; readonly dispatch: string; readonly names: readonly string[] }
  /** What the hub says of its agents at the end. */
  | { readonly type: 'agents'; readonly busy: readonly string[] }
  | {
      readonly type: 'refusal' /** The client was told that it can't be. */;
      readonly verb: string;
      readonly code: string;
    }
  | { readonly type: 'fault'; readonly kind: FaultKind; readonly target: string }
  | {
      readonly type: 'life';
      readonly who: string;
      readonly what: 'begins' | 'recovered' | 'dies' | 'leaves' | 'joined';
      readonly why?: string;
    };
export type Logged = Entry & { readonly at: number };

export class History {
  readonly entries: Logged[] = [];
  readonly #hash = createHash('sha256');
  readonly #listeners: ((entry: Logged) => void)[] = [];
  readonly #now: () => number;
  #text = '';

  constructor(now: () => number) {
    this.#now = now;
  }

  add(entry: Entry): void {
    const logged = { at: Math.round(this.#now() * 1_000) / 1_000, ...entry };
    this.entries.push(logged);
    this.#text += JSON.stringify(logged);
    if (this.#text.length > 65_536) this.#empty();
    for (const hear of this.#listeners) hear(logged);
  }

  /** Hears each entry as it comes. */
  listen(listener: (entry: Logged) => void): void {
    this.#listeners.push(listener);
  }

  get digest(): string {
    this.#empty();
    return this.#hash.copy().digest('hex').slice(0, 16);
  }

  #empty(): void {
    this.#hash.update(this.#text);
    this.#text = '';
  }
}

/** What a round of chaos saw from outside: all that the checker knows. Times are wall-clock ms of this machine. */
import type { Ordered } from './kinds.ts';

export const roles = ['hub', 'agent', 'runner', 'broker', 'all'] as const;
export type Role = (typeof roles)[number];
const singles = roles.filter((role) => role !== 'all');
/** To pick from: all at once is rare, since there is little to strike until everything is back. */
export const mixedRoles: readonly Role[] = [...singles, ...singles, 'all'];

/** A process that was killed or halted. */
export interface Blow {
  readonly role: Exclude<Role, 'all'>;
  readonly how: 'kill' | 'halt';
  readonly pid: number;
  readonly at: number;
  /** When it, or its successor, was back; Infinity while it isn't. */
  until: number;
  /** Executions that were under way in it, or in anything below it. */
  readonly running: number;
}

export interface Execution {
  readonly dispatch: string;
  readonly task: string;
  readonly node: string;
  readonly attempt: number;
  readonly pid: number;
  /** The agent's pid. */
  readonly agent: number;
  readonly began: number;
  readonly mark: string;
  /** Marks of what it was given. */
  readonly given: readonly string[];
  ended?: { readonly how: 'end' | 'fail' | 'abort'; readonly at: number };
}

export interface Outcome {
  readonly status: string;
  readonly value?: { readonly value: number; readonly marks: readonly string[] };
  readonly errors?: readonly string[];
}

/** A dispatch whose id was returned. */
export interface Dispatched {
  readonly id: string;
  readonly ordered: Pick<Ordered, 'kind' | 'strict' | 'expected' | 'cancelAfterMs'>;
  /** Answered at, and whom it couldn't reach. */
  cancel?: { readonly at: number; readonly unconfirmed: readonly string[] };
  /** What `getResult` said first, and what it said at the end of the round. */
  outcome?: Outcome | undefined;
  later?: Outcome;
}

/** As published. */
export interface Heard {
  readonly dispatch: string;
  readonly type: string;
  readonly seq: number;
  readonly transient: boolean;
  readonly node?: number;
}

/** As read from the store by itself. */
export interface Stored {
  readonly dispatches: ReadonlyMap<string, { readonly status: string; readonly seq: number }>;
  /** By `ID/NODE`. */
  readonly electrons: ReadonlyMap<string, { readonly status: string; readonly seq: number }>;
  /** Of the completed electrons of each dispatch. */
  readonly attempts: ReadonlyMap<string, readonly number[]>;
  /** Dispatches that the store takes for unfinished. */
  readonly live: readonly string[];
  /** Values that are missing, or aren't what their digest says. */
  readonly damaged: readonly string[];
  readonly values: number;
}

export interface Account {
  readonly leaseMs: number;
  readonly heartbeatMs: number;
  readonly blows: readonly Blow[];
  readonly dispatched: readonly Dispatched[];
  readonly executions: readonly Execution[];
  readonly events: readonly Heard[];
  readonly stored: Stored;
  /** Processes and files that were left when all was stopped. */
  readonly left: readonly string[];
}

/** What became of an attempt, a value's description, and an error as data. */
import { asPolaronError, type ErrorCode } from './errors.ts';
import type { Digest, DispatchId } from './ids.ts';

/** What the hub knows of a value: it never decodes one. */
export interface ValueInfo {
  readonly digest: Digest;
  /** Bytes, encoded. */
  readonly size: number;
  /** Number of elements when the value was encoded as a list that the hub can cut (see bus/value/list.ts). */
  readonly length?: number;
}

/** The electron that a value was taken over from. Its dispatch may be gone. */
export interface ValueOrigin {
  readonly dispatch: DispatchId;
  readonly node: number;
}

/** An error as data, safe to store and send; `code` is an ErrorCode or the user's own `error.code` / class name stays in `name`. */
export interface ErrorInfo {
  readonly code: string;
  readonly message: string;
  /** Class name of the user's error. */
  readonly name?: string;
  /** The user's own `error.code`, when it is a string. */
  readonly userCode?: string;
  readonly stack?: string;
  readonly cause?: ErrorInfo;
}

/** Any thrown thing as data: code and message. */
export function errorInfoOf(error: unknown, fallback: ErrorCode): ErrorInfo {
  const { code, message } = asPolaronError(error, fallback);
  return { code, message };
}

/** [hub epoch, attempt number]: the fencing token. */
export type Token = readonly [hubEpoch: number, attempt: number];

export const sameToken = (a: Token, b: Token): boolean => a[0] === b[0] && a[1] === b[1];
/** Is `a` older than `b`? Tokens rise with the hub's epoch first, then with the attempt. */
export const olderToken = (a: Token, b: Token): boolean => a[0] < b[0] || (a[0] === b[0] && a[1] < b[1]);

/** Captured output of one attempt; long ones keep head and tail, with the cut marked. */
export interface TaskLogs {
  readonly stdout: string;
  readonly stderr: string;
  /** What `context().log` was given (log-entry.ts); absent: nothing. */
  readonly log?: string;
}

/** When an attempt ran, by the agent's clock: whole ms since 1970. */
export interface Usage {
  readonly startedAt: number;
  readonly endedAt: number;
}

/** How an attempt ended, as the agent reports it. A small value travels inside, a larger one as its digest. */
export type Outcome =
  | {
      readonly status: 'completed';
      readonly value: ValueInfo;
      readonly bytes?: Uint8Array;
      readonly logs?: TaskLogs;
      readonly usage: Usage;
    }
  | { readonly status: 'failed'; readonly error: ErrorInfo; readonly logs?: TaskLogs; readonly usage: Usage }
  | { readonly status: 'cancelled'; readonly logs?: TaskLogs; readonly usage: Usage };

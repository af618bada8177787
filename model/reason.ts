/**
 * Why an item of a map with `onItemError: 'collect'` was rejected, as its users get it: the SDK's NodeError without a stack, so that the same failure on another
 * machine is the same value. Pure.
 */
import type { ErrorInfo } from './outcome.ts';
import type { NodeFailure } from './records.ts';

export interface Reason {
  /** Name of the electron, with the positions of the maps around it. */
  readonly node: string;
  readonly message: string;
  readonly code: string;
  readonly cause?: Reason;
}

/** A map may have very many of them. The whole text is with its electron. */
const LONGEST_MESSAGE = 1_000;

export function reasonOf({ node, error }: NodeFailure): Reason {
  const { message, code, cause }: ErrorInfo = error;
  return {
    node,
    message: message.slice(0, LONGEST_MESSAGE),
    code,
    ...(cause === undefined ? {} : { cause: reasonOf({ node, error: cause }) }),
  };
}

/** Whether and when a failed attempt is tried again: the one function that decides it. It reads data, never text. */
import { errorTable, isErrorCode } from './error-table.ts';
import type { RetryPolicy } from './graph.ts';
import type { ErrorInfo } from './outcome.ts';
import { isFinalTimeout } from './timeouts.ts';

/** More attempts than this are no retries any more: each leaves a record and its output. */
export const MOST_RETRIES = 1_000;

export type RetryDecision = { readonly retry: false } | { readonly retry: true; readonly delayMs: number };

/**
 * @param failures attempts that failed so far, this one included
 * @param random 0 … 1, for the jitter
 */
export function decideRetry(policy: RetryPolicy, error: ErrorInfo, failures: number, random: number): RetryDecision {
  if (failures > policy.max || isFinalTimeout(error)) return { retry: false };
  const names = [error.code, error.name, error.userCode].filter((name) => name !== undefined);
  if (names.some((name) => policy.notOn.includes(name))) return { retry: false };
  const named = names.some((name) => policy.retryOn.includes(name));
  if (policy.retryOn.length > 0 && !named) return { retry: false };
  if (!named && isErrorCode(error.code) && !errorTable[error.code].retryable) return { retry: false };
  // No delay stays none: zero times a power that has grown to infinity is no number.
  const full =
    policy.delayMs === 0 ? 0 : Math.min(policy.delayMs * policy.backoff ** (failures - 1), policy.maxDelayMs);
  return { retry: true, delayMs: full * (1 - policy.jitter * random) };
}

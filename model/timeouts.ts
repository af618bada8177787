/**
 * The errors of electrons whose time is over: one code, and a name for each kind of timeout, so that `retryOn` and `notOn` can tell them apart.
 * Not here: who judges which (docs/adr/009), and what follows (retry.ts).
 */
import type { Timeouts } from './graph.ts';
import type { ErrorInfo } from './outcome.ts';

/** Judged by the agent, where the process is. */
export type AttemptTimeout = 'attempt' | 'silence';
/** Judged by the hub. */
export type ElectronTimeout = 'queue' | 'total';
export type TimeoutKind = AttemptTimeout | ElectronTimeout;

const names: Readonly<Record<TimeoutKind, string>> = {
  attempt: 'AttemptTimeout',
  silence: 'SilenceTimeout',
  queue: 'QueueTimeout',
  total: 'TotalTimeout',
};

const texts: Readonly<Record<TimeoutKind, (ms: number) => string>> = {
  attempt: (ms) => `did not end within ${ms} ms; raise its timeout, or make it quicker`,
  silence: (ms) =>
    `gave no sign of life for ${ms} ms; print something or call context().progress more often, or raise its timeout.silence`,
  queue: (ms) => `was ready and did not run for ${ms} ms; add agents or slots, or raise its timeout.queue`,
  total: (ms) => `did not end within ${ms} ms, queueing and retries included; raise its timeout.total`,
};

export const timeoutError = (kind: TimeoutKind, electron: string, ms: number): ErrorInfo => ({
  code: 'TIMEOUT',
  name: names[kind],
  message: `electron "${electron}": ${texts[kind](ms)}`,
});

/** The hub has a time of it to judge. */
export const isTimed = ({ queueMs, totalMs }: Timeouts): boolean => queueMs > 0 || totalMs > 0;

/** No further attempt can help: the time of the whole electron is over, or nobody had room for it. */
export const isFinalTimeout = ({ code, name }: ErrorInfo): boolean =>
  code === 'TIMEOUT' && (name === names.queue || name === names.total);

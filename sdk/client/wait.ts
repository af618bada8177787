/**
 * Waiting for the end of a dispatch, and what is made of it: `getResult` and `getValue`. One round trip when it has ended.
 * Long polls are short at first: a lost answer costs one of them. Where no hub has answered yet the first is none: from its answer on the wait goes
 * on over outages, and without one it fails at once.
 * Not here: what a Result holds (result.ts).
 */
import type { WaitAnswer } from '../../bus/protocol/wire-api.ts';
import { PolaronError } from '../../model/errors.ts';
import { isTerminalDispatch } from '../../model/lifecycle.ts';
import { milliseconds } from '../durations.ts';
import { WorkflowCancelled, WorkflowFailed } from '../errors.ts';
import type { Duration, Result, WaitOptions } from '../types.ts';
import { errorFrom } from './failures.ts';
import type { Hub } from './hub.ts';
import { factsOf } from './lattice-facts.ts';
import { decodeOutput } from './outputs.ts';
import { abortable, WAITING } from './patience.ts';
import { resultOf, type LatticeFacts } from './result.ts';

const POLLS_MS = [1_000, 4_000, 10_000, 20_000] as const;
/** How much later than the timeout the hub's last answer may come. */
const LATE_MS = 300;

export interface EndOptions {
  /** Ends the wait: the last answer is returned, unfinished. */
  readonly timeoutMs?: number | undefined;
  readonly signal?: AbortSignal | undefined;
}

/** The dispatch once it has ended, or as it is when `timeoutMs` is over. Raises UNKNOWN_DISPATCH, WAIT_TIMEOUT when no hub answered in time. */
export async function endOf(hub: Hub, id: string, o: EndOptions = {}): Promise<WaitAnswer> {
  const release = hub.connection.hold();
  const limit = o.timeoutMs === undefined ? undefined : deadline(id, o.timeoutMs, o.signal);
  const signal = limit?.signal ?? o.signal;
  let last: WaitAnswer | undefined;
  try {
    for (let poll = hub.connection.contacted ? 0 : -1; ; poll++) {
      const pollMs = poll < 0 ? 0 : (POLLS_MS[Math.min(poll, POLLS_MS.length - 1)] ?? 20_000);
      const timeoutMs = Math.max(0, Math.min(pollMs, limit?.leftMs() ?? pollMs));
      last = await hub.api.wait({ id, timeoutMs }, signal === undefined ? {} : { signal });
      if (isTerminalDispatch(last.status) || limit?.leftMs() === 0) return last;
    }
  } catch (error) {
    if (last !== undefined && error instanceof PolaronError && error === limit?.signal.reason) return last;
    throw error;
  } finally {
    limit?.clear();
    release();
  }
}

interface Limit {
  readonly signal: AbortSignal;
  leftMs(): number;
  clear(): void;
}

function deadline(id: string, timeoutMs: number, outer: AbortSignal | undefined): Limit {
  const until = performance.now() + timeoutMs;
  const own = new AbortController();
  const timer = setTimeout(() => {
    own.abort(
      new PolaronError('WAIT_TIMEOUT', `dispatch ${id} had not ended after ${timeoutMs} ms, and no hub answered`),
    );
  }, timeoutMs + LATE_MS);
  return {
    signal: outer === undefined ? own.signal : AbortSignal.any([outer, own.signal]),
    leftMs: () => Math.max(0, Math.ceil(until - performance.now())),
    clear: () => clearTimeout(timer),
  };
}

/** `getResult`: as it is now, or (`wait`) once it has ended; with a `timeout`, unfinished if it hasn't by then. */
export async function resultFor<T>(hub: Hub, id: string, o: WaitOptions = {}): Promise<Result<T>> {
  const release = hub.connection.hold();
  try {
    const timeoutMs = timeoutOf(o.timeout);
    // Asked for meanwhile, with little patience; if that fails, again when the wait is over.
    const early = factsOf(hub, id);
    early.catch(() => undefined);
    const reply = await (o.wait === true
      ? endOf(hub, id, { timeoutMs, signal: o.signal })
      : hub.api.wait(
          { id, timeoutMs: 0 },
          { outageMs: timeoutMs ?? 10_000, ...(o.signal === undefined ? {} : { signal: o.signal }) },
        ));
    const facts = await early.catch(() => patientFacts(hub, id, o));
    return resultOf<T>(hub, reply.dispatch, facts, await outputOf(hub, reply));
  } finally {
    release();
  }
}

/** `getValue`: waits; raises WorkflowFailed, WorkflowCancelled, WAIT_TIMEOUT. */
export async function valueOf(
  hub: Hub,
  id: string,
  o: { timeout?: Duration; signal?: AbortSignal } = {},
): Promise<unknown> {
  const timeoutMs = timeoutOf(o.timeout);
  const reply = await endOf(hub, id, { timeoutMs, signal: o.signal });
  if (reply.status === 'completed') return outputOf(hub, reply);
  if (!isTerminalDispatch(reply.status)) {
    throw new PolaronError('WAIT_TIMEOUT', `dispatch ${id} is still ${reply.status} after ${timeoutMs ?? 0} ms`, {
      details: { dispatch: id, status: reply.status },
    });
  }
  throw endError(resultOf(hub, reply.dispatch, await patientFacts(hub, id, { ...o, wait: true }), undefined));
}

/** A wait without a timeout goes on for these, too. */
const patientFacts = (hub: Hub, id: string, o: WaitOptions): Promise<LatticeFacts> =>
  o.wait === true && o.timeout === undefined ? abortable(factsOf(hub, id, WAITING), o.signal) : factsOf(hub, id);

/** For `dispatchSync`: the lattice is known here, so nothing more is asked for. */
export async function ownResult<T>(hub: Hub, id: string, facts: LatticeFacts): Promise<Result<T>> {
  const reply = await endOf(hub, id);
  return resultOf<T>(hub, reply.dispatch, facts, await outputOf(hub, reply));
}

/** A promise of it when something has to be pulled. */
function outputOf(hub: Hub, reply: WaitAnswer): unknown {
  if (reply.status !== 'completed') return undefined;
  if (reply.output !== undefined) return decodeOutput(hub, reply.output);
  throw new PolaronError('BAD_MESSAGE', `dispatch ${reply.dispatch.id} is completed, but the hub sent no output`);
}

function endError(result: Result<unknown>): Error {
  if (result.status === 'failed') {
    const failed = new WorkflowFailed(result);
    failed.cause = errorFrom(result.error);
    return failed;
  }
  if (result.status === 'cancelled') return new WorkflowCancelled(result);
  return new PolaronError('BAD_MESSAGE', `dispatch ${result.id} is ${result.status}, which is no end`);
}

const timeoutOf = (timeout: Duration | undefined): number | undefined =>
  timeout === undefined ? undefined : milliseconds(timeout, 'timeout');

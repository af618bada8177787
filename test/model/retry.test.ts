import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { DEFAULT_RETRY, type RetryPolicy } from '../../model/graph.ts';
import { decideRetry } from '../../model/retry.ts';
import { timeoutError } from '../../model/timeouts.ts';

const policy = (over: Partial<RetryPolicy>): RetryPolicy => ({ ...DEFAULT_RETRY, max: 3, jitter: 0, ...over });
const threw = { code: 'TASK_THREW', message: 'no', name: 'RangeError', userCode: 'E_RANGE' };

describe('decideRetry', () => {
  it('tries again until the retries are used up', () => {
    expect(decideRetry(policy({ max: 2 }), threw, 1, 0).retry).toBe(true);
    expect(decideRetry(policy({ max: 2 }), threw, 2, 0).retry).toBe(true);
    expect(decideRetry(policy({ max: 2 }), threw, 3, 0).retry).toBe(false);
    expect(decideRetry(DEFAULT_RETRY, threw, 1, 0).retry).toBe(false);
  });

  it('waits longer after each failure, up to the limit', () => {
    const delays = [1, 2, 3, 4, 5].map((failures) =>
      decideRetry(policy({ max: 9, delayMs: 100, backoff: 3, maxDelayMs: 1_000 }), threw, failures, 0),
    );
    expect(delays).toEqual([100, 300, 900, 1_000, 1_000].map((delayMs) => ({ retry: true, delayMs })));
  });

  it('takes the share of the delay that is random from it', () => {
    const half = policy({ delayMs: 100, jitter: 0.5 });
    expect(decideRetry(half, threw, 1, 0)).toEqual({ retry: true, delayMs: 100 });
    expect(decideRetry(half, threw, 1, 1)).toEqual({ retry: true, delayMs: 50 });
  });

  it('waits for no time when none is asked for, after however many failures', () => {
    expect(decideRetry(policy({ max: 1e6, delayMs: 0 }), threw, 5_000, 0.5)).toEqual({ retry: true, delayMs: 0 });
  });

  it('never gives a delay that is no number or over the limit', () => {
    const amount = fc.double({ min: 0, max: 1e6, noNaN: true });
    fc.assert(
      fc.property(
        amount,
        fc.double({ min: 1, max: 100, noNaN: true }),
        amount,
        fc.integer({ min: 1, max: 1e5 }),
        (delayMs, backoff, maxDelayMs, failures) => {
          const decision = decideRetry(
            policy({ max: 1e6, delayMs, backoff, maxDelayMs, jitter: 0.2 }),
            threw,
            failures,
            0.3,
          );
          if (!decision.retry) throw new Error('it gave up');
          expect(decision.delayMs).toBeGreaterThanOrEqual(0);
          expect(decision.delayMs).toBeLessThanOrEqual(maxDelayMs);
        },
      ),
    );
  });

  it('knows the error by its code, its class and the code that the user gave it', () => {
    for (const name of ['TASK_THREW', 'RangeError', 'E_RANGE']) {
      expect(decideRetry(policy({ retryOn: [name] }), threw, 1, 0).retry, `on ${name}`).toBe(true);
      expect(decideRetry(policy({ notOn: [name] }), threw, 1, 0).retry, `not on ${name}`).toBe(false);
      expect(decideRetry(policy({ retryOn: [name], notOn: [name] }), threw, 1, 0).retry, `both ${name}`).toBe(false);
    }
    expect(decideRetry(policy({ retryOn: ['TypeError'] }), threw, 1, 0).retry).toBe(false);
  });

  it('tries what cannot be helped by a retry only when it is named', () => {
    const poison = { code: 'POISON', message: 'kills agents' };
    expect(decideRetry(policy({}), poison, 1, 0).retry).toBe(false);
    expect(decideRetry(policy({ retryOn: ['POISON'] }), poison, 1, 0).retry).toBe(true);
  });

  it('never tries again when the whole time of the electron is over, and tells the kinds of timeout by their names', () => {
    const named = policy({ retryOn: ['TIMEOUT', 'QueueTimeout', 'TotalTimeout'] });
    for (const kind of ['queue', 'total'] as const)
      expect(decideRetry(named, timeoutError(kind, 'x', 5), 1, 0).retry, kind).toBe(false);
    for (const kind of ['attempt', 'silence'] as const)
      expect(decideRetry(policy({}), timeoutError(kind, 'x', 5), 1, 0).retry, kind).toBe(true);
    const silence = policy({ retryOn: ['SilenceTimeout'] });
    expect(decideRetry(silence, timeoutError('silence', 'x', 5), 1, 0).retry).toBe(true);
    expect(decideRetry(silence, timeoutError('attempt', 'x', 5), 1, 0).retry).toBe(false);
    // a class of the user's own that is called so is no timeout of ours
    expect(decideRetry(policy({}), { ...threw, name: 'QueueTimeout' }, 1, 0).retry).toBe(true);
  });

  it('reads data, never the text', () => {
    const text = { code: 'TASK_THREW', message: 'POISON SIGKILL RangeError: retry me not' };
    expect(decideRetry(policy({ notOn: ['RangeError'] }), text, 1, 0).retry).toBe(true);
  });
});

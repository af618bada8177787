/** What a runner's death is put down to, and how long the queue is. Pure. */
import { describe, expect, it } from 'vitest';
import { queueFor, queueMoved } from '../../../executors/agent/queue-length.ts';
import { causeOfDeath, type Death } from '../../../executors/process/death.ts';
import { Durations, TypicalDuration } from '../../../executors/process/durations.ts';

const death = (over: Partial<Death>): Death => ({
  code: null,
  signal: null,
  stderr: '',
  overMemory: false,
  memoryMb: undefined,
  ...over,
});

describe('a death', () => {
  it('is put down to the agent’s own reason first, then heap, signal, exit code', () => {
    const heap = 'FATAL ERROR: Reached heap limit Allocation failed - JavaScript heap out of memory';
    expect(causeOfDeath('e', death({ overMemory: true, signal: 'SIGKILL', stderr: heap })).code).toBe('MEMORY_LIMIT');
    expect(causeOfDeath('e', death({ signal: 'SIGABRT', stderr: heap })).code).toBe('OUT_OF_MEMORY');
    expect(causeOfDeath('e', death({ signal: 'SIGSEGV', stderr: 'last words' })).message).toContain(
      'SIGSEGV: last words',
    );
    expect(causeOfDeath('e', death({ code: 3 })).message).toContain('exit code 3');
  });
});

describe('typical durations', () => {
  it('follow what lasts, not one outlier', () => {
    const typical = new TypicalDuration();
    expect(typical.ms).toBeUndefined();
    for (let i = 0; i < 50; i++) typical.add(0.1);
    typical.add(10_000);
    expect(typical.ms).toBeLessThan(1.5);
    for (let i = 0; i < 50; i++) typical.add(100);
    expect(typical.ms).toBeGreaterThan(90);
  });

  it('are kept per electron, those of the oldest code forgotten', () => {
    const durations = new Durations();
    durations.of('old', 'a').add(1);
    expect(durations.of('old', 'a').ms).toBeDefined();
    expect(durations.of('old', 'b').ms).toBeUndefined();
    const first = durations.of('new', 'k0');
    for (let i = 0; i < 9_998; i++) durations.of('new', `k${i}`);
    expect(durations.of('new', 'k0')).toBe(first);
    durations.of('new', 'one more');
    expect(durations.of('new', 'k0')).toBe(first);
    expect(durations.of('old', 'a').ms).toBeUndefined();
  });
});

describe('the queue', () => {
  it('is about 5 ms of recent work, at most 1,024, or an electron for each slot that ends within 100 ms', () => {
    expect(queueFor(undefined, 2)).toBe(0);
    expect([6, 100, 1_000, 5_000, 5_001].map((ms) => queueFor(ms, 50))).toEqual([50, 50, 5, 1, 0]);
    expect([100, 101].map((ms) => queueFor(ms, 1))).toEqual([1, 0]);
    expect(queueFor(10, 2_000)).toBe(1_024);
    expect(queueFor(5, 2)).toBe(2);
    expect(queueFor(0.1, 2)).toBe(100);
    expect(queueFor(0.001, 4)).toBe(1_024);
  });

  it('is announced at once only when it has moved much', () => {
    expect(queueMoved(100, 120)).toBe(false);
    expect([queueMoved(0, 1), queueMoved(1, 0), queueMoved(10, 30), queueMoved(30, 10)]).toEqual([
      true,
      true,
      true,
      true,
    ]);
  });
});

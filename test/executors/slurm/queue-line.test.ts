import { describe, expect, it } from 'vitest';
import { jobState, readSacct, readSqueue } from '../../../executors/slurm/queue-line.ts';

const state = (line: string) => {
  const read = readSqueue(line);
  return read === undefined ? undefined : jobState(read);
};
/** As squeue of 22.05 writes it, in the order that is asked for. */
const line = (word: string, status = 0, reason = 'None') =>
  `12_3|${word}|${status}|polaron-1|1:00|4G|main|n1|${reason}|`;

describe("squeue's line", () => {
  it('says what a job is doing', () => {
    expect(state(line('PENDING', 0, 'Resources'))).toEqual({ state: 'queued', reason: 'Resources' });
    for (const word of ['RUNNING', 'COMPLETING', 'SUSPENDED', 'STAGE_OUT'])
      expect(state(line(word))).toEqual({ state: 'running' });
  });

  it('says how it ended', () => {
    expect(state(line('COMPLETED'))).toMatchObject({ state: 'ended', exitCode: 0 });
    expect(state(line('FAILED', 768, 'NonZeroExitCode'))).toEqual({
      state: 'ended',
      exitCode: 3,
      reason: 'Slurm job 12_3: FAILED, NonZeroExitCode, on n1',
    });
    expect(state(line('FAILED', 11))).toMatchObject({ signal: 'SIGSEGV' });
    // a shell says it so
    expect(state(line('FAILED', 139 << 8))).toMatchObject({ signal: 'SIGSEGV' });
  });

  it.each([
    ['TIMEOUT', 'SLURM_LIMIT', 'time limit of 1:00'],
    ['OUT_OF_MEMORY', 'SLURM_LIMIT', 'had 4G'],
    ['DEADLINE', 'SLURM_LIMIT', 'deadline'],
    ['NODE_FAIL', 'SLURM_NODE_FAIL', 'node failed'],
    ['BOOT_FAIL', 'SLURM_NODE_FAIL', 'node failed'],
    ['PREEMPTED', 'SLURM_PREEMPTED', 'another job'],
    ['CANCELLED', 'SLURM_CANCELLED', 'cancelled'],
  ])('names what Slurm did: %s', (word, code, said) => {
    expect(state(line(word, 9))).toMatchObject({
      state: 'ended',
      error: { code, message: expect.stringContaining(said) },
    });
  });

  it('that is none of a job is left out', () => {
    for (const other of ['', 'slurm_load_jobs error: x', '12_[1-3]|PENDING|0|polaron-1|||||'])
      expect(state(other)).toBeUndefined();
  });
});

describe("sacct's line", () => {
  it('says the same in its own words', () => {
    const read = readSacct('12|CANCELLED by 1000|0:15|polaron-1|00:01:00|4G|main|n1|None');
    expect(read).toMatchObject({ id: '12', name: 'polaron-1', state: 'CANCELLED', signal: 15 });
    expect(readSacct('12.batch|FAILED|3:0|batch|||||')).toBeUndefined();
  });
});

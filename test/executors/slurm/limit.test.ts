/** A job that Slurm ends at its time limit: a minute is the least that it knows. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { slurmExecutor } from '../../../executors/slurm/slurm-executor.ts';
import { errorOf, startHarness, type Harness } from '../../support/agent-harness.ts';
import { withRealPart } from '../../support/real-part.ts';
import { slurmIsHere, startSlurm, type Slurm } from '../../support/slurm.ts';

const PATIENCE_MS = 180_000;

withRealPart('Slurm', slurmIsHere, 'Debian has it in slurm-wlm and munge', () => {
  describe('a time limit of Slurm', { timeout: PATIENCE_MS }, () => {
    let slurm: Slurm;
    let harness: Harness;
    beforeAll(async () => {
      slurm = await startSlurm();
      process.env['SLURM_CONF'] = slurm.conf;
      harness = await startHarness({ executors: [slurmExecutor], capabilities: [], slots: 4 });
      await harness.agent.joined;
    });
    afterAll(async () => {
      await harness.close();
      await slurm.close();
      delete process.env['SLURM_CONF'];
    });

    it('is named in the error, whether the electron heeds its signal or not', async () => {
      const task = { executor: 'slurm', executorOptions: { time: 1 } };
      await harness.hub.assignAll({
        1: { ...task, electron: 'sleep', args: [600_000] },
        2: { ...task, electron: 'leavesChildOnAbort' },
      });
      for (const id of [1, 2]) {
        const error = errorOf(await harness.hub.outcome(id, PATIENCE_MS));
        expect(error.code).toBe('SLURM_LIMIT');
        expect(error.message).toMatch(/time limit of 1:00 \(Slurm job \d+: TIMEOUT, TimeLimit, on n1\)/);
      }
    });
  });
});

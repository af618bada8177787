/** The contract of executors, over a real Slurm. */
import { afterAll, beforeAll, describe } from 'vitest';
import { slurmExecutor } from '../../executors/slurm/slurm-executor.ts';
import { withRealPart } from '../support/real-part.ts';
import { slurmIsHere, startSlurm, type Slurm } from '../support/slurm.ts';
import { executorContract } from './executor-contract.ts';

withRealPart('Slurm', slurmIsHere, 'Debian has it in slurm-wlm and munge', () => {
  describe('on a Slurm of one node', () => {
    let slurm: Slurm;
    beforeAll(async () => {
      slurm = await startSlurm();
      process.env['SLURM_CONF'] = slurm.conf;
    });
    afterAll(async () => {
      await slurm.close();
      delete process.env['SLURM_CONF'];
    });

    executorContract({
      name: 'slurm',
      make: () => (ground) => slurmExecutor({ ...ground, settings: { pollMs: 250 } }),
      options: { partition: 'main' },
      deaths: { exits: 'EXITED', signal: 'CRASHED' },
      keepsJobs: true,
      local: true,
    });
  });
});

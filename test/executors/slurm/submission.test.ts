/** What becomes of jobs that can't be handed to Slurm together, as the disk takes no record of their array. */
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import type { Job } from '../../../executors/job/definition.ts';
import { ArrayRecords } from '../../../executors/slurm/array-records.ts';
import { Queue } from '../../../executors/slurm/queue.ts';
import type { SlurmOptions } from '../../../executors/slurm/slurm-options.ts';
import type { SlurmProgram } from '../../../executors/slurm/slurm-program.ts';
import { Submission } from '../../../executors/slurm/submission.ts';
import { withRealPart } from '../../support/real-part.ts';
import { fill, mountSmallDisk, unmountSmallDisk } from '../../support/small-disk.ts';

withRealPart('a small disk', mountSmallDisk(), 'mounting a tmpfs needs root', (disk) => {
  describe('an array in Slurm on a full disk', () => {
    afterAll(() => unmountSmallDisk(disk));

    const job = (name: string): Job<SlurmOptions> => ({
      name,
      options: { options: {}, variables: {}, preRun: [], postRun: [] },
      electron: 'add',
      dispatchId: 'd',
      attempt: 1,
      folder: join(disk, name),
      command: ['node', join(disk, name)],
      env: {},
      signal: new AbortController().signal,
      pack: () => Promise.reject(new Error('it is not asked for')),
      accept: () => Promise.reject(new Error('there is none')),
      started: () => undefined,
      log: () => undefined,
      spawn: () => Promise.reject(new Error('it is not asked for')),
    });

    it('fails its electrons with DISK_FULL, is not handed over, and leaves nothing', async () => {
      let calls = 0;
      const program: SlurmProgram = () => {
        calls++;
        return Promise.resolve({ kind: 'done', stdout: '1' });
      };
      const root = join(disk, 'arrays');
      const arrays = new ArrayRecords(root);
      const agent = { site: 's', name: 'a', slots: 2, settings: {}, folder: disk, env: {}, log: () => undefined };
      const queue = new Queue(program, arrays, '0');
      const submission = new Submission({ agent, program, arrays, queue, mostInArray: 10 });
      fill(join(disk, 'filler'), 0);
      const all = ['polaron-1', 'polaron-2'].map((name) => submission.submit(job(name)));
      for (const { status, ...how } of await Promise.allSettled(all)) {
        expect(status).toBe('rejected');
        expect(how).toMatchObject({ reason: { code: 'DISK_FULL', message: expect.stringContaining(root) } });
      }
      expect(calls).toBe(0);
      expect(readdirSync(root)).toEqual([]);
      expect(arrays.of('polaron-1')).toEqual([]);
    });
  });
});

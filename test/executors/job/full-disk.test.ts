/** The disk of a job's folder fills up while its electron runs, or before: a real agent, a real runner, a real disk, a fake hub. */
import { existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeEach, describe, expect, it } from 'vitest';
import { runPacked } from '../../../executors/function/run-packed.ts';
import { defineExecutor, noOptions, type CustomExecutor } from '../../../executors/job/definition.ts';
import { jobExecutor } from '../../../executors/job/job-executor.ts';
import { detachedJobs } from '../../support/detached-jobs.ts';
import { errorOf, startHarness, valueOf, type Harness } from '../../support/agent-harness.ts';
import { taskId } from '../../support/fake-hub.ts';
import { withRealPart } from '../../support/real-part.ts';
import { fill, fillWithFiles, mountSmallDisk, unmountSmallDisk } from '../../support/small-disk.ts';
import { until } from '../../support/until.ts';

const WAIT_MS = 20_000;

/** A function service that works in this folder. */
const packing = (name: string, folder: string): CustomExecutor =>
  defineExecutor({
    name,
    options: noOptions,
    setup: () => undefined,
    run: async (job) => job.accept(runPacked(await job.pack(), { folder })),
  });

/** Whoever else is on this disk leaves no file for it. Takes any options. */
const crowded = (files: string): CustomExecutor =>
  defineExecutor({
    name: 'crowded',
    options: { '~standard': { version: 1, vendor: 'test', validate: (value) => ({ value }) } },
    setup: () => undefined,
    run: (job) => {
      fillWithFiles(files);
      return job.spawn(job.command);
    },
  });

withRealPart('a small disk', mountSmallDisk(), 'mounting a tmpfs needs root', (disk) => {
  describe('a full disk under a job', { timeout: 3 * WAIT_MS }, () => {
    const filler = join(disk, 'filler');
    let dir: string;
    let harness: Harness;
    let next = 0;
    let system = detachedJobs();
    beforeEach(async () => {
      dir = mkdtempSync(join(tmpdir(), 'polaron-full-'));
      mkdirSync(join(dir, 'jobs'));
      for (const name of ['detached', 'answered', 'crowded']) {
        mkdirSync(join(disk, name));
        // what else the agent writes has room
        symlinkSync(join(disk, name), join(dir, 'jobs', name));
      }
      system = detachedJobs();
      harness = await startHarness({
        stateDir: dir,
        executors: [
          system.executor,
          packing('packed', disk),
          packing('answered', dir),
          crowded(join(disk, 'crowd')),
        ].map(jobExecutor),
        capabilities: [],
        slots: 4,
      });
      await harness.agent.joined;
    });
    afterEach(async () => {
      await harness.close();
      rmSync(dir, { recursive: true });
      for (const name of readdirSync(disk)) rmSync(join(disk, name), { recursive: true });
    });
    afterAll(() => unmountSmallDisk(disk));

    const gate = (): string => join(dir, 'gate');
    async function assign(
      executor: string,
      electron: string,
      args: readonly unknown[],
      executorOptions: Readonly<Record<string, unknown>> = {},
    ): Promise<number> {
      const id = ++next;
      await harness.hub.assignAll({ [id]: { electron, args, executor, executorOptions } });
      return id;
    }
    /** Its electron waits. */
    async function begin(what: { readonly bytes: number; readonly chars?: number }, executor = 'detached') {
      const id = await assign(executor, 'whenThere', [gate(), what]);
      await until(() => written(id).includes('waiting'), 'it waits', WAIT_MS);
      return id;
    }
    const isLine = (x: unknown): x is { readonly task: string; readonly text: string } =>
      typeof x === 'object' && x !== null && 'task' in x && 'text' in x;
    const written = (id: number): string =>
      harness.hub.logs.map((line) => (isLine(line) && line.task === taskId(id) ? line.text : '')).join('');
    const ends = async (id: number) => {
      writeFileSync(gate(), '');
      return harness.hub.outcome(id, WAIT_MS);
    };

    it('takes no result from an electron that gives a small one, whatever it has written', async () => {
      const id = await begin({ bytes: 40_000, chars: 2_000_000 });
      fill(filler, 0);
      expect(valueOf(await ends(id))).toEqual(new Uint8Array(40_000).fill(7));
      expect(system.submitted).toHaveLength(1);
    });

    it('fails an electron whose large result has no room with DISK_FULL, which says where', async () => {
      const id = await begin({ bytes: 3_000_000, chars: 2_000_000 });
      fill(filler, 0);
      const error = errorOf(await ends(id));
      expect(error).toMatchObject({ code: 'DISK_FULL' });
      expect(error.message).toMatch(
        /electron "whenThere": its result of 3\d{6} bytes has no room on the disk of .*\/detached\/jobs\/polaron-.*ENOSPC/,
      );
    });

    it('fails with DISK_FULL also when there is no room for the outcome itself', async () => {
      const id = await begin({ bytes: 40_000 });
      fill(filler, 0);
      // somebody is quicker than the runner, each time
      const [name = ''] = system.submitted;
      const spare = join(disk, 'detached', 'jobs', name, 'spare');
      expect(existsSync(spare)).toBe(true);
      writeFileSync(spare, 'short');
      fill(filler, 0);
      const error = errorOf(await ends(id));
      expect(error).toMatchObject({ code: 'DISK_FULL' });
      expect(error.message).toContain(
        `the disk of its job's folder is full (${join(dir, 'jobs', 'detached', 'jobs', name)})`,
      );
    });

    it('begins no electron whose end could not be written', async () => {
      let filled = false;
      system.beforeSubmit = async () => {
        fill(filler, 8_192);
        filled = true;
      };
      const mark = join(dir, 'mark');
      const error = errorOf(await ends(await assign('detached', 'touches', [mark])));
      expect(filled).toBe(true);
      expect(error).toMatchObject({ code: 'DISK_FULL' });
      expect(existsSync(mark)).toBe(false);
    });

    it('hands no job away whose intent has room for a part of it only', async () => {
      fill(filler, 65_536);
      const options = { text: 'x'.repeat(200_000) };
      const error = errorOf(await ends(await assign('crowded', 'add', [1, 2], options)));
      expect(error).toMatchObject({ code: 'DISK_FULL' });
      expect(error.message).toContain("its job's folder can't be written: ENOSPC");
    });

    it('begins none where no file can be made any more', async () => {
      const mark = join(dir, 'mark');
      const error = errorOf(await ends(await assign('crowded', 'touches', [mark])));
      expect(error).toMatchObject({ code: 'DISK_FULL' });
      expect(existsSync(mark)).toBe(false);
    });

    it('is told by a function service whose disk is full, before it runs anything and when it has', async () => {
      fill(filler, 0);
      const early = errorOf(await ends(await assign('packed', 'add', [1, 2])));
      expect(early).toMatchObject({ code: 'DISK_FULL' });
      expect(early.message).toContain('the function did not run it: no room in');
      rmSync(filler);
      rmSync(gate());
      const id = await begin({ bytes: 3_000_000 }, 'packed');
      fill(filler, 0);
      expect(errorOf(await ends(id))).toMatchObject({ code: 'DISK_FULL' });
    });

    it('is told by the agent, when an answer of a function service has no room', async () => {
      const id = await begin({ bytes: 3_000_000 }, 'answered');
      fill(filler, 0);
      const error = errorOf(await ends(id));
      expect(error).toMatchObject({ code: 'DISK_FULL' });
      expect(error.message).toContain("its answer has no room on the agent's disk, in");
    });

    it('is told by the agent, when that can not write the folder', async () => {
      fill(filler, 0);
      const error = errorOf(await ends(await assign('detached', 'add', [1, 2])));
      expect(error).toMatchObject({ code: 'DISK_FULL' });
      expect(error.message).toContain('ENOSPC');
      rmSync(filler);
      expect(valueOf(await ends(await assign('detached', 'add', [1, 2])))).toBe(3);
      expect(system.submitted).toHaveLength(1);
    });
  });
});

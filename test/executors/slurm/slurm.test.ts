/** What the executor `slurm` does beside the contract, on a real Slurm. */
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { decodeBody, decodeEnvelope } from '../../../bus/codec.ts';
import { slurmExecutor } from '../../../executors/slurm/slurm-executor.ts';
import type { Outcome } from '../../../model/outcome.ts';
import { errorOf, startHarness, valueOf, type Harness } from '../../support/agent-harness.ts';
import { AGENT, SITE, subjects, taskId, type TaskSpec } from '../../support/fake-hub.ts';
import { withRealPart } from '../../support/real-part.ts';
import { slurmIsHere, startSlurm, type Slurm } from '../../support/slurm.ts';
import { until } from '../../support/until.ts';

const PATIENCE_MS = 60_000;
const POLL_MS = 250;

withRealPart('Slurm', slurmIsHere, 'Debian has it in slurm-wlm and munge', () => {
  describe('slurm', { timeout: 2 * PATIENCE_MS }, () => {
    let slurm: Slurm;
    let harness: Harness;
    let dir: string;
    let next = 0;
    const notes: string[] = [];
    beforeAll(async () => {
      dir = mkdtempSync(join(tmpdir(), 'polaron-slurm-test-'));
      slurm = await startSlurm();
      process.env['SLURM_CONF'] = slurm.conf;
      const path = process.env['PATH'];
      process.env['PATH'] = `${notedSqueue()}:${path}`;
      // as if the agent ran in a job itself
      process.env['SLURM_MEM_PER_CPU'] = '7';
      harness = await startHarness({
        executors: [(ground) => slurmExecutor({ ...ground, settings: { pollMs: POLL_MS } })],
        capabilities: [],
        slots: 32,
      });
      process.env['PATH'] = path;
      delete process.env['SLURM_MEM_PER_CPU'];
      harness.hub.bus.subscribe(subjects.up(SITE, AGENT, 'progress'), ({ data }) => {
        notes.push(JSON.stringify(decodeBody(decodeEnvelope(data).body)));
      });
      await harness.agent.joined;
    });
    afterAll(async () => {
      await harness.close();
      await slurm.close();
      delete process.env['SLURM_CONF'];
      rmSync(dir, { recursive: true, force: true });
    });

    /** A squeue of the agent's that writes down how it is called. */
    function notedSqueue(): string {
      const path = join(dir, 'bin');
      mkdirSync(path);
      const script = `#!/bin/sh\necho "$*" >>'${join(dir, 'asked')}'\nPATH=\${PATH#*:}\nexec squeue "$@"\n`;
      writeFileSync(join(path, 'squeue'), script, { mode: 0o755 });
      return path;
    }
    const asked = (): readonly string[] => readFileSync(join(dir, 'asked'), 'utf8').trim().split('\n');

    const spec = (electron: string, options: Readonly<Record<string, unknown>>, ...args: unknown[]): TaskSpec => ({
      electron,
      args,
      executor: 'slurm',
      executorOptions: options,
    });
    async function assign(...specs: readonly TaskSpec[]): Promise<number[]> {
      const ids = specs.map(() => ++next);
      const tasks = Object.fromEntries(specs.map((one, i) => [String(ids[i]), one]));
      await harness.hub.assignAll(tasks);
      return ids;
    }
    const ended = (id: number): Promise<Outcome> => harness.hub.outcome(id, PATIENCE_MS);
    async function run(one: TaskSpec): Promise<Outcome> {
      const [id = 0] = await assign(one);
      return ended(id);
    }
    /** Fields of all jobs that Slurm knows, the newest last. */
    async function jobs(...fields: string[]): Promise<string[][]> {
      const format = fields.map((field) => `${field}:|`).join(',');
      const said = await slurm.command('squeue', '--noheader', '--array', '--states=all', `--Format=${format}`);
      return said.split('\n').flatMap((line) => (line === '' ? [] : [line.split('|')]));
    }
    const running = async (): Promise<string[]> =>
      (await jobs('JobArrayID', 'State')).flatMap(([id = '', state]) => (state === 'RUNNING' ? [id] : []));
    async function runningJob(): Promise<string> {
      await until(async () => (await running()).length === 1, 'one job to run', PATIENCE_MS);
      const [id = ''] = await running();
      return id;
    }
    const written = (id: number): string =>
      harness.hub.logs
        .map((line) => JSON.stringify(line))
        .filter((line) => line.includes(`"${taskId(id)}"`))
        .join('');

    it('says what sbatch says of an option that it refuses', async () => {
      const noPartition = errorOf(await run(spec('noop', { partition: 'nowhere' })));
      expect(noPartition.code).toBe('SLURM_REFUSED');
      expect(noPartition.message).toContain('Invalid partition name specified');
      const noOption = errorOf(await run(spec('noop', { options: { flavour: 'sour' } })));
      expect(noOption).toMatchObject({ code: 'SLURM_REFUSED' });
      expect(noOption.message).toContain("unrecognized option '--flavour=sour'");
      const tooMuch = errorOf(await run({ ...spec('noop', {}), memoryMb: 1_000_000 }));
      expect(tooMuch.code).toBe('SLURM_REFUSED');
    });

    it('gives options and the memory of the electron to Slurm', async () => {
      const hold = { time: '5', cpusPerTask: 2, ntasks: 2, options: { nice: 7, hold: true } };
      const [id = 0] = await assign({ ...spec('noop', hold), memoryMb: 150 });
      const fields = ['TimeLimit', 'cpus-per-task', 'NumTasks', 'MinMemory', 'Nice', 'State'];
      await until(async () => (await jobs('State')).some(([state]) => state === 'PENDING'), 'a job', PATIENCE_MS);
      expect((await jobs(...fields)).filter((job) => job.includes('PENDING'))).toMatchObject([
        ['5:00', '2', '2', '150M', expect.stringMatching(/7$/), 'PENDING', ''],
      ]);
      await harness.hub.cancel([id]);
      expect((await ended(id)).status).toBe('cancelled');
    });

    it('gives a job the memory that was asked for, and tells it of no other', async () => {
      const preRun = ['export FLAVOUR="$SLURM_MEM_PER_NODE,$SLURM_MEM_PER_CPU"'];
      expect(valueOf(await run({ ...spec('env', { preRun }), memoryMb: 150 }))).toEqual([
        '150,',
        null,
        expect.any(Array),
      ]);
    });

    it('takes what an electron says for what it is, whatever it holds', async () => {
      const trap = join(dir, 'trap');
      const flavour = `a'b "c"\n#SBATCH --partition=nowhere\n$(touch ${trap}) \`touch ${trap}\` %j \\`;
      const options = { variables: { FLAVOUR: flavour }, options: { comment: `x; touch ${trap} $(touch ${trap})` } };
      expect(valueOf(await run(spec('env', options)))).toEqual([flavour, null, expect.any(Array)]);
      expect(existsSync(trap)).toBe(false);
    });

    it('runs commands before and after, in the shell of the job', async () => {
      const after = join(dir, 'after');
      const options = {
        variables: { FROM: 'a variable' },
        preRun: ['export FLAVOUR="by $FROM"', 'cd /'],
        postRun: [`echo "$polaron_code" > ${after}`],
      };
      expect(valueOf(await run(spec('env', options)))).toEqual(['by a variable', null, expect.any(Array)]);
      await until(() => existsSync(after) && readFileSync(after, 'utf8') === '0\n', 'what postRun writes', PATIENCE_MS);
      const exits = errorOf(await run(spec('exits', { postRun: [':'] })));
      expect(exits).toMatchObject({ code: 'EXITED' });
      expect(exits.message).toContain('FAILED, NonZeroExitCode, on n1');
    });

    it('says which command before the electron failed', async () => {
      const error = errorOf(await run(spec('noop', { preRun: ['true', 'no-such-command --at-all'] })));
      expect(error).toMatchObject({ code: 'SLURM_PRE_RUN' });
      expect(error.message).toContain('preRun[1] failed with exit code 127');
    });

    it('makes one array of the jobs of a map', async () => {
      const before = new Set((await jobs('ArrayJobID')).map(([id]) => id));
      const ids = await assign(...Array.from({ length: 12 }, (_, i) => spec('add', {}, i, 100)));
      expect((await Promise.all(ids.map(ended))).map(valueOf)).toEqual(ids.map((_, i) => i + 100));
      const after = (await jobs('ArrayJobID', 'ArrayTaskID')).filter(([id]) => !before.has(id ?? ''));
      expect(new Set(after.map(([id]) => id)).size).toBe(1);
      expect(after.map(([, index]) => Number(index)).sort((a, b) => a - b)).toEqual(ids.map((_, i) => i));
      // what was kept of it goes while others run
      const arrays = join(harness.dir, 'jobs', 'slurm', 'shared', 'arrays');
      expect(readdirSync(arrays)).not.toEqual([]);
      const [other = 0] = await assign(spec('sleep', {}, 60_000, 0));
      await until(() => readdirSync(arrays).length === 0, 'its record is gone', PATIENCE_MS);
      await harness.hub.cancel([other]);
    });

    it('asks about all of them with one call', async () => {
      const ids = await assign(
        ...Array.from({ length: 20 }, (_, i) => spec('noop', { options: { hold: true, nice: i % 7 } })),
      );
      const folders = (): readonly string[] => readdirSync(join(harness.dir, 'jobs', 'slurm', 'jobs'));
      const waiting = async (): Promise<number> =>
        (await jobs('State')).filter(([state]) => state === 'PENDING').length;
      await until(async () => folders().length === 20 && (await waiting()) === 20, 'all to be there', PATIENCE_MS);
      const names = folders();
      const isAboutAll = (call: string): boolean => names.every((name) => call.includes(name));
      await until(() => isAboutAll(asked().at(-1) ?? ''), 'a look at all of them', PATIENCE_MS);
      const before = asked().length;
      const began = performance.now();
      await until(() => asked().length >= before + 10, 'ten more', PATIENCE_MS);
      expect(performance.now() - began).toBeGreaterThan(9 * POLL_MS);
      expect(asked().slice(before).every(isAboutAll)).toBe(true);
      await harness.hub.cancel(ids);
      for (const id of ids) expect((await ended(id)).status).toBe('cancelled');
    });

    it('cancels one job of an array and leaves the others', async () => {
      const ids = await assign(...[500, 60_000, 500].map((ms) => spec('sleep', {}, ms, ms)));
      const [first = 0, second = 0, third = 0] = ids;
      await until(async () => (await running()).length >= 2, 'the array to run', PATIENCE_MS);
      await harness.hub.cancel([second]);
      expect((await ended(second)).status).toBe('cancelled');
      expect([valueOf(await ended(first)), valueOf(await ended(third))]).toEqual([500, 500]);
    });

    it('shows why a job waits, and cancels it while it does', async () => {
      const [id = 0] = await assign(spec('noop', { options: { begin: 'now+1hour' } }));
      await until(() => notes.some((note) => note.includes('queued: BeginTime')), 'the reason', PATIENCE_MS);
      await harness.hub.cancel([id]);
      expect((await ended(id)).status).toBe('cancelled');
    });

    it('tells one that was cancelled in Slurm from one that ended by itself, also when it heeds its signal', async () => {
      for (const electron of ['leavesChildOnAbort', 'orphan']) {
        const [id = 0] = await assign(spec(electron, {}));
        await until(() => written(id).includes('child '), 'its first words', PATIENCE_MS);
        await slurm.command('scancel', await runningJob());
        const error = errorOf(await ended(id));
        expect(error.code).toBe('SLURM_CANCELLED');
        expect(error.message).toMatch(/Slurm job \d+: CANCELLED, on n1/);
      }
    });

    it('says that a node has failed', async () => {
      const [id = 0] = await assign(spec('orphan', {}));
      await until(() => written(id).includes('child '), 'its first words', PATIENCE_MS);
      await slurm.command('scontrol', 'update', 'nodename=n1', 'state=down', 'reason=test');
      const error = errorOf(await ended(id));
      // the node has reported again by itself
      await until(async () => (await slurm.command('sinfo', '--noheader')).includes('idle'), 'the node', PATIENCE_MS);
      expect(error.code).toBe('SLURM_NODE_FAIL');
      expect(valueOf(await run(spec('add', {}, 1, 1)))).toBe(2);
    });

    it('waits for a controller that is away, and loses and doubles nothing', async () => {
      const before = (await jobs('JobID')).length;
      const [runs = 0] = await assign(spec('sleep', {}, 2_000, 'slept'));
      await runningJob();
      await slurm.stop('slurmctld');
      const waits = await assign(spec('add', {}, 1, 2), spec('add', {}, 3, 4));
      expect(valueOf(await ended(runs))).toBe('slept');
      await until(
        () => harness.logs.entries.some(({ message }) => message.includes("can't be reached")),
        'a warning',
        PATIENCE_MS,
      );
      await slurm.start('slurmctld');
      expect((await Promise.all(waits.map(ended))).map(valueOf)).toEqual([3, 7]);
      expect((await jobs('JobID')).length).toBe(before + 3);
    });
  });
});

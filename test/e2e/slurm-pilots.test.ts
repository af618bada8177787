/** Agents inside Slurm jobs: `polaron pilot` on a real Slurm, with a real hub. */
import { existsSync, mkdtempSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { dispatch, getValue } from 'polaron';
import { array, aText, object, parse, text } from '../../bus/protocol/shape.ts';
import { RealHub } from '../support/real-hub.ts';
import { withRealPart } from '../support/real-part.ts';
import { slurmIsHere, startSlurm, type Slurm } from '../support/slurm.ts';
import { until } from '../support/until.ts';
import { longOnCluster, squaresOnCluster } from './workflows/on-cluster.ts';

const PATIENCE_MS = 60_000;

withRealPart('Slurm', slurmIsHere, 'Debian has it in slurm-wlm and munge', () => {
  describe('pilots', { timeout: 2 * PATIENCE_MS }, () => {
    let slurm: Slurm;
    let hub: RealHub;
    beforeAll(async () => {
      slurm = await startSlurm();
      hub = new RealHub({ env: { SLURM_CONF: slurm.conf } });
      await hub.start();
    }, PATIENCE_MS);
    afterAll(async () => {
      await slurm.close();
      await hub.close();
    }, PATIENCE_MS);

    const pilot = (...args: string[]) =>
      hub.polaron(['pilot', '--time=10', '--slots=2', '--capability=cluster', '--json', ...args]);
    async function submitted(...args: string[]): Promise<{ readonly job: string; readonly agents: readonly string[] }> {
      const { exit, out, err } = await pilot(...args);
      expect({ exit, err }).toEqual({ exit: 0, err: '' });
      return parse('polaron pilot', readSubmitted, JSON.parse(out));
    }
    const gone = (job: string): Promise<void> =>
      until(
        async () => !(await slurm.command('squeue', '--noheader', '--Format=ArrayJobID:|')).includes(`${job}|`),
        `job ${job} to be over`,
        PATIENCE_MS,
      );
    const folderOf = (): string => {
      const root = join(hub.home, 'pilots');
      const [name = '', ...more] = readdirSync(root);
      expect(more).toEqual([]);
      return join(root, name);
    };

    it('run electrons that ask for what they offer, and end when nothing is left', async () => {
      const folder = mkdtempSync(join(hub.home, 'held-'));
      const [id, held] = [await dispatch(squaresOnCluster)(50), await dispatch(longOnCluster)(folder)];
      const { job, agents } = await submitted('--count=2', '--idle=2s', '--sbatch=mem=100', '--sbatch=comment=a b');
      expect(agents).toHaveLength(2);
      expect(await getValue(id)).toBe(40_425);
      await until(() => existsSync(join(folder, 'began')), 'the last electron to run', PATIENCE_MS);
      const there = JSON.stringify(await hub.json(['agents']));
      expect(agents.some((name) => there.includes(name))).toBe(true);
      // of the job, not of its node: 100 MiB are less than a tenth of a GiB
      const pilots = parse('polaron agents', readAgents, JSON.parse(there)).filter(({ name }) => agents.includes(name));
      for (const { capabilities } of pilots)
        expect(capabilities.filter((one) => /^(?:cpus|memory)=/.test(one))).toEqual(['cpus=1']);
      writeFileSync(join(folder, 'open'), '');
      expect(await getValue(held)).toBe('done');
      await gone(job);
      const said = await slurm.command(
        'squeue',
        '--noheader',
        '--array',
        '--states=all',
        `--jobs=${job}`,
        '--Format=State:|',
      );
      expect(said.trim().split('\n')).toEqual(['COMPLETED|', 'COMPLETED|']);
      expect(existsSync(join(folderOf(), '0', 'agent.yaml'))).toBe(false);
    });

    it('have their credentials in a file that only their user can read, and nowhere in Slurm', async () => {
      const { job } = await submitted();
      const file = join(folderOf(), '0', 'agent.yaml');
      expect(statSync(file).mode & 0o777).toBe(0o600);
      expect(statSync(join(folderOf(), '0')).mode & 0o777).toBe(0o700);
      const password = /bus: \S+?:\/\/[^:]+:([^@]+)@/.exec(readFileSync(file, 'utf8'))?.[1] ?? '';
      expect(password.length).toBeGreaterThan(16);
      const shown = await slurm.command('scontrol', 'show', 'job', job);
      const script = await slurm.command('scontrol', 'write', 'batch_script', `${job}_0`, '-');
      expect(script).toContain('agent.yaml');
      expect(shown + script).not.toContain(password);
      const kept = ['state', 'spool'].flatMap((name) => filesBelow(join(slurm.folder, name)));
      expect(kept.length).toBeGreaterThan(3);
      expect(kept.filter((path) => readFileSync(path).includes(password))).toEqual([]);
      await slurm.command('scancel', job);
      await gone(job);
    });

    it('let end what they run when their time comes, and the hub runs nothing twice', async () => {
      const { job, agents } = await submitted();
      const folder = mkdtempSync(join(hub.home, 'long-'));
      const id = await dispatch(longOnCluster)(folder);
      await until(() => existsSync(join(folder, 'began')), 'the electron to run', PATIENCE_MS);
      // as Slurm does it before the limit
      await slurm.command('scancel', '--batch', '--signal=TERM', `${job}_0`);
      await until(
        async () => JSON.stringify(await hub.json(['agents'])).includes('"draining"'),
        `${agents[0]} to drain`,
        PATIENCE_MS,
      );
      writeFileSync(join(folder, 'open'), '');
      expect(await getValue(id)).toBe('done');
      await gone(job);
      expect(readFileSync(join(folder, 'began'), 'utf8')).toBe('x');
    });

    it('are refused with the words of sbatch, and leave no credentials then', async () => {
      const { exit, out } = await pilot('--partition=nowhere');
      expect(exit).not.toBe(0);
      expect(out).toContain('SLURM_REFUSED');
      expect(out).toContain('Invalid partition name specified');
      expect((await pilot('--sbatch=array=1-9')).out).toContain("--array can't be set");
      expect(filesBelow(join(hub.home, 'pilots')).filter((path) => path.endsWith('agent.yaml'))).toEqual([]);
      const one = hub.file().bus.replace('://', '://a.local.box:secret@');
      expect((await pilot('--count=2', '--bus', one)).out).toContain('for one agent, box');
    });
  });
});

const readSubmitted = object((o) => ({ job: text(o, 'job'), agents: array(o, 'agents', 100, aText(100)) }));
const readAgent = object((o) => ({ name: text(o, 'name'), capabilities: array(o, 'capabilities', 100, aText(100)) }));
const readAgents = object((o) => array(o, 'agents', 100, readAgent));

const filesBelow = (folder: string): string[] =>
  readdirSync(folder, { withFileTypes: true, recursive: true }).flatMap((entry) =>
    entry.isFile() ? [join(entry.parentPath, entry.name)] : [],
  );

import { describe, expect, it } from 'vitest';
import { checkedOptions } from '../../../executors/job/options.ts';
import { jobScript } from '../../../executors/slurm/job-script.ts';
import { sbatchArgs } from '../../../executors/slurm/sbatch-args.ts';
import { slurmOptions, type SlurmOptions } from '../../../executors/slurm/slurm-options.ts';

const check = (options: Readonly<Record<string, unknown>>) => checkedOptions('slurm', slurmOptions, options);
async function good(options: Readonly<Record<string, unknown>>): Promise<SlurmOptions> {
  const checked = await check(options);
  if ('error' in checked) throw new Error(checked.error.message);
  return checked.value;
}
async function wrong(options: Readonly<Record<string, unknown>>): Promise<string> {
  const checked = await check(options);
  return 'error' in checked ? checked.error.message : 'none';
}
const args = async (options: Readonly<Record<string, unknown>>, memoryMb?: number) =>
  sbatchArgs({ name: 'polaron-1', options: await good(options), memoryMb, folder: '/shared/a%b' });

describe('options of slurm', () => {
  it('become options of sbatch', async () => {
    expect(
      await args({ partition: 'gpu', time: 90, cpusPerTask: 4, options: { exclusive: true, nice: 5, hold: false } }),
    ).toEqual([
      '--exclusive',
      '--nice=5',
      '--partition=gpu',
      '--time=90',
      '--cpus-per-task=4',
      '--job-name=polaron-1',
      '--chdir=/shared/a%b',
      '--output=/shared/a%%b/stdout',
      '--error=/shared/a%%b/stderr',
      '--open-mode=append',
      '--no-requeue',
      '--export=ALL',
      '--parsable',
    ]);
  });

  it('ask for the memory of the electron, unless they say how much, or by what', async () => {
    expect(await args({}, 512.5)).toContain('--mem=513');
    expect(await args({ mem: '4G' }, 512)).toContain('--mem=4G');
    const byCpu = await args({ options: { 'mem-per-cpu': '1G' } }, 512);
    expect(byCpu).toContain('--mem-per-cpu=1G');
    expect(byCpu.filter((arg) => arg.startsWith('--mem='))).toEqual([]);
  });

  it.each([
    ['an option that it does not have', { queue: 'gpu' }, 'option "queue" ("gpu"): executor slurm has no such option'],
    ['a second line', { partition: 'gpu\n#SBATCH --uid=0' }, 'expected a text of one line'],
    ['a time in words', { time: 'two hours' }, 'HH:MM:SS'],
    ['no number', { nodes: 0 }, 'a whole number'],
    ['memory with another unit', { mem: '4 GiB' }, 'K, M, G or T'],
    ['what has a place of its own', { options: { partition: 'gpu' } }, '"partition" has a place of its own'],
    ['what is no name of an option', { options: { '--wrap': 'id' } }, 'no long option of sbatch'],
    ['what the agent sets', { options: { output: '/etc/passwd' } }, "--output can't be set"],
    ['the beginning of what the agent sets', { options: { outp: '/etc/passwd' } }, "--output can't be set"],
    ['another array', { options: { array: '1-9' } }, "--array can't be set"],
    ['a command beside it', { options: { wrap: 'id' } }, "--wrap can't be set"],
    ['a second run', { options: { requeue: true } }, 'give the electron `retries`'],
    ['an object for a value', { options: { comment: {} } }, '--comment: expected a text'],
    ['a variable that is none', { variables: { 'A=B;C': '1' } }, 'no name of a variable'],
    ['a variable of the job', { variables: { SLURM_JOB_ID: '1' } }, 'it belongs to the job'],
    ['one command that is no list', { preRun: 'module load cuda' }, 'a list of commands'],
    ['a path that is none', { node: 'node' }, 'an absolute path'],
  ])('refuse %s', async (_what, options, said) => {
    expect(await wrong(options)).toContain(said);
  });

  it('leave nothing of what they say outside quotes in the script, but commands', async () => {
    const options = await good({ variables: { A: "it's; $(id)" }, preRun: ['module load x'], node: "/opt/no'de" });
    const script = jobScript({ options, folder: "/a'b", command: ['/node', '--x', "/a'b"] });
    expect(script.split('\n')).toEqual([
      '#!/bin/bash',
      `cd -P -- '/a'\\''b' || exit 1`,
      'polaron_folder=$PWD',
      `export A='it'\\''s; $(id)'`,
      '{',
      'module load x',
      expect.stringContaining('} || {'),
      `exec '/opt/no'\\''de' '--x' "$polaron_folder"`,
      '',
    ]);
  });
});

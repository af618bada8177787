/** Records of Slurm's arrays on a real disk: what is kept of them, for how long. */
import { mkdirSync, mkdtempSync, readdirSync, renameSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { ArrayRecords, type ArrayJob } from '../../../executors/slurm/array-records.ts';

it('go while the agent runs, a while after the last of their jobs, and no others', () => {
  const dir = mkdtempSync(join(tmpdir(), 'polaron-arrays-'));
  const root = join(dir, 'arrays');
  const job = (name: string): ArrayJob => {
    const folder = join(dir, name);
    mkdirSync(folder, { recursive: true });
    return { name, folder };
  };
  const records = new ArrayRecords(root);
  const [over, again, lives] = [job('over'), job('again'), job('lives')];
  records.write('first', [over, again]);
  records.write('second', [again, lives]);
  const looks = (count: number): void => {
    for (let i = 0; i < count; i++) records.look();
  };
  looks(20);
  expect(readdirSync(root)).toEqual(['first', 'second']);
  for (const { folder } of [over, again]) rmSync(folder, { recursive: true });
  looks(5);
  expect(records.of('over')).toEqual([{ array: 'first', index: 0 }]);
  looks(10);
  expect(readdirSync(root)).toEqual(['second']);
  expect(records.of('over')).toEqual([]);
  // where another array has it, too
  expect(records.of('again')).toEqual([{ array: 'second', index: 0 }]);
  rmSync(lives.folder, { recursive: true });
  new ArrayRecords(root).clean();
  expect(readdirSync(root)).toEqual([]);
  rmSync(dir, { recursive: true });
});

it('stay while the disk with the jobs is away, and go when it is back without them', () => {
  const dir = mkdtempSync(join(tmpdir(), 'polaron-arrays-'));
  const share = join(dir, 'share');
  const folder = join(share, 'job');
  mkdirSync(folder, { recursive: true });
  const records = new ArrayRecords(join(dir, 'arrays'));
  records.write('one', [{ name: 'job', folder }]);
  renameSync(share, join(dir, 'away'));
  for (let i = 0; i < 30; i++) records.look();
  expect(records.of('job')).toEqual([{ array: 'one', index: 0 }]);
  renameSync(join(dir, 'away'), share);
  rmSync(folder, { recursive: true });
  for (let i = 0; i < 30; i++) records.look();
  expect(records.of('job')).toEqual([]);
  rmSync(dir, { recursive: true });
});

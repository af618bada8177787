/** Who a pid is, and that a signal never goes to another process that got it. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { expect, test } from 'vitest';
import { killGroupOf, listProcesses, processInfo, startTimeOf } from '../../../executors/process/process-table.ts';
import { until } from '../../support/until.ts';

/** A process that leads a group of its own and starts one member of it; `leaves`: it ends then. */
async function leader(
  leaves: boolean,
): Promise<{ readonly pid: number; readonly start: string; readonly member: number }> {
  const child = spawn(
    '/bin/sh',
    ['-c', 'sleep 60 & echo $!; read line; [ "$0" = leaves ] || wait', leaves ? 'leaves' : 'stays'],
    {
      detached: true,
      stdio: ['pipe', 'pipe', 'ignore'],
    },
  );
  const [said]: unknown[] = await once(child.stdout, 'data');
  const pid = child.pid ?? 0;
  const start = startTimeOf(pid) ?? '';
  child.stdin.end('\n');
  if (leaves) await once(child, 'exit');
  return { pid, start, member: Number(String(said)) };
}

test('a process is found alone and in the list, and not when it is a number that none has', () => {
  const me = processInfo(process.pid);
  expect(me).toMatchObject({ pid: process.pid, parent: process.ppid });
  expect(me?.startTime).toMatch(/^\S+$/);
  expect(listProcesses()).toContainEqual(me);
  for (const none of [0, -1, 1.5, Number.NaN, 2 ** 30]) expect(processInfo(none)).toBeUndefined();
});

test('a group is killed with the start time of its leader, and not with another', async () => {
  const { pid, start, member } = await leader(false);
  expect(killGroupOf(pid, `9${start}`)).toBe(false);
  expect(processInfo(member)).toMatchObject({ parent: pid, group: pid });
  expect(killGroupOf(pid, start)).toBe(true);
  await until(() => processInfo(member) === undefined, 'the member is gone');
});

test.runIf(process.platform === 'linux')(
  'members that outlived their leader are killed, but not for one that began later or at another boot',
  async () => {
    const { pid, start, member } = await leader(true);
    expect(startTimeOf(pid)).toBeUndefined();
    expect(killGroupOf(pid, `9${start}`)).toBe(false);
    expect(killGroupOf(pid, start.replace(/@.*/, '@another-boot'))).toBe(false);
    expect(processInfo(member)?.group).toBe(pid);
    expect(killGroupOf(pid, start)).toBe(true);
    await until(() => processInfo(member) === undefined, 'the member is gone');
  },
);

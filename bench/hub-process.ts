/** What the kernel tells of a hub's process, and a collection of its garbage from outside. Not responsible for starting it. */
import { existsSync, readFileSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';

/** What the kernel counts a process's time in, 1/s: fixed for programs on Linux. */
const TICKS = 100;
const COLLECT_MS = 30_000;

/** For a process that collects its garbage when it is told to. */
export const collectableEnvironment: NodeJS.ProcessEnv = {
  NODE_OPTIONS: `--expose-gc --require=${fileURLToPath(new URL('./collect-garbage.cjs', import.meta.url))}`,
};

/** Anonymous memory, MiB. Undefined where /proc isn't. */
export const rssAnonMiB = (pid: number): number | undefined => statusMiB(pid, 'RssAnon');

/** The most memory that it ever held, MiB. Undefined where /proc isn't. */
export const peakMiB = (pid: number): number | undefined => statusMiB(pid, 'VmHWM');

function statusMiB(pid: number, row: 'RssAnon' | 'VmHWM'): number | undefined {
  const file = `/proc/${pid}/status`;
  if (!existsSync(file)) return undefined;
  const kilobytes = new RegExp(String.raw`^${row}:\s+(\d+) kB`, 'm').exec(readFileSync(file, 'utf8'))?.[1];
  return kilobytes === undefined ? undefined : Number(kilobytes) / 1_024;
}

/** User and system time of all its threads. Undefined where /proc isn't. */
export function cpuSeconds(pid: number): number | undefined {
  const file = `/proc/${pid}/stat`;
  if (!existsSync(file)) return undefined;
  // After the name, which may hold anything: the state comes first, the two times are the 12th and the 13th.
  const fields = readFileSync(file, 'utf8').split(') ').at(-1)?.split(' ') ?? [];
  return (Number(fields[11]) + Number(fields[12])) / TICKS;
}

/** Anonymous memory once its garbage is collected, MiB. Raises Error when that takes 30 s. */
export async function settledMiB(home: string, pid: number): Promise<number> {
  const word = join(home, 'collected');
  await rm(word, { force: true });
  process.kill(pid, 'SIGUSR2');
  for (const began = performance.now(); !existsSync(word); await sleep(20))
    if (performance.now() - began > COLLECT_MS) throw new Error('the hub did not collect its garbage within 30 s');
  return rssAnonMiB(pid) ?? Number.NaN;
}

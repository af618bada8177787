/** An electron that leaves processes of every kind behind it, and says which. */
import { spawn } from 'node:child_process';
import { appendFileSync } from 'node:fs';
import { context, electron, lattice } from 'polaron';

/** Its own process, a child, a detached one with a child of its own, and (in its first attempt) a loop that hears no signal. */
export const harbour = electron(function harbour(folder: string): number {
  if (context().attempt > 1) return context().attempt;
  const child = spawn('sleep', ['600'], { stdio: 'ignore' });
  const detached = spawn('sh', ['-c', 'sleep 600 & wait'], { stdio: 'ignore', detached: true });
  detached.unref();
  appendFileSync(`${folder}/notes`, `pids ${process.pid} ${child.pid} ${detached.pid}\n`);
  for (;;);
});
export const harboured = lattice(function harboured(folder: string) {
  return harbour(folder);
});

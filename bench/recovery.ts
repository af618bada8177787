/**
 * How long after a SIGKILL of the hub are 100,000 open electrons back in service? Once in one wide lattice, once in 10,000 dispatches of 10 each, with a
 * living agent that the restarted hub adopts. In service: `polaron start` has returned, and electrons that were open before the kill run again. The
 * electrons themselves say so, with a byte each in a file outside Polaron.
 */
import { mkdtempSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { dispatch } from 'polaron';
import type { Answer, Bed, Question } from './question.ts';
import { stampedTimes } from './stamps.ts';
import { tidy } from './statistics.ts';

const open = 100_000;
const manyDispatches = 10_000;
const limit = { atMost: 5_000 };
const oneGoal = { what: 'in service again, in one lattice, ms', limit };
const manyGoal = { what: `in service again, in ${manyDispatches} dispatches, ms`, limit };
/** More than an agent had before the kill: some were given out by the restarted hub. */
const newlyRun = 20;
const patienceMs = 120_000;

interface RecoveryFigure {
  readonly dispatches: number;
  readonly electrons: number;
  /** From the call of `polaron start` to its return. */
  readonly startMs: number;
  /** From the same moment until enough of the open electrons ran. */
  readonly inServiceMs: number;
  /** Anonymous memory of the hub then, MiB; undefined where /proc isn't. */
  readonly memoryMiB: number | undefined;
}

export const recovery: Question = {
  id: 'recovery',
  asks: `a killed hub with ${open} open electrons, until it serves them again`,
  bus: 'each',
  goals: [oneGoal, manyGoal],
  notMeasured: ['agents that can’t be reached, a cold disk cache'],
  async measure(bed): Promise<Answer> {
    const one = await recover(bed, 1, open);
    const many = await recover(bed, manyDispatches, open / manyDispatches);
    return {
      figures: { oneLattice: one, manyDispatches: many },
      got: { [oneGoal.what]: one.inServiceMs, [manyGoal.what]: many.inServiceMs },
      text: `${one.inServiceMs} ms in one lattice, ${many.inServiceMs} ms in ${manyDispatches} dispatches`,
    };
  },
};

async function recover(bed: Bed, dispatches: number, electrons: number): Promise<RecoveryFigure> {
  const hub = await bed.freshHub({ agents: 1 });
  const file = join(mkdtempSync(join(hub.home, 'stamps-')), 'stamps');
  writeFileSync(file, '');
  await submitAll(dispatches, file, electrons);
  await grown(file, 0);
  process.kill(hub.pid, 'SIGKILL');
  const before = statSync(file).size;
  const began = performance.now();
  const again = await hub.startAgain();
  const startMs = performance.now() - began;
  await grown(file, Math.max(before, statSync(file).size));
  const inServiceMs = performance.now() - began;
  const memory = again.rssAnonMiB();
  await again.stop();
  return {
    dispatches,
    electrons: dispatches * electrons,
    startMs: tidy(startMs),
    inServiceMs: tidy(inServiceMs),
    memoryMiB: memory === undefined ? undefined : tidy(memory),
  };
}

async function submitAll(dispatches: number, file: string, electrons: number): Promise<void> {
  let left = dispatches;
  const submit = async (): Promise<void> => {
    while (left-- > 0) await dispatch(stampedTimes)(file, electrons);
  };
  await Promise.all(Array.from({ length: Math.min(dispatches, 200) }, submit));
}

/** Waits until so many more electrons have run. Raises Error when that takes two minutes. */
async function grown(file: string, from: number): Promise<void> {
  for (const began = performance.now(); statSync(file).size < from + newlyRun; await sleep(10)) {
    if (performance.now() - began > patienceMs) throw new Error('no electron ran for two minutes');
  }
}

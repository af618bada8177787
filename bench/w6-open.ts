/**
 * W6: what does an open dispatch cost that nothing can be done for? 100,000 of one electron each wait for an agent that isn't there: how fast they are taken
 * in, how much anonymous memory of the hub each takes (after a garbage collection), how fast others run from dispatch to value beside them, 1,000 in flight,
 * and how fast they themselves run when their agent joins. One run.
 */
import { dispatch, getValue, lattice, type DispatchId } from 'polaron';
import type { BenchHub } from './hub.ts';
import { forLate, noop } from './noop.ts';
import type { Answer, Bed, Question } from './question.ts';
import { tidy } from './statistics.ts';
import { check } from './workload.ts';

const size = 100_000;
const inFlight = 1_000;
const beside = 20_000;
const single = lattice(function single(value: number) {
  return noop(value);
});
const waiting = lattice(function waiting(value: number) {
  return forLate(value);
});

const memoryGoal = { what: 'RssAnon of an open dispatch, bytes', limit: { atMost: 4 * 1_024 } };
// No slower: two runs of one thing differ by a tenth.
const besideGoal = { what: 'dispatches/s beside the open ones ÷ without them', limit: { atLeast: 0.9 } };
const drainGoal = { what: 'dispatches/s of the open ones ÷ without them', limit: { atLeast: 0.9 } };
const sizeGoal = { what: 'open dispatches', limit: { atLeast: size } };

export const w6: Question = {
  id: 'W6',
  asks: `${size} dispatches of one electron, open at once`,
  bus: 'each',
  goals: [memoryGoal, besideGoal, drainGoal, sizeGoal],
  notMeasured: ['open dispatches of larger graphs, and a restart of the hub with all of them open'],
  measure,
};

/** Raises Error where the kernel doesn't tell a process's memory (no /proc). */
async function measure(bed: Bed): Promise<Answer> {
  const dispatches = Math.min(size, bed.most ?? size);
  const hub = await bed.freshHub({ collectable: true });
  if (hub.rssAnonMiB() === undefined) throw new Error('no /proc here: the memory of a process can’t be read');
  await toValues(beside);
  const alone = await timed(hub, beside, () => toValues(beside));
  const before = await hub.settledMiB();
  const ids: DispatchId<number>[] = [];
  const submitted = await timed(hub, dispatches, () =>
    together(dispatches, async (i) => {
      ids[i] = await dispatch(waiting)(i);
    }),
  );
  const bytesEach = (((await hub.settledMiB()) - before) * 2 ** 20) / dispatches;
  const valueOf = async (i: number): Promise<void> => {
    const id = ids[i];
    if (id !== undefined) check(await getValue(id), i);
  };
  // Collecting everything throws compiled code away, too: as warm as it was without them.
  await toValues(beside);
  const besideThem = await timed(hub, beside, () => toValues(beside));
  await hub.join('late', hub.slotsOfEach, ['late']);
  const marks: number[] = [performance.now()];
  const drained = await timed(hub, dispatches, async () => {
    for (let tenth = 1; tenth <= 10; tenth++) {
      await valueOf(Math.floor((dispatches * tenth) / 10) - 1);
      marks.push(performance.now());
    }
  });
  await together(dispatches, valueOf);
  const figures = {
    dispatches,
    bytesEach: tidy(bytesEach),
    // Per second; and µs of the hub's process for each, all its threads.
    submitted,
    alone,
    beside: besideThem,
    drained,
    drainedTenths: marks.slice(1).map((at, i) => tidy((dispatches * 100) / (at - (marks[i] ?? 0)))),
  };
  return {
    figures,
    got: {
      [memoryGoal.what]: bytesEach,
      [besideGoal.what]: besideThem.perSecond / alone.perSecond,
      [drainGoal.what]: drained.perSecond / alone.perSecond,
      [sizeGoal.what]: dispatches,
    },
    text: `${figures.bytesEach} bytes each; taken in at ${submitted.perSecond}/s; to values ${alone.perSecond}/s without them, ${besideThem.perSecond}/s beside them, ${drained.perSecond}/s themselves`,
  };
}

const toValues = (count: number): Promise<void> =>
  together(count, async (i) => check(await getValue(await dispatch(single)(i)), i));

/** Does it `count` times, so many at once. */
async function together(count: number, work: (i: number) => Promise<void>): Promise<void> {
  let next = 0;
  const worker = async (): Promise<void> => {
    while (next < count) await work(next++);
  };
  await Promise.all(Array.from({ length: Math.min(count, inFlight) }, worker));
}

async function timed(
  hub: BenchHub,
  count: number,
  work: () => Promise<void>,
): Promise<{ readonly perSecond: number; readonly cpuUs: number }> {
  const [cpu, began] = [hub.cpuSeconds() ?? 0, performance.now()];
  await work();
  const seconds = (performance.now() - began) / 1_000;
  return { perSecond: tidy(count / seconds), cpuUs: tidy((((hub.cpuSeconds() ?? 0) - cpu) * 1e6) / count) };
}

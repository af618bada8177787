/**
 * How long from the call of `polaron start --detach` to its return: bus up, hub accepts dispatches, its agent has joined? Once on empty data, then on data that is there.
 * The command's own start (a Node process) is included.
 */
import type { Answer, Bed, Question } from './question.ts';
import { summary } from './statistics.ts';

const limit = { atMost: 1_000 };
const emptyGoal = { what: '`polaron start` on empty data, ms', limit };
const restartGoal = { what: '`polaron start` on data that is there, ms', limit };

export const start: Question = {
  id: 'start',
  asks: 'from `polaron start` until the hub is ready',
  bus: 'each',
  goals: [emptyGoal, restartGoal],
  notMeasured: ['a cold disk cache, recovery of unfinished dispatches'],
  measure,
};

async function measure(bed: Bed): Promise<Answer> {
  const empty: number[] = [];
  const restart: number[] = [];
  for (let run = 0; run < bed.runs; run++) {
    const hub = await bed.freshHub({ agents: 1 });
    empty.push(hub.startMs);
    const again = await hub.restart();
    restart.push(again.startMs);
    await again.stop();
  }
  const [emptyMs, restartMs] = [summary(empty), summary(restart)];
  return {
    figures: { emptyMs, restartMs },
    got: { [emptyGoal.what]: emptyMs.median, [restartGoal.what]: restartMs.median },
    text: `${emptyMs.median} ms (${emptyMs.min}–${emptyMs.max}) on empty data, ${restartMs.median} ms (${restartMs.min}–${restartMs.max}) again`,
  };
}

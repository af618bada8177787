/**
 * How long from the call of `polaron start --detach` to its return: bus up, hub accepts dispatches, its agent has joined? Once on empty data, then on data that is there.
 * The command's own start (a Node process) is included. Not measured: a cold disk cache, recovery of unfinished dispatches.
 */
import { startHub } from './hub.ts';
import { summary, type Summary } from './statistics.ts';

const limitMs = 1_000;

export interface StartFigures {
  readonly emptyMs: Summary;
  readonly restartMs: Summary;
  readonly limitMs: number;
  readonly met: boolean;
}

export async function measureStart(runs: number, bus?: string): Promise<StartFigures> {
  const empty: number[] = [];
  const restart: number[] = [];
  for (let run = 0; run < runs; run++) {
    const hub = await startHub(bus);
    empty.push(hub.startMs);
    const again = await hub.restart();
    restart.push(again.startMs);
    await again.stop();
  }
  const [emptyMs, restartMs] = [summary(empty), summary(restart)];
  return { emptyMs, restartMs, limitMs, met: emptyMs.median <= limitMs && restartMs.median <= limitMs };
}

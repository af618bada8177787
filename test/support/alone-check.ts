/** Did what must run alone do so? Reads the ticks of executions: `RUN MICROSECONDS` a line. */
import { existsSync, readFileSync } from 'node:fs';

export interface Alone {
  readonly executions: number;
  /** One line for each pair that ran at once. */
  readonly overlaps: readonly string[];
}

/** From an execution's first tick to its last it certainly ran. */
export function checkAlone(file: string): Alone {
  if (!existsSync(file)) return { executions: 0, overlaps: [] };
  const runs = new Map<string, { first: number; last: number }>();
  for (const line of readFileSync(file, 'utf8').trim().split('\n')) {
    const [run = '', at] = line.split(' ');
    const tick = Number(at);
    const known = runs.get(run);
    if (known === undefined) runs.set(run, { first: tick, last: tick });
    else known.last = Math.max(known.last, tick);
  }
  const sorted = [...runs].sort(([, a], [, b]) => a.first - b.first);
  const overlaps: string[] = [];
  let before: (typeof sorted)[number] | undefined;
  for (const one of sorted) {
    if (before !== undefined && one[1].first < before[1].last)
      overlaps.push(`${before[0]} ran until ${before[1].last} µs, ${one[0]} from ${one[1].first} µs`);
    if (before === undefined || one[1].last > before[1].last) before = one;
  }
  return { executions: runs.size, overlaps };
}

/** Did what must run alone do so? Reads the ticks of executions: `GROUP RUN MICROSECONDS` a line; within a group nothing may run at once. */
import { existsSync, readFileSync } from 'node:fs';

export interface Alone {
  readonly executions: number;
  /** One line for each pair that ran at once. */
  readonly overlaps: readonly string[];
}

/** From an execution's first tick to its last it certainly ran. */
export function checkAlone(file: string): Alone {
  if (!existsSync(file)) return { executions: 0, overlaps: [] };
  const groups = new Map<string, Map<string, Span>>();
  for (const line of readFileSync(file, 'utf8').trim().split('\n')) {
    const [group = '', run = '', at] = line.split(' ');
    const tick = Number(at);
    const runs = groups.get(group) ?? new Map<string, Span>();
    groups.set(group, runs);
    const known = runs.get(run);
    if (known === undefined) runs.set(run, { run, first: tick, last: tick });
    else known.last = Math.max(known.last, tick);
  }
  const spans = [...groups.values()].map((runs) => [...runs.values()]);
  return { executions: spans.flat().length, overlaps: spans.flatMap(overlapsOf) };
}

interface Span {
  readonly run: string;
  readonly first: number;
  last: number;
}

function overlapsOf(spans: readonly Span[]): readonly string[] {
  const overlaps: string[] = [];
  let before: Span | undefined;
  for (const span of spans.toSorted((a, b) => a.first - b.first)) {
    if (before !== undefined && span.first < before.last)
      overlaps.push(`${before.run} ran until ${before.last} µs, ${span.run} from ${span.first} µs`);
    if (before === undefined || span.last > before.last) before = span;
  }
  return overlaps;
}

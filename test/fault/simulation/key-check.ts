/** The promise `keys`: who ran at the same time, in true time, among those who must not. */
import type { AttemptLog } from './attempts.ts';
import { show } from './attempts.ts';
import type { Logged } from './history.ts';
import type { Broken } from './promise.ts';
import type { RunCheck } from './run-check.ts';

interface Span {
  readonly attempt: AttemptLog;
  readonly from: number;
  /** Not included. */
  readonly to: number;
  readonly limit: number;
}

export function checkKeys({ plan, does, entries, attempts }: RunCheck): readonly Broken[] {
  const broken: Broken[] = [];
  const byKey = new Map<string, Span[]>();
  const heard = heardOf(entries);
  for (const all of attempts.values())
    for (const attempt of all) {
      const { concurrency, exclusive } = does.get(attempt.name) ?? {};
      const over = attempt.overAt ?? Number.POSITIVE_INFINITY;
      const end = exclusive === true ? over : Math.min(over, leaseEnd(attempt, heard, plan.leaseMs));
      const add = (key: string, limit: number): void => {
        const spans = byKey.get(key) ?? [];
        byKey.set(key, spans);
        spans.push({ attempt, from: attempt.begunAt, to: end, limit });
      };
      if (exclusive === true) add(`the attempts of ${attempt.task}`, 1);
      if (concurrency !== undefined) add(`key ${concurrency.key}`, concurrency.limit);
    }
  for (const [key, spans] of byKey)
    for (const span of spans) {
      const together = spans.filter((other) => other.from <= span.from && span.from < other.to);
      const lowest = Math.min(...together.map(({ limit }) => limit));
      if (together.length > lowest) broken.push({ promise: 'keys', what: `${key}: ${together.map(told).join('; ')}` });
    }
  return broken;
}

const told = ({ attempt, from, to }: Span): string =>
  `${attempt.task} [${show(attempt.token)}] on ${attempt.agent} from ${Math.round(from)} to ${Math.round(to)}`;

/** When some hub heard a sync of each agent. */
function heardOf(entries: readonly Logged[]): ReadonlyMap<string, readonly number[]> {
  const heard = new Map<string, number[]>();
  for (const entry of entries) {
    if (entry.type !== 'sync') continue;
    const client = entry.life.slice(0, entry.life.indexOf('#'));
    const times = heard.get(client) ?? [];
    heard.set(client, times);
    times.push(entry.at);
  }
  return heard;
}

/** From then on the hub needn't count it: it had heard nothing of its agent for a lease. */
function leaseEnd(attempt: AttemptLog, heard: ReadonlyMap<string, readonly number[]>, leaseMs: number): number {
  let last = Number.NEGATIVE_INFINITY;
  for (const at of heard.get(attempt.agent) ?? []) {
    if (at > attempt.begunAt && at - last >= leaseMs) break;
    last = at;
  }
  return last + leaseMs;
}

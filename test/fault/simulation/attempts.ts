/** The executors' log by attempt: who ran what, and how it ended. Read from the history; judges nothing. */
import { olderToken, sameToken, type Token } from '../../../model/outcome.ts';
import type { Logged } from './history.ts';

export interface AttemptLog {
  readonly task: string;
  readonly token: Token;
  readonly name: string;
  readonly agent: string;
  readonly life: string;
  readonly begunAt: number;
  overAt: number | undefined;
  how: 'completed' | 'failed' | 'cancelled' | 'killed' | undefined;
  /** The error's name, or its code when it has none. */
  code: string | undefined;
  /** Its agent was told. */
  heard: boolean;
}

/** By task, in the order in which they began. */
export function attemptsOf(entries: readonly Logged[]): ReadonlyMap<string, readonly AttemptLog[]> {
  const found = new Map<string, AttemptLog[]>();
  for (const entry of entries) {
    if (entry.type === 'begun') {
      const { task, token, name, agent, life, at } = entry;
      const list = found.get(task) ?? [];
      list.push({
        task,
        token,
        name,
        agent,
        life,
        begunAt: at,
        overAt: undefined,
        how: undefined,
        code: undefined,
        heard: false,
      });
      found.set(task, list);
    } else if (entry.type === 'over') {
      const attempt = found
        .get(entry.task)
        ?.findLast((one) => one.life === entry.life && sameToken(one.token, entry.token));
      if (attempt === undefined) continue;
      attempt.overAt = entry.at;
      attempt.how = entry.how;
      attempt.code = entry.code;
      attempt.heard = entry.heard;
    }
  }
  return found;
}

/** For people, and as a key. */
export const show = (token: readonly number[] | undefined): string => token?.join() ?? '';

/** The one with the highest token below this one's. */
export function predecessorOf(attempt: AttemptLog, all: readonly AttemptLog[]): AttemptLog | undefined {
  let best: AttemptLog | undefined;
  for (const one of all)
    if (olderToken(one.token, attempt.token) && (best === undefined || olderToken(best.token, one.token))) best = one;
  return best;
}

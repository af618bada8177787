/** Keeps what is worth telling only when it lasts. Not here: what is told. */
import type { Clock } from '../model/clock.ts';
import type { Lingering, Moment } from './services.ts';

/** It waits for one to two of these. */
const LINGER_MS = 100;
/** More waiting ones are told at once: the wait must not hold memory. */
const MOST_LINGERING = 10_000;

/** What waits is told after one to two of LINGER_MS. */
export function makeMoment(clock: Clock): Moment {
  /** What has waited since before the last tick, and what came after it. */
  let older = new Set<Lingering>();
  let newer = new Set<Lingering>();
  let planned = false;

  const tick = (): void => {
    const due = older;
    older = newer;
    newer = new Set();
    planned = older.size > 0;
    if (planned) clock.after(LINGER_MS, tick);
    for (const one of due) one.tell();
  };
  return {
    wait: (one) => {
      if (older.size + newer.size >= MOST_LINGERING) {
        one.tell();
        return;
      }
      newer.add(one);
      if (!planned) clock.after(LINGER_MS, tick);
      planned = true;
    },
    forget: (one) => void (newer.delete(one) || older.delete(one)),
    end: () => {
      const due = [...older, ...newer];
      older.clear();
      newer.clear();
      for (const one of due) one.tell();
    },
  };
}

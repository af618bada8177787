/** An attempt that an executor refuses to begin: it ends with the reason, in the next turn. */
import type { Clock } from '../model/clock.ts';
import type { ErrorInfo } from '../model/outcome.ts';
import type { ExecutorEvents, ExecutorHandle } from './executor.ts';

/** Never runs. */
export function refuse(clock: Clock, events: ExecutorEvents, error: ErrorInfo): ExecutorHandle {
  const now = clock.now();
  let over = false;
  queueMicrotask(() => {
    if (over) return;
    over = true;
    events.ended({ status: 'failed', error, usage: { startedAt: now, endedAt: now } });
  });
  return {
    runningSince: () => 0,
    cancel: () => undefined,
    revoke: () => (over ? false : (over = true)),
    forget: () => {
      over = true;
    },
  };
}

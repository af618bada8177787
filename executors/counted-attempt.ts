/** An attempt with somebody who has to know when it is over, however it ends: he counts what is open. */
import type { ExecutorEvents, ExecutorHandle } from './executor.ts';

/** `over` is called once: when it has ended, was taken back, forgotten or left. */
export function counted(
  events: ExecutorEvents,
  over: () => void,
  begin: (events: ExecutorEvents) => ExecutorHandle,
): ExecutorHandle {
  let open = true;
  const close = (): void => {
    if (!open) return;
    open = false;
    over();
  };
  const handle = begin({
    log: (stream, text) => events.log(stream, text),
    progress: (fraction, note) => events.progress(fraction, note),
    ended: (outcome, file) => {
      close();
      events.ended(outcome, file);
    },
  });
  return {
    runningSince: () => handle.runningSince(),
    logs: () => handle.logs?.(),
    cancel: (reason) => handle.cancel(reason),
    revoke: () => {
      const revoked = handle.revoke();
      if (revoked) close();
      return revoked;
    },
    forget: (atOnce) => {
      close();
      handle.forget(atOnce);
    },
    leave: () => {
      const left = handle.leave?.() === true;
      if (left) close();
      return left;
    },
  };
}

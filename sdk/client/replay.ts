/**
 * Past events of a dispatch, rebuilt from its records: what `watch` yields from the start and after a gap.
 * Each electron gives its last durable transition; those before it were overwritten. Pure. Not here: asking (watch.ts).
 */
import type { DispatchDetail, ElectronView } from '../../bus/protocol/api.ts';
import { isTerminalDispatch, type ElectronStatus } from '../../model/lifecycle.ts';
import type { DispatchEvent } from '../types.ts';

/** Statuses that have an event of their own (bus/protocol/api.ts, `eventTypes`); `reused` is a completion. */
const eventOf: Readonly<Partial<Record<ElectronStatus, string>>> = {
  assigned: 'electron.assigned',
  running: 'electron.running',
  retrying: 'electron.retrying',
  completed: 'electron.completed',
  reused: 'electron.completed',
  failed: 'electron.failed',
  cancelled: 'electron.cancelled',
  skipped: 'electron.skipped',
};

/** What came before any electron's event. */
export function openingEvents(dispatch: DispatchDetail): DispatchEvent[] {
  const events = [event(0, dispatch.acceptedAt, 'dispatch.accepted')];
  if (dispatch.startedAt !== undefined) events.push(event(0, dispatch.startedAt, 'dispatch.started'));
  return events;
}

/** Transitions with `after` < seq <= the snapshot's, in order. A later one comes by itself: it was published after the subscription stood. */
export function electronEvents(
  dispatch: DispatchDetail,
  electrons: readonly ElectronView[],
  after: number,
): DispatchEvent[] {
  const events: DispatchEvent[] = [];
  for (const electron of electrons) {
    const type = eventOf[electron.status];
    if (type === undefined || electron.seq <= after || electron.seq > dispatch.seq) continue;
    const at = electron.endedAt ?? electron.startedAt ?? dispatch.startedAt ?? dispatch.acceptedAt;
    events.push({ ...event(electron.seq, at, type), electron: electron.name, node: electron.id, ...factsOf(electron) });
  }
  return events.sort((a, b) => a.seq - b.seq);
}

/** The last event, when the dispatch has ended. */
export function closingEvent(dispatch: DispatchDetail): DispatchEvent | undefined {
  if (!isTerminalDispatch(dispatch.status)) return undefined;
  const last = event(dispatch.seq, dispatch.endedAt ?? dispatch.acceptedAt, `dispatch.${dispatch.status}`);
  return dispatch.error === undefined ? last : { ...last, data: { error: dispatch.error } };
}

const closing: ReadonlySet<string> = new Set(['dispatch.completed', 'dispatch.failed', 'dispatch.cancelled']);
/** Is it the last event of a dispatch? */
export const isClosing = (type: string): boolean => closing.has(type);

const event = (seq: number, at: number, type: string): DispatchEvent => ({ seq, at: new Date(at), type });

function factsOf(electron: ElectronView): { readonly data?: unknown } {
  const data = {
    ...(electron.agent === undefined ? {} : { agent: electron.agent }),
    ...(electron.attempts === 0 ? {} : { attempt: electron.attempts }),
    ...(electron.error === undefined ? {} : { error: electron.error }),
    ...(electron.cause === undefined ? {} : { cause: electron.cause }),
  };
  return Object.keys(data).length === 0 ? {} : { data };
}

/** What a test with faults did, in one line of counts. */
import type { Account } from '../fault/chaos/account.ts';
import type { Verdict } from '../fault/chaos/check.ts';

export function countsLine({ stored, executions, events }: Account, { repeats, violations }: Verdict): string {
  const again = Object.entries(repeats).filter(([, count]) => count > 0);
  const committed = [...stored.electrons.values()].filter(({ status }) => status === 'completed').length;
  const ends = events.filter(({ type, transient }) => type === 'electron.completed' && !transient).length;
  const causes =
    again.length === 0 ? 'none again' : `again: ${again.map(([cause, count]) => `${cause} ${count}`).join(', ')}`;
  return `${stored.dispatches.size} dispatches, ${stored.electrons.size} electrons, ${executions.length} executions (${causes}), ${committed} commits (${ends} told), ${events.length} events, ${violations.length} promises broken`;
}

/**
 * The lifecycle of an electron: the only definition, and the only thing that changes an electron's status.
 * It is written with XState; `nextStatus` interprets a table derived from it at start-up (an XState actor per electron costs some 300 times as much,
 * see docs/adr/003-electron-machine.md). test/actors/machine.test.ts holds both equal for every state and event.
 * Guards live outside: whoever sends `attempt.failed` or `attempt.retry` has decided which it is.
 */
import { setup } from 'xstate';
import { electronStatuses, isElectronStatus, type ElectronStatus } from '../model/lifecycle.ts';

export const lifecycleEvents = [
  'inputs.ready',
  'attempt.assigned',
  'attempt.started',
  'attempt.lost',
  'attempt.completed',
  'attempt.failed',
  'attempt.retry',
  'backoff.elapsed',
  'electron.cancel',
  'attempt.stopped',
  'electron.skip',
  'electron.reuse',
  'electron.fail',
  'inner.begun',
  'inner.completed',
  'inner.failed',
] as const;
export type LifecycleEvent = (typeof lifecycleEvents)[number];

export const electronMachine = setup({
  // oxlint-disable-next-line typescript/consistent-type-assertions, typescript/no-unsafe-type-assertion -- how XState takes types
  types: { events: {} as { readonly type: LifecycleEvent } },
}).createMachine({
  id: 'electron',
  initial: 'waiting',
  states: {
    waiting: {
      on: {
        'inputs.ready': 'ready',
        'electron.skip': 'skipped',
        'electron.cancel': 'cancelled',
        'electron.reuse': 'reused',
      },
    },
    ready: {
      on: {
        'attempt.assigned': 'assigned',
        'inner.begun': 'running',
        'electron.fail': 'failed',
        'electron.skip': 'skipped',
        'electron.cancel': 'cancelled',
      },
    },
    assigned: {
      on: {
        'attempt.started': 'running',
        'attempt.lost': 'ready',
        'attempt.completed': 'completed',
        'attempt.failed': 'failed',
        'attempt.retry': 'retrying',
        'electron.cancel': 'cancelling',
      },
    },
    running: {
      on: {
        'attempt.lost': 'ready',
        'attempt.completed': 'completed',
        'attempt.failed': 'failed',
        'attempt.retry': 'retrying',
        'electron.cancel': 'cancelling',
        'inner.completed': 'completed',
        'inner.failed': 'failed',
      },
    },
    retrying: { on: { 'backoff.elapsed': 'ready', 'electron.fail': 'failed', 'electron.cancel': 'cancelled' } },
    cancelling: { on: { 'attempt.stopped': 'cancelled' } },
    completed: { type: 'final' },
    failed: { type: 'final' },
    cancelled: { type: 'final' },
    skipped: { type: 'final' },
    reused: { type: 'final' },
  },
});

type Table = ReadonlyMap<ElectronStatus, ReadonlyMap<string, ElectronStatus>>;

function derive(): Table {
  const table = new Map<ElectronStatus, Map<string, ElectronStatus>>();
  for (const status of electronStatuses) {
    const row = new Map<string, ElectronStatus>();
    for (const [event, transitions] of electronMachine.states[status]?.transitions ?? []) {
      const target = transitions[0]?.target?.[0]?.key;
      if (isElectronStatus(target)) row.set(event, target);
    }
    table.set(status, row);
  }
  return table;
}

const table = derive();

/** The status after `event`, or undefined when the machine has no such transition: the event is then ignored by whoever asked. */
export const nextStatus = (status: ElectronStatus, event: LifecycleEvent): ElectronStatus | undefined =>
  table.get(status)?.get(event);

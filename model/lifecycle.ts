/**
 * Statuses of electrons and dispatches, and which may follow which: one table for the machine, the store and the UI.
 * The electron machine (actors/machine.ts) is what changes a status; a test holds both equal.
 */

export const electronStatuses = [
  'waiting',
  'ready',
  'assigned',
  'running',
  'retrying',
  'cancelling',
  'completed',
  'failed',
  'cancelled',
  'skipped',
  'reused',
] as const;
/** How far an electron is; from `completed` on it never changes again. */
export type ElectronStatus = (typeof electronStatuses)[number];

export const dispatchStatuses = ['accepted', 'running', 'completed', 'failed', 'cancelled'] as const;
export type DispatchStatus = (typeof dispatchStatuses)[number];

export const electronTransitions: Readonly<Record<ElectronStatus, readonly ElectronStatus[]>> = {
  waiting: ['ready', 'skipped', 'cancelled', 'reused'],
  ready: ['assigned', 'running', 'failed', 'skipped', 'cancelled'],
  assigned: ['running', 'ready', 'retrying', 'completed', 'failed', 'cancelling'],
  running: ['ready', 'retrying', 'completed', 'failed', 'cancelling'],
  retrying: ['ready', 'failed', 'cancelled'],
  cancelling: ['cancelled'],
  completed: [],
  failed: [],
  cancelled: [],
  skipped: [],
  reused: [],
};

export const dispatchTransitions: Readonly<Record<DispatchStatus, readonly DispatchStatus[]>> = {
  accepted: ['running', 'completed', 'failed', 'cancelled'],
  running: ['completed', 'failed', 'cancelled'],
  completed: [],
  failed: [],
  cancelled: [],
};

export const isElectronStatus = (text: unknown): text is ElectronStatus =>
  electronStatuses.some((status) => status === text);
export const isTerminalElectron = (status: ElectronStatus): boolean => electronTransitions[status].length === 0;
export const isTerminalDispatch = (status: DispatchStatus): boolean => dispatchTransitions[status].length === 0;
/** A value exists and dependents may use it. */
export const hasValue = (status: ElectronStatus): boolean => status === 'completed' || status === 'reused';

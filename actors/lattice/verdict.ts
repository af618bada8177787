/** How a dispatch ended, and which failures tell why. Pure; called once nothing can change any more. */
import type { DispatchStatus } from '../../model/lifecycle.ts';
import type { NodeFailure } from '../../model/records.ts';
import type { LatticeState } from './state.ts';

/** Root failures in one record. */
const MOST_ERRORS = 1_000;

export interface LatticeVerdict {
  readonly status: Extract<DispatchStatus, 'completed' | 'failed' | 'cancelled'>;
  readonly errors: readonly NodeFailure[];
}

/** `cancelled`: somebody asked for the whole dispatch to be cancelled; failing fast is a failure, and so is running out of time. */
export function verdictOf(state: LatticeState, cancelled: boolean, expired = false): LatticeVerdict {
  const failed = state.roots.filter((node) => state.status(node) === 'failed');
  const errors = failed.slice(0, MOST_ERRORS).map((node) => ({
    node: state.plan.nameOf(node),
    error: state.error(node) ?? { code: 'TASK_THREW', message: 'failed' },
  }));
  if (state.outputComplete()) return { status: 'completed', errors };
  if (expired) {
    const error = { code: 'TIMEOUT', message: 'the dispatch did not end within its timeout' };
    return { status: 'failed', errors: [{ node: '', error }, ...errors] };
  }
  return { status: cancelled || failed.length === 0 ? 'cancelled' : 'failed', errors };
}

/** How a dispatch ended, and which failures tell why: asked once nothing can change any more. And when the first failure ends it. Pure. */
import type { DispatchStatus } from '../../model/lifecycle.ts';
import type { NodeFailure } from '../../model/records.ts';
import { bytesOf, errorWithin, LIST_BYTES } from '../answer-size.ts';
import type { LatticeState } from './state.ts';

/** Of a failure that is told in full, and of one that isn't. */
const FULL_BYTES = 32 * 1024;
const SHORT_BYTES = 1_200;

export interface LatticeVerdict {
  readonly status: Extract<DispatchStatus, 'completed' | 'failed' | 'cancelled'>;
  readonly errors: readonly NodeFailure[];
}

/** `cancelled`: somebody asked for the whole dispatch to be cancelled; failing fast is a failure, and so is running out of time. */
export function verdictOf(state: LatticeState, cancelled: boolean, expired = false): LatticeVerdict {
  const failed = state.roots.filter((node) => state.status(node) === 'failed');
  const errors = failuresOf(state, failed);
  if (state.outputComplete()) return { status: 'completed', errors };
  if (expired) {
    const error = { code: 'TIMEOUT', message: 'the dispatch did not end within its timeout' };
    return { status: 'failed', errors: [{ node: '', error }, ...errors] };
  }
  return { status: cancelled || failed.length === 0 ? 'cancelled' : 'failed', errors };
}

/** The first failure cancels the rest. */
export function failFast(state: LatticeState): void {
  if (state.cancelled !== undefined) return;
  const failed = state.roots.find((node) => state.status(node) === 'failed');
  if (failed !== undefined) state.cancel(`failFast: ${state.plan.nameOf(failed)} failed`);
}

/** The record goes with every answer about the dispatch: the first failures in full, more of them shorter, of the rest how many there are. */
function failuresOf(state: LatticeState, failed: readonly number[]): readonly NodeFailure[] {
  const failures: NodeFailure[] = [];
  let bytes = 0;
  for (const node of failed) {
    const error = state.error(node) ?? { code: 'TASK_THREW', message: 'failed' };
    const told = {
      node: state.plan.nameOf(node),
      error: errorWithin(error, bytes < LIST_BYTES / 2 ? FULL_BYTES : SHORT_BYTES),
    };
    bytes += bytesOf(told);
    if (bytes > LIST_BYTES) break;
    failures.push(told);
  }
  const more = failed.length - failures.length;
  if (more === 0) return failures;
  const message = `${more} more electron${more === 1 ? '' : 's'} failed: see the electrons of status failed`;
  return [...failures, { node: '', error: { code: 'WORKFLOW_FAILED', message } }];
}

/**
 * The errors that users of the SDK see: PolaronError under its public name, and the two ends of a workflow that getValue throws.
 * Not here: the table of codes (model/errors.ts).
 */
import { PolaronError } from '../model/errors.ts';
import type { Cancelled, Failed } from './result-types.ts';

export { PolaronError as SdkError, type ErrorCode } from '../model/errors.ts';

/** Thrown by `getValue` when the dispatch failed; `result` is all that is known of it. */
export class WorkflowFailed extends PolaronError {
  /** All that is known of the dispatch. */
  readonly result: Failed;

  constructor(result: Failed) {
    const more = result.errors.length > 1 ? ` (and ${result.errors.length - 1} more)` : '';
    super(
      'WORKFLOW_FAILED',
      `dispatch ${result.id} of lattice "${result.lattice.name}" failed: electron "${result.error.node}": ${result.error.message}${more}`,
      { details: { dispatch: result.id, node: result.error.node, code: result.error.code } },
    );
    this.name = 'WorkflowFailed';
    this.result = result;
  }
}

/** Thrown by `getValue` when the dispatch was cancelled. */
export class WorkflowCancelled extends PolaronError {
  /** All that is known of the dispatch. */
  readonly result: Cancelled;

  constructor(result: Cancelled) {
    super('WORKFLOW_CANCELLED', `dispatch ${result.id} of lattice "${result.lattice.name}" was cancelled`, {
      details: { dispatch: result.id },
    });
    this.name = 'WorkflowCancelled';
    this.result = result;
  }
}

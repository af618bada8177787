/** A failure as results tell it: a type only. Made by client/failures.ts, and of a map's items by the hub (model/reason.ts). */

/** Why an electron failed. */
export interface NodeError {
  /** Name of the electron; for one inside a sublattice, with the lattices around it. */
  node: string;
  /** What was thrown, or what happened to the process. */
  message: string;
  /** Word of docs/errors.md; TASK_THREW for what your function threw. */
  code: string;
  /** Where, with lines of your source. */
  stack?: string;
  /** The error's own cause. */
  cause?: NodeError;
}

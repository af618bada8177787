/** Failures as the hub records them → the SDK's NodeError and back to errors. Pure. */
import type { DispatchDetail, NodeFailure } from '../../bus/protocol/api.ts';
import type { ErrorInfo } from '../../model/outcome.ts';
import { PolaronError } from '../../model/errors.ts';
import type { NodeError } from '../types.ts';

/** `node`: the node's name, e.g. `train[3]`. */
export function nodeErrorOf(node: string, error: ErrorInfo): NodeError {
  return {
    node,
    message: error.message,
    code: error.code,
    ...(error.stack === undefined ? {} : { stack: error.stack }),
    ...(error.cause === undefined ? {} : { cause: nodeErrorOf(node, error.cause) }),
  };
}

const ofFailure = (failure: NodeFailure): NodeError => nodeErrorOf(failure.node, failure.error);

/** Root failures in the hub's order, at least one: a dispatch may fail without an electron's fault (its timeout). */
export function rootErrors(detail: DispatchDetail): readonly [NodeError, ...NodeError[]] {
  const [first, ...rest] = detail.errors.map(ofFailure);
  if (first !== undefined) return [first, ...rest];
  if (detail.error !== undefined) return [ofFailure(detail.error)];
  return [{ node: detail.lattice, message: 'the dispatch failed', code: 'WORKFLOW_FAILED' }];
}

/** A NodeError as an Error to be the `cause` of another: name, code and stack are the user's. */
export function errorFrom(error: NodeError): Error {
  const cause = error.cause === undefined ? undefined : errorFrom(error.cause);
  const made: Error & { code?: string } = new Error(error.message, cause === undefined ? undefined : { cause });
  made.code = error.code;
  if (error.stack !== undefined) made.stack = error.stack;
  return made;
}

/** Why a value can't be had of an electron that ended without one. */
export function noValue(name: string, status: string, error: NodeError | undefined): PolaronError {
  const why = error === undefined ? '' : `: ${error.message} [${error.code}]`;
  return new PolaronError('VALUE_MISSING', `electron "${name}" has no value: it is ${status}${why}`, {
    help: 'Look at its error and its logs; an electron has a value once it is completed.',
    ...(error === undefined ? {} : { cause: errorFrom(error) }),
  });
}

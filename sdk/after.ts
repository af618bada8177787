/** `after`: order without data. */
import { PolaronError } from '../model/errors.ts';
import { currentBuilder } from './builder.ts';
import { errorSite } from './call-site.ts';
import type { RefBase } from './ref-types.ts';
import { trusted } from '../model/trusted.ts';

/**
 * Every node added by `body` starts only after `parents` are done (ordering without data).
 * Raises AFTER_ARG for a parent that is no Ref, FOREIGN_REF for one of another lattice, OUTSIDE_LATTICE.
 */
export function after<R>(parents: RefBase<unknown> | readonly RefBase<unknown>[], body: () => R): R {
  const builder = currentBuilder();
  if (builder === undefined) {
    throw new PolaronError(
      'OUTSIDE_LATTICE',
      `after() was called outside a lattice (${errorSite().at}). Call it inside one.`,
    );
  }
  return trusted(builder.after(parents, body));
}

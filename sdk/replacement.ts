/** `replacement`: what `replaceElectrons` takes, with the types of both electrons compared. */
import type { Electron } from './types.ts';

/**
 * One electron in the place of another, for `redispatch(id, { replaceElectrons: { ...replacement(slow, fast) } })`.
 * It is a compile error when `by` takes or gives something else than `old`. Raises nothing; `redispatch` checks names and calls.
 */
export function replacement<A extends readonly unknown[], R>(
  old: Electron<A, R>,
  by: NoInfer<Electron<A, R>>,
): Record<string, Electron<A, R>> {
  return { [old.electronName]: by };
}

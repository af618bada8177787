/** Near matches for what was mistyped. */

/** Optimal string alignment distance: insert, delete, replace, swap neighbours; each costs 1. */
export function distance(a: string, b: string): number {
  const rows: number[][] = [Array.from({ length: b.length + 1 }, (_, j) => j)];
  const at = (i: number, j: number): number => rows[i]?.[j] ?? Number.POSITIVE_INFINITY;
  for (let i = 1; i <= a.length; i++) {
    const row = [i];
    rows.push(row);
    for (let j = 1; j <= b.length; j++) {
      const same = a[i - 1] === b[j - 1];
      let cost = Math.min(at(i - 1, j) + 1, at(i, j - 1) + 1, at(i - 1, j - 1) + (same ? 0 : 1));
      if (a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1]) cost = Math.min(cost, at(i - 2, j - 2) + 1);
      row.push(cost);
    }
  }
  return at(a.length, b.length);
}

/** Up to three of `known` that begin with `typed`, or differ from it in at most a third of its letters; the nearest first. */
export function nearMatches(typed: string, known: Iterable<string>): readonly string[] {
  const wanted = typed.toLowerCase();
  const limit = Math.max(1, Math.floor(wanted.length / 3));
  const found: { readonly name: string; readonly far: number }[] = [];
  for (const name of new Set(known)) {
    const candidate = name.toLowerCase();
    const begins = wanted.length >= 2 && (candidate.startsWith(wanted) || wanted.startsWith(candidate));
    // Lengths alone rule most out before the quadratic comparison.
    const far = begins
      ? 0
      : Math.abs(candidate.length - wanted.length) > limit
        ? limit + 1
        : distance(wanted, candidate);
    if (far <= limit) found.push({ name, far });
  }
  return found
    .sort((a, b) => a.far - b.far)
    .slice(0, 3)
    .map(({ name }) => name);
}

/** ` Near: a, b.`, or nothing. */
export const nearText = (names: readonly string[]): string =>
  names.length === 0 ? '' : ` Did you mean ${names.join(' or ')}?`;

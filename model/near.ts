/** Names close to a mistyped one. */

/** At most three candidates within a third of the name's length in edits (or that begin with it), nearest first. */
export function nearMatches(wanted: string, candidates: Iterable<string>): string[] {
  const limit = Math.max(1, Math.floor(wanted.length / 3));
  const found: { name: string; distance: number }[] = [];
  for (const name of candidates) {
    const distance =
      name.startsWith(wanted) && wanted.length >= 4
        ? 0
        : Math.abs(name.length - wanted.length) > limit
          ? Number.POSITIVE_INFINITY
          : editDistance(wanted, name);
    if (distance <= limit) found.push({ name, distance });
  }
  return found
    .sort((a, b) => a.distance - b.distance)
    .slice(0, 3)
    .map(({ name }) => name);
}

/** Levenshtein's distance, one row at a time. */
function editDistance(a: string, b: string): number {
  let row = Array.from({ length: b.length + 1 }, (_, i) => i);
  for (let i = 1; i <= a.length; i++) {
    const next = [i];
    for (let j = 1; j <= b.length; j++) {
      const change = a[i - 1] === b[j - 1] ? 0 : 1;
      next.push(Math.min((row[j] ?? 0) + 1, (next[j - 1] ?? 0) + 1, (row[j - 1] ?? 0) + change));
    }
    row = next;
  }
  return row[b.length] ?? 0;
}

/** Which way a drawing runs: downwards, or from left to right where that would make it too wide. An estimate from its shape, before any layout. */
import type { Drawing } from './drawing.ts';

/** Pixels that a box takes within its row, and from row to row. */
const DOWN = { within: 130, rows: 90 };
const ACROSS = { within: 75, rows: 170 };
/** What a screen shows without scrolling. */
const SCREEN = 1_400;

const outermost = (key: string): string => key.split('_', 1)[0] ?? key;

/** True when the longer side is shorter from left to right, and too long downwards. An edge takes room in every row that it passes, like a box. */
export function runsAcross({ nodes, edges }: Drawing): boolean {
  const rowOf = new Map<string, number>();
  const ends = edges.map(({ from, to }) => [outermost(from), outermost(to)] as const);
  const row = (key: string): number => rowOf.get(key) ?? 0;
  // Edges stand in the order of the nodes that they lead to.
  for (const [from, to] of ends) if (from !== to) rowOf.set(to, Math.max(row(to), row(from) + 1));
  const rows: number[] = [];
  const take = (at: number): unknown => (rows[at] = (rows[at] ?? 0) + 1);
  for (const { key } of nodes) take(row(key));
  for (const [from, to] of ends) for (let at = row(from) + 1; at < row(to); at++) take(at);
  const widest = Math.max(0, ...rows);
  const side = (by: typeof DOWN): number => Math.max(widest * by.within, rows.length * by.rows);
  return side(DOWN) > SCREEN && side(ACROSS) < side(DOWN);
}

/** Electrons that fail until the test lets them through, and note each attempt: when it began, by a clock that nobody sets, or as what. */
import { appendFileSync, existsSync } from 'node:fs';
import { context, electron, lattice } from 'polaron';

const stubborn = electron(
  { retries: { max: 20, delay: '400ms', backoff: 1, jitter: 0 } },
  function stubborn(folder: string): string {
    appendFileSync(`${folder}/attempts`, `${process.hrtime.bigint() / 1_000_000n}\n`);
    if (!existsSync(`${folder}/through.open`)) throw new Error('not yet');
    return 'through';
  },
);

export const retried = lattice(function retried(folder: string) {
  return stubborn(folder);
});

/** Notes which node runs it, `LABEL NODEID ATTEMPT`. */
const keyed = electron(
  { retries: { max: 1_000, delay: '100ms', backoff: 1 } },
  function keyed(folder: string, label: string, x: number): string {
    const { nodeId, attempt } = context();
    appendFileSync(`${folder}/keys`, `${label}.${x} ${nodeId} ${attempt}\n`);
    if (!existsSync(`${folder}/through.open`)) throw new Error('not yet');
    return nodeId;
  },
);
const lists = electron(function lists() {
  return { row: [1, 2], rows: [[1, 2], [3]] };
});
/** One electron as two calls, in a map beside another, and in a map of a map. */
export const keys = lattice(function keys(folder: string) {
  const { row, rows } = lists();
  return [
    keyed(folder, 'call', 1),
    keyed(folder, 'call', 2),
    row.map((x) => keyed(folder, 'map', x)),
    row.map((x) => [keyed(folder, 'first', x), keyed(folder, 'second', x)]),
    rows.map((xs) => xs.map((x) => keyed(folder, 'inner', x))),
  ];
});

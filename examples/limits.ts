/**
 * A key that bounds how many electrons use one thing at a time, over all dispatches: here at most two queries of one database.
 * Run it with `npx tsx examples/limits.ts` beside a hub.
 */
import { dispatchSync, electron, lattice } from 'polaron';

const query = electron({ concurrency: { key: 'db', limit: 2 } }, async function query(seconds: number) {
  const from = Date.now();
  await new Promise((resolve) => setTimeout(resolve, seconds * 1_000));
  return { from, to: Date.now() };
});
const queries = lattice(function queries(seconds: number[]) {
  return seconds.map(query);
});

const result = await dispatchSync(queries)(Array.from({ length: 6 }, () => 0.5));
if (result.status !== 'completed') throw new Error(`it ${result.status}`);
const spans = result.value;
const most = Math.max(...spans.map((one) => spans.filter(({ from, to }) => from <= one.from && one.from < to).length));
console.log(`${spans.length} queries, at most ${most} at once`);

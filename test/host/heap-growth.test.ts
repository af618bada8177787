/** What a hub's process does about garbage that was moved to the old heap: it must not wait for long. */
import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { expect, it } from 'vitest';

const module = new URL('../../dist/host/heap-growth.js', import.meta.url);

/** 300,000 objects that stay and 50,000 that live long enough to be moved to the old heap, replaced all the time. Prints peak ÷ what stays. */
const churn = (first: string): string => `
  ${first}
  const make = (i) => ({ i, text: String(i), list: [i, i + 1, i + 2] });
  globalThis.live = Array.from({ length: 300_000 }, (_, i) => make(i));
  const passing = new Array(50_000);
  globalThis.gc();
  const base = process.memoryUsage().heapUsed;
  let peak = 0;
  for (let i = 0; i < 6_000_000; i++) {
    passing[i % passing.length] = make(i);
    if (i % 20_000 === 0) peak = Math.max(peak, process.memoryUsage().heapUsed);
  }
  console.log(peak / base);
`;
async function peakOver(first: string): Promise<number> {
  const args = ['--expose-gc', '--input-type=module', '--eval', churn(first)];
  return Number((await promisify(execFile)(process.execPath, args)).stdout);
}

it("a hub's heap grows to little more than twice what it holds (Node's by itself: five times)", async () => {
  const growth = await peakOver(`(await import('${module.href}')).boundHeapGrowth();`);
  expect(growth).toBeGreaterThan(1);
  expect(growth).toBeLessThan(4.5);
});

/**
 * The four workloads, given the functions that do them on some peer, as bench/w1-chain.ts to w4-latency.ts do them on Polaron: same counts, values checked.
 * Each returns its raw figures: µs per step of each chain, tasks/s, workflows/s, ms of each task.
 */
export const steps = 100;
export const width = 10_000;
const chains = 10;
const diamonds = 1_000;
const singles = 200;

/** `chain(start)` → `start`, handed through 100 steps. */
export async function w1(chain) {
  const perStep = [];
  for (let start = 0; start < chains; start++) {
    const began = performance.now();
    check(await chain(start), start);
    perStep.push(((performance.now() - began) * 1_000) / steps);
  }
  return perStep;
}

/** `fan()` → how many of its 10,000 values reached the last task. */
export async function w2(fan) {
  const began = performance.now();
  check(await fan(), width);
  return [((width + 1) * 1_000) / (performance.now() - began)];
}

/** `diamond(x)` → 3x. */
export async function w3(inFlight, diamond) {
  const began = performance.now();
  let next = 0;
  const client = async () => {
    while (next < diamonds) {
      const mine = next++;
      check(await diamond(mine), 3 * mine);
    }
  };
  await Promise.all(Array.from({ length: inFlight }, client));
  return [(diamonds * 1_000) / (performance.now() - began)];
}

/** `one(x)` → x. */
export async function w4(one) {
  const latencies = [];
  for (let i = 0; i < singles; i++) {
    const began = performance.now();
    check(await one(i), i);
    latencies.push(performance.now() - began);
  }
  return latencies;
}

/** A fast wrong answer is no measurement. */
function check(got, wanted) {
  if (got !== wanted) throw new Error(`wrong value: got ${String(got)}, wanted ${String(wanted)}`);
}

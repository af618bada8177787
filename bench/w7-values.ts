/**
 * W7: how fast does a large value go from an electron to one on another agent, next to a raw pull in chunks on the same bus? A chain of electrons hands
 * a value to and fro between two agents; the figure is the bytes of all hops by the time from `dispatch()` to the last electron's word on what it saw. So a
 * hop is all of it: the runner encodes, hashes and writes the result, the hub pulls it and has it on disk before it says so, the other agent pulls it, its
 * runner reads it. Meanwhile a user asks the hub for a dispatch again and again: a control round trip, which waits for the disk, too.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { dispatch, type DispatchId, getResult, getValue } from 'polaron';
import type { Goal } from './goal.ts';
import type { Answer, Bed, Question } from './question.ts';
import { type RawPuller, startRawPull } from './raw-pull.ts';
import { percentile, summary, tidy } from './statistics.ts';
import { relay, seenAfter, sides } from './w7-lattices.ts';
import { check } from './workload.ts';

interface Size {
  readonly name: string;
  readonly bytes: number;
  /** In one dispatch; the raw pull is done as often. */
  readonly hops: number;
  readonly rate: Goal;
  readonly control: Goal;
}

const MiB = 1024 ** 2;
const sized = (name: string, bytes: number, hops: number): Size => ({
  name,
  bytes,
  hops,
  rate: { what: `MiB/s of ${name} ÷ the raw pull’s`, limit: { atLeast: 1 / 3 } },
  control: { what: `control round trip beside ${name}, p50 ms`, limit: { atMost: 10 } },
});
const sizes = [sized('1 MiB', MiB, 40), sized('100 MiB', 100 * MiB, 5)];
/** Between two requests of the control user. */
const pauseMs = 3;

export const w7: Question = {
  id: 'W7',
  asks: 'values of 1 MiB and 100 MiB from electron to electron, from one agent to the other and back',
  bus: 'each',
  goals: sizes.flatMap(({ rate, control }) => [rate, control]),
  notMeasured: ['several large values at once, and values that the hub or the agent has already'],
  measure,
};

async function measure(bed: Bed): Promise<Answer> {
  const raw = await bed.open(
    () => startRawPull(bed.bus.ceilingUrl),
    (one) => one.stop(),
  );
  const hub = await bed.freshHub({ agents: 0 });
  for (const side of sides) await hub.join(side, 2, [side]);
  // both agents have the code
  const asked = await dispatch(relay)(64, 0, 2);
  await getValue(asked);
  const answers: Answer[] = [];
  for (const size of sizes) answers.push(await measureSize(bed, raw, size, asked));
  return {
    figures: Object.assign({}, ...answers.map(({ figures }) => figures)),
    got: Object.assign({}, ...answers.map(({ got }) => got)),
    text: answers.map(({ text }) => text).join('; '),
  };
}

async function measureSize(bed: Bed, raw: RawPuller, size: Size, asked: DispatchId): Promise<Answer> {
  const { name, bytes, hops, rate, control } = size;
  const cold = await run(size, 0);
  const [ours, bounds, trips]: [number[], number[], number[]] = [[], [], []];
  for (let n = 1; n <= bed.runs; n++) {
    bounds.push((await raw.measure(bytes, hops)).mibPerSecond);
    const asking = askAgainAndAgain(asked);
    ours.push(await run(size, n));
    trips.push(...(await asking.end()));
  }
  const [mibPerSecond, rawMibPerSecond] = [summary(ours), summary(bounds)];
  const controlMs = { p50: tidy(percentile(trips, 0.5)), p99: tidy(percentile(trips, 0.99)), trips: trips.length };
  return {
    figures: { [name]: { hops, mibPerSecond, cold: tidy(cold), rawMibPerSecond, controlMs } },
    got: { [rate.what]: mibPerSecond.median / rawMibPerSecond.median, [control.what]: controlMs.p50 },
    text: `${name}: ${mibPerSecond.median} MiB/s (${mibPerSecond.min}–${mibPerSecond.max}), raw ${rawMibPerSecond.median}, control p50 ${controlMs.p50} ms, p99 ${controlMs.p99}`,
  };
}

/** MiB/s. Each run has bytes of its own: those that the hub has already would not be sent. */
async function run({ bytes, hops }: Size, n: number): Promise<number> {
  const seed = n * 1_000;
  const began = performance.now();
  const saw = await getValue(await dispatch(relay)(bytes, seed, hops));
  const seconds = (performance.now() - began) / 1_000;
  check(saw, seenAfter(bytes, seed, hops));
  return (bytes * hops) / MiB / seconds;
}

/** Requests one after the other, with a pause between; `end` gives the ms of each. */
function askAgainAndAgain(id: DispatchId): { end(): Promise<readonly number[]> } {
  const trips: number[] = [];
  const over = new AbortController();
  const asking = (async () => {
    while (!over.signal.aborted) {
      const began = performance.now();
      await getResult(id);
      trips.push(performance.now() - began);
      await sleep(pauseMs);
    }
  })();
  return {
    async end() {
      over.abort();
      await asking;
      return trips;
    },
  };
}

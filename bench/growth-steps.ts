/** The steps of growth.ts that need a hub: each size on a hub of its own, every value checked. Not responsible for which sizes. */
import { availableParallelism } from 'node:os';
import { dispatch, type DispatchId, electron, getValue, lattice } from 'polaron';
import type { Keep, Row } from './growth-report.ts';
import type { BenchHub } from './hub.ts';
import { count, noop } from './noop.ts';
import type { Bed } from './question.ts';
import { median, tidy } from './statistics.ts';
import { check } from './workload.ts';

const fanWidth = 2_000;
const submitters = 200;

const numbersUpTo = electron(function numbersUpTo(howMany: number): number[] {
  return Array.from({ length: howMany }, (_, index) => index);
});
const mapped = lattice(function mapped(howMany: number) {
  return count(numbersUpTo(howMany).map(noop));
});
const single = lattice(function single(value: number) {
  return noop(value);
});
const fan = lattice(function fan(howMany: number) {
  return count(Array.from({ length: howMany }, (_, index) => noop(index)));
});
const bytesOf = electron(function bytesOf(size: number): Uint8Array {
  return new Uint8Array(size).fill(7);
});
const sizeOf = electron(function sizeOf(bytes: Uint8Array): number {
  return bytes[bytes.length - 1] === 7 ? bytes.length : -1;
});
const payload = lattice(function payload(size: number) {
  return sizeOf(bytesOf(size));
});

export async function growElectrons(bed: Bed, sizes: readonly number[], keep: Keep): Promise<void> {
  await rows(bed, sizes, keep, async (electrons) => {
    const hub = await bed.freshHub();
    check(await getValue(await dispatch(mapped)(10)), 10);
    const watched = watchMemory(hub);
    const began = performance.now();
    check(await getValue(await dispatch(mapped)(electrons)), electrons);
    const usPerElectron = ((performance.now() - began) * 1_000) / electrons;
    const peak = watched.end();
    await hub.stop();
    return { electrons, usPerElectron: tidy(usPerElectron), ...(peak === undefined ? {} : { peakMiB: tidy(peak) }) };
  });
}

/** All are open since nobody runs them; then an agent joins. */
export async function growDispatches(bed: Bed, sizes: readonly number[], keep: Keep): Promise<void> {
  await rows(bed, sizes, keep, async (dispatches) => {
    const hub = await bed.freshHub({ agents: 0 });
    const before = hub.rssAnonMiB();
    const ids: DispatchId<number>[] = [];
    let began = performance.now();
    await inParallel(dispatches, async (n) => {
      ids[n] = await dispatch(single)(n);
    });
    const acceptUs = ((performance.now() - began) * 1_000) / dispatches;
    const after = hub.rssAnonMiB();
    await hub.join('only', availableParallelism());
    began = performance.now();
    await inParallel(dispatches, async (n) => {
      const id = ids[n];
      check(id === undefined ? undefined : await getValue(id), n);
    });
    const endUs = ((performance.now() - began) * 1_000) / dispatches;
    await hub.stop();
    const kib = before === undefined || after === undefined ? undefined : ((after - before) * 1_024) / dispatches;
    return {
      dispatches,
      acceptUs: tidy(acceptUs),
      endUs: tidy(endUs),
      ...(kib === undefined ? {} : { kibPerDispatch: tidy(kib) }),
    };
  });
}

export async function growAgents(bed: Bed, sizes: readonly number[], keep: Keep): Promise<void> {
  await rows(bed, sizes, keep, async (agents) => {
    const hub = await bed.freshHub({ agents, slots: 1 });
    // Every agent has loaded the code.
    check(await getValue(await dispatch(fan)(fanWidth)), fanWidth);
    const began = performance.now();
    check(await getValue(await dispatch(fan)(fanWidth)), fanWidth);
    const seconds = (performance.now() - began) / 1_000;
    await hub.stop();
    return { agents, tasksPerSecond: tidy((fanWidth + 1) / seconds) };
  });
}

/** The median of five, on one hub: a small value takes as long as two electrons. */
export async function growPayload(bed: Bed, sizes: readonly number[], keep: Keep): Promise<void> {
  const hub = await bed.freshHub();
  for (let warm = 0; warm < 20; warm++) check(await getValue(await dispatch(payload)(1)), 1);
  await rows(bed, sizes, keep, async (bytes) => {
    const times: number[] = [];
    for (let run = 0; run < 5; run++) {
      const began = performance.now();
      check(await getValue(await dispatch(payload)(bytes)), bytes);
      times.push(performance.now() - began);
    }
    return { bytes, ms: tidy(median(times)) };
  });
  await hub.stop();
}

async function rows(
  bed: Bed,
  sizes: readonly number[],
  keep: Keep,
  step: (size: number) => Promise<Row>,
): Promise<void> {
  for (const size of sizes) {
    const row = await step(size);
    bed.say(
      `  ${Object.entries(row)
        .map((pair) => pair.join(' '))
        .join(', ')}`,
    );
    keep(row);
  }
}

async function inParallel(howMany: number, work: (n: number) => Promise<void>): Promise<void> {
  let next = 0;
  const worker = async (): Promise<void> => {
    while (next < howMany) await work(next++);
  };
  await Promise.all(Array.from({ length: Math.min(howMany, submitters) }, worker));
}

/** The hub's highest anonymous memory meanwhile, MiB; undefined where /proc isn't. */
function watchMemory(hub: BenchHub): { end(): number | undefined } {
  let peak = hub.rssAnonMiB();
  const look = (): void => {
    const now = hub.rssAnonMiB();
    if (now !== undefined) peak = Math.max(peak ?? 0, now);
  };
  const timer = setInterval(look, 50);
  return {
    end() {
      clearInterval(timer);
      look();
      return peak;
    },
  };
}

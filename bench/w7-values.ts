/**
 * W7: how fast does a large value go from an electron to one on another agent, next to a raw pull in chunks on the same bus? A chain of electrons hands
 * a value to and fro between two agents; the figure is the bytes of all hops by the time from `dispatch()` to the last electron's word on what it saw. So a
 * hop is all of it: the runner encodes, hashes and writes the result, the hub pulls it and has it on disk before it says so, the other agent pulls it, its
 * runner decodes it. Meanwhile a user asks the hub for a dispatch again and again: a control round trip, which waits for the disk, too.
 * Not measured: agents on other machines, several values at once, values that the hub or the agent has already.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';
import { dispatch, type DispatchId, getResult, getValue } from 'polaron';
import type { BenchBus } from './bench-bus.ts';
import { type BenchHub, command, startHub } from './hub.ts';
import { startRawPull } from './raw-pull.ts';
import { percentile, type Summary, summary, tidy } from './statistics.ts';
import { relay, seenAfter, sides } from './w7-lattices.ts';
import { check } from './workload.ts';

const MiB = 1024 ** 2;
/** The raw pull of so many bytes is repeated as often as there are hops. */
const sizes = [
  { name: '1 MiB', bytes: MiB, hops: 40 },
  { name: '100 MiB', bytes: 100 * MiB, hops: 5 },
] as const;
const wantedRatio = 1 / 3;
const wantedControlMs = 10;
/** Between two requests of the control user. */
const pauseMs = 3;

export interface ValueFigures {
  readonly hops: number;
  readonly mibPerSecond: Summary;
  /** Of the first run, not counted. */
  readonly cold: number;
  readonly raw: Summary;
  readonly ratio: number;
  readonly wantedRatio: number;
  /** Round trips of all runs, ms. */
  readonly controlP50Ms: number;
  readonly controlP99Ms: number;
  readonly controlTrips: number;
  readonly met: boolean;
}

/** Starts a hub on the bus with two agents of its own. */
export async function measureValues(bus: BenchBus, runs: number): Promise<Record<string, ValueFigures>> {
  const raw = await startRawPull(bus.ceilingUrl);
  const hub = await startHub(bus.hubUrl, ['--no-agent']);
  const agents: ChildProcess[] = [];
  try {
    for (const side of sides) agents.push(await startAgent(hub, bus.hubUrl, side));
    process.env['POLARON_HOME'] = hub.home;
    delete process.env['POLARON_URL'];
    const asked = await dispatch(relay)(64, 0, 2);
    await getValue(asked);
    const figures: Record<string, ValueFigures> = {};
    let seed = 0;
    for (const { name, bytes, hops } of sizes) {
      const run = async (): Promise<number> => {
        const began = performance.now();
        const saw = await getValue(await dispatch(relay)(bytes, (seed += 1_000), hops));
        const seconds = (performance.now() - began) / 1_000;
        check(saw, seenAfter(bytes, seed, hops));
        return (bytes * hops) / MiB / seconds;
      };
      const cold = await run();
      const [ours, bounds, trips]: [number[], number[], number[]] = [[], [], []];
      for (let n = 0; n < runs; n++) {
        bounds.push((await raw.measure(bytes, hops)).mibPerSecond);
        const control = askAgainAndAgain(asked);
        ours.push(await run());
        trips.push(...(await control.end()));
      }
      const [mibPerSecond, ceiling] = [summary(ours), summary(bounds)];
      const ratio = tidy(mibPerSecond.median / ceiling.median);
      const controlP50Ms = tidy(percentile(trips, 0.5));
      figures[name] = {
        hops,
        mibPerSecond,
        cold: tidy(cold),
        raw: ceiling,
        ratio,
        wantedRatio: tidy(wantedRatio),
        controlP50Ms,
        controlP99Ms: tidy(percentile(trips, 0.99)),
        controlTrips: trips.length,
        met: ratio >= wantedRatio && controlP50Ms <= wantedControlMs,
      };
    }
    return figures;
  } finally {
    for (const agent of agents) agent.kill('SIGTERM');
    await Promise.all(agents.map(ended));
    await hub.stop();
    await raw.stop();
  }
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

/** Joins as a user's would; resolves when it has. Raises Error when it ends before. */
async function startAgent(hub: BenchHub, url: string | undefined, name: string): Promise<ChildProcess> {
  const bus = url ?? busOf(JSON.parse(await hub.run(['invite', name, '--json'])));
  const child = spawn(
    process.execPath,
    [command, 'agent', '--bus', bus, '--name', name, '--capability', name, '--slots', '2'],
    { env: { ...process.env, POLARON_HOME: hub.home }, detached: true, stdio: ['ignore', 'pipe', 'inherit'] },
  );
  const first = await Promise.race([once(child.stdout, 'data'), ended(child)]);
  if (first === undefined) throw new Error(`agent ${name} ended with ${child.exitCode ?? child.signalCode}`);
  return child;
}

function busOf(invited: unknown): string {
  const bus = typeof invited === 'object' && invited !== null && 'bus' in invited ? invited.bus : undefined;
  if (typeof bus !== 'string') throw new Error('polaron invite --json has no bus');
  return bus;
}

async function ended(child: ChildProcess): Promise<undefined> {
  if (child.exitCode === null && child.signalCode === null) await once(child, 'exit');
}

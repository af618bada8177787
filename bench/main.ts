/**
 * `npm run bench [-- --only W2,memory --bus embedded|nats-server --runs 5 --agents 1 --json FILE]`: runs the workloads against a hub with durable
 * commits and the bare ceiling in turn, prints a table and writes one JSON. Targets that are missed are shown, and don't fail the run. `cancel` needs 20 GB of
 * memory for its 1,000 runners, and runs only when it is named; `--electrons` asks for fewer.
 */
import { mkdirSync, writeFileSync } from 'node:fs';
import { dirname, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { type BenchBus, openBus } from './bench-bus.ts';
import { measureCancel } from './cancel.ts';
import { type CeilingClient, startCeiling } from './ceiling-client.ts';
import { startHub } from './hub.ts';
import { describeMachine, describeVersions, measureFdatasync } from './machine.ts';
import { measureMemory } from './memory-100k.ts';
import { findNatsServer } from './nats-server.ts';
import { measureRecovery } from './recovery.ts';
import { measureStart } from './start-time.ts';
import { type Summary, summary, tidy } from './statistics.ts';
import { w1 } from './w1-chain.ts';
import { w2 } from './w2-fan.ts';
import { w3 } from './w3-diamonds.ts';
import { w4 } from './w4-latency.ts';
import type { Workload } from './workload.ts';

interface WorkloadFigures {
  readonly what: string;
  readonly unit: string;
  readonly polaron: Summary;
  /** The first run of all, not counted: what code that isn't compiled yet does. */
  readonly cold: number;
  readonly ceiling: Summary;
  /** Median ÷ the ceiling's median. */
  readonly ratio: number;
  readonly target: Workload['target'];
  readonly met: boolean;
  readonly extra: Readonly<Record<string, Summary>>;
}

const workloads = [w1, w2, w3, w4];
const others = ['memory', 'start', 'recovery'];
const onlyNamed = ['cancel'];
const latest = fileURLToPath(new URL('results/latest.json', import.meta.url));

const MOST_WARM_UPS = 12;

const notMeasured = [
  'power loss: durable means that fdatasync returned inside this machine',
  'agents, clients or a bus on another machine, and more than one agent',
  'values larger than a number, user code that does any work, electrons with retries, timeouts or dependencies',
  "recovery when agents can't be reached, and a store that has been filling for days",
  'the ceiling has no graph, no recovery, no deduplication: it is a bound, not a rival',
];

const { values: options } = parseArgs({
  options: {
    only: { type: 'string' },
    bus: { type: 'string' },
    runs: { type: 'string', default: '5' },
    agents: { type: 'string', default: '1' },
    electrons: { type: 'string', default: '1000' },
    json: { type: 'string', default: latest },
  },
});
const say = (line: string): void => void process.stderr.write(`${line}\n`);
const closers: (() => Promise<void>)[] = [];
class Interrupted extends Error {}
const exitCodes = { SIGINT: 130, SIGTERM: 143 } as const;
let interrupted: keyof typeof exitCodes | undefined;

function usage(text: string): never {
  say(
    `${text}\nnpm run bench -- [--only ${[...workloads.map(({ id }) => id), ...others, ...onlyNamed].join(',')}] [--bus embedded|nats-server] [--runs 5] [--agents 1] [--electrons 1000] [--json FILE]`,
  );
  process.exit(2);
}

function wanted(): ReadonlySet<string> {
  const known = [...workloads.map(({ id }) => id), ...others];
  const names = options.only?.split(',') ?? known;
  const unknown = names.find((name) => ![...known, ...onlyNamed].includes(name));
  return unknown === undefined ? new Set(names) : usage(`--only: no workload "${unknown}"`);
}

function busKind(): 'embedded' | 'nats-server' {
  const { bus } = options;
  if (bus === undefined) return findNatsServer() === undefined ? 'embedded' : 'nats-server';
  return bus === 'embedded' || bus === 'nats-server' ? bus : usage(`--bus: "${bus}" is neither`);
}

function positive(name: 'runs' | 'agents' | 'electrons'): number {
  const value = Number(options[name]);
  return Number.isInteger(value) && value > 0
    ? value
    : usage(`--${name}: "${options[name]}" is no whole number above 0`);
}

async function compare(workload: Workload, ceiling: CeilingClient, runs: number): Promise<WorkloadFigures> {
  const measureCeiling = async (): Promise<number> => workload.fromCeiling(await ceiling.measure(workload.ceiling));
  const ours: number[] = [];
  const bounds: number[] = [];
  const extras = new Map<string, number[]>();
  const cold = await warmUp(workload);
  await measureCeiling();
  for (let run = 0; run < runs; run++) {
    bounds.push(await measureCeiling());
    const { figure, extra = {} } = await withDeadline(workload);
    ours.push(figure);
    for (const [name, value] of Object.entries(extra)) extras.set(name, [...(extras.get(name) ?? []), value]);
  }
  const [polaron, bound] = [summary(ours), summary(bounds)];
  const ratio = tidy(polaron.median / bound.median);
  const { what, unit, target } = workload;
  const met = 'atMost' in target ? ratio <= target.atMost : ratio >= target.atLeast;
  const extra = Object.fromEntries([...extras].map(([name, values]) => [name, summary(values)]));
  return { what, unit, polaron, cold: tidy(cold), ceiling: bound, ratio, target, met, extra };
}

/**
 * Runs the workload until it gets clearly faster no more, at most MOST_WARM_UPS times: the ceiling's loop has done 66,000 tasks by now, and is compiled.
 * Returns the first figure.
 */
async function warmUp(workload: Workload): Promise<number> {
  const better =
    'atMost' in workload.target ? (a: number, b: number) => a < b * 0.95 : (a: number, b: number) => a > b * 1.05;
  const { figure: cold } = await withDeadline(workload);
  let best = cold;
  for (let run = 1, late = 0; run < MOST_WARM_UPS && late < 3; run++) {
    const { figure } = await withDeadline(workload);
    late = better(figure, best) ? 0 : late + 1;
    if (late === 0) best = figure;
  }
  return cold;
}

/** One run. Raises Error when it takes two minutes: a lost dispatch must show, not hang the bench. */
async function withDeadline(workload: Workload): ReturnType<Workload['run']> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error(`${workload.id} did not finish within 120 s`)), 120_000);
  });
  try {
    return await Promise.race([workload.run(), late]);
  } finally {
    clearTimeout(timer);
  }
}

function row(id: string, { polaron, cold, ceiling, unit, ratio, target, met }: WorkloadFigures): string {
  const limit = 'atMost' in target ? `≤ ${tidy(target.atMost)}` : `≥ ${tidy(target.atLeast)}`;
  const spread = (one: Summary): string => `${one.median} (${one.min}–${one.max})`;
  return `${id}  ${spread(polaron)} ${unit} (the first run ${cold}), ceiling ${spread(ceiling)}: ratio ${ratio}, wanted ${limit}: ${met ? 'met' : 'MISSED'}`;
}

async function measureWorkloads(ids: ReadonlySet<string>, bus: BenchBus): Promise<Record<string, unknown>> {
  const results: Record<string, unknown> = {};
  const chosen = workloads.filter(({ id }) => ids.has(id));
  if (chosen.length === 0 && !ids.has('memory')) return results;
  const hub = await opened(
    () => startHub(bus.hubUrl),
    (one) => one.stop(),
  );
  process.env['POLARON_HOME'] = hub.home;
  delete process.env['POLARON_URL'];
  if (chosen.length > 0) {
    const ceiling = await opened(
      () => startCeiling(bus.ceilingUrl, positive('agents')),
      (one) => one.stop(),
    );
    for (const workload of chosen) {
      const figures = await compare(workload, ceiling, positive('runs'));
      say(row(workload.id, figures));
      results[workload.id] = figures;
    }
  }
  if (ids.has('memory')) {
    const memory = await measureMemory(hub);
    say(
      memory === undefined
        ? 'memory: no /proc here, not measured'
        : `memory  peak ${memory.peakMiB} MiB RssAnon in ${memory.seconds} s${memory.completed ? '' : ', not completed'}: ${memory.met ? 'met' : 'MISSED'}`,
    );
    results['memory'] = memory ?? null;
  }
  return results;
}

async function bench(): Promise<void> {
  const ids = wanted();
  const runs = positive('runs');
  const kind = busKind();
  const bus = await opened(
    () => openBus(kind),
    (one) => one.close(),
  );
  say(`bus: ${bus.description}, for the hub and for the ceiling; ${runs} runs of each in turn, medians (min–max)`);
  const results = await measureWorkloads(ids, bus);
  if (ids.has('start')) {
    const start = await measureStart(runs);
    say(
      `start  ${start.emptyMs.median} ms on empty data, ${start.restartMs.median} ms again: ${start.met ? 'met' : 'MISSED'}`,
    );
    results['start'] = start;
  }
  if (ids.has('recovery')) {
    const recovery = await measureRecovery();
    const { oneLattice, manyDispatches } = recovery;
    say(
      `recovery  ${oneLattice.electrons} open electrons in service after ${oneLattice.inServiceMs} ms in one lattice, ${manyDispatches.inServiceMs} ms in ${manyDispatches.dispatches} dispatches: ${recovery.met ? 'met' : 'MISSED'}`,
    );
    results['recovery'] = recovery;
  }
  if (ids.has('cancel')) {
    const cancel = await measureCancel(positive('electrons'));
    const { wanted: meant, running, startedInMs, stoppedMs, bySignal, unconfirmed, met } = cancel;
    say(
      `cancel  ${running} of ${meant} electrons ran (begun within ${startedInMs} ms; ${cancel.freeMiBBefore} MiB free before, ${cancel.freeMiBWhileRunning} MiB then); stopped ${stoppedMs} ms after cancel(), ${bySignal} by their signal, ${unconfirmed} unconfirmed: ${met ? 'met' : 'MISSED'}`,
    );
    results['cancel'] = cancel;
  }
  const report = {
    at: new Date().toISOString(),
    machine: describeMachine(),
    versions: describeVersions(bus.serverVersion),
    bus: bus.description,
    durability: {
      mode: 'a batch is on disk, in the journal by one synced write, before it is answered; the ceiling commits to LMDB as opened by default, on disk (fdatasync), too',
      fdatasyncP50Us: await measureFdatasync(),
    },
    runs,
    ceilingAgents: positive('agents'),
    results,
    notMeasured,
  };
  const file = resolve(options.json);
  mkdirSync(dirname(file), { recursive: true });
  writeFileSync(file, `${JSON.stringify(report, null, 2)}\n`);
  say(`not measured: ${notMeasured.join('; ')}`);
  say(`written to ${file}`);
}

/** Opens something. An interrupt meanwhile waits for it and closes it; after one, nothing more is opened. Raises Interrupted. */
function opened<T>(open: () => Promise<T>, close: (one: T) => Promise<void>): Promise<T> {
  if (interrupted !== undefined) throw new Interrupted();
  const opening = open();
  closers.push(() => opening.then(close, () => undefined));
  return opening;
}

/** In reverse order; what fails to stop doesn't keep the rest from stopping. */
async function closeAll(): Promise<void> {
  for (let close = closers.pop(); close !== undefined; close = closers.pop()) {
    await close().catch((error: unknown) => say(String(error)));
  }
}

// A reader that went away (`| head`) is no reason to leave a hub behind.
process.stderr.on('error', () => undefined);
const interruption = new Promise<never>((_, reject) => {
  for (const signal of ['SIGINT', 'SIGTERM'] as const) {
    process.on(signal, () => {
      interrupted = signal;
      reject(new Interrupted());
    });
  }
});
try {
  await Promise.race([bench(), interruption]);
} catch (error) {
  if (!(error instanceof Interrupted)) say(error instanceof Error ? (error.stack ?? error.message) : String(error));
  process.exitCode = interrupted === undefined ? 1 : exitCodes[interrupted];
}
await closeAll();
// What an interrupted run still waits for would keep the process alive.
if (interrupted !== undefined) process.exit();

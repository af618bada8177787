/**
 * Where does the CPU time of an electron go? The hub, its agent and a runner are profiled while W2 and W3 run, warm; each process's CPU time is shared out by what
 * its samples were in. Not measured: the profiler's own share (a few per cent), the time that a step waits (W1, W4), threads besides the main one apart from their sum.
 */
import { existsSync, mkdtempSync, readdirSync, readFileSync, readlinkSync, realpathSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { field } from './field.ts';
import { type Profile, sharesOf } from './cost-groups.ts';
import type { Answer, Bed, Question } from './question.ts';
import { tidy } from './statistics.ts';
import { workload as fan } from './w2-fan.ts';
import { workload as diamonds } from './w3-diamonds.ts';

/** µs per electron. */
type Costs = Readonly<Record<string, number>>;

const WARM_UPS = 8;
const RUNS = 4;
const OTHER_THREADS = 'other threads: compiler, garbage collector, disk';
const loads = [
  { name: 'W2, 10,000 electrons in one lattice', run: () => fan.run(), electrons: 10_001 },
  { name: 'W3, diamonds of 5', run: () => diamonds.run(), electrons: 5_000 },
];

export const cost: Question = {
  id: 'cost',
  asks: 'where the CPU time of an electron goes',
  bus: 'each',
  onlyNamed: 'a profiler changes what it measures',
  goals: [],
  notMeasured: ['what waits: a profile of CPU time says nothing of a step that waits for another process or the disk'],
  measure,
};

async function measure(bed: Bed): Promise<Answer> {
  if (!existsSync('/proc/self/stat')) throw new Error('the cost table reads CPU times from /proc, which is not here');
  const folder = await bed.open(
    async () => mkdtempSync(join(tmpdir(), 'polaron-profiles-')),
    async (one) => rmSync(one, { recursive: true, force: true }),
  );
  const preload = fileURLToPath(new URL('./cpu-profile.cjs', import.meta.url));
  process.env['NODE_OPTIONS'] = `--require=${preload}`;
  process.env['BENCH_PROFILES'] = folder;
  const figures: Record<string, Record<string, Costs>> = {};
  try {
    const hub = await bed.freshHub({ agents: 1 });
    for (const { name, run, electrons } of loads) {
      for (let i = 0; i < WARM_UPS; i++) await run();
      const pids = processesOf(folder);
      await signalled(pids, folder, 'started');
      for (let i = 0; i < RUNS; i++) await run();
      await signalled(pids, folder, 'json');
      figures[name] = read(folder, hub.pid, electrons * RUNS);
    }
  } finally {
    delete process.env['NODE_OPTIONS'];
    delete process.env['BENCH_PROFILES'];
  }
  return { figures, got: {}, text: Object.entries(figures).map(tableOf).join('\n') };
}

/** The hub, its agent and its runners: what runs Node and has this folder's name from the hub. */
function processesOf(folder: string): readonly number[] {
  return readdirSync('/proc')
    .map(Number)
    .filter((pid) => Number.isInteger(pid) && isProfiled(pid, folder));
}

function isProfiled(pid: number, folder: string): boolean {
  try {
    const said = readFileSync(`/proc/${pid}/environ`, 'utf8');
    return said.includes(`BENCH_PROFILES=${folder}\0`) && readlinkSync(`/proc/${pid}/exe`) === node;
  } catch {
    return false; // it has ended, or is another user's
  }
}
const node = realpathSync(process.execPath);

/** Has each begin or end its profile, and waits until it says so. Raises Error after a minute. */
async function signalled(pids: readonly number[], folder: string, ending: 'started' | 'json'): Promise<void> {
  for (const pid of pids) process.kill(pid, 'SIGUSR2');
  const until = performance.now() + 60_000;
  while (!pids.every((pid) => existsSync(join(folder, `${pid}.${ending}`)))) {
    if (performance.now() > until) throw new Error(`no profile came from all of ${pids.join(', ')}`);
    await sleep(20);
  }
}

/** By process; the files are gone afterwards. */
function read(folder: string, hub: number, electrons: number): Record<string, Costs> {
  const found: Record<string, Record<string, number>> = {};
  for (const file of readdirSync(folder).filter((name) => name.endsWith('.json'))) {
    const { argv, cpuMs, profile } = profileIn(join(folder, file));
    const name = Number.parseInt(file, 10) === hub ? 'hub' : argv.includes('executors/runner') ? 'runner' : 'agent';
    const costs = (found[name] ??= {});
    const add = (group: string, ms: number): void => {
      costs[group] = tidy((costs[group] ?? 0) + (ms * 1_000) / electrons);
    };
    for (const [group, share] of sharesOf(profile)) add(group, share * cpuMs.main);
    add(OTHER_THREADS, Math.max(0, cpuMs.all - cpuMs.main));
  }
  for (const file of readdirSync(folder)) rmSync(join(folder, file));
  return found;
}

interface Profiled {
  readonly argv: string;
  readonly cpuMs: { readonly all: number; readonly main: number };
  readonly profile: Profile;
}

function profileIn(file: string): Profiled {
  const document: unknown = JSON.parse(readFileSync(file, 'utf8'));
  if (!isProfiledDocument(document)) throw new Error(`${file}: not what cpu-profile.cjs writes`);
  return document;
}

function isProfiledDocument(document: unknown): document is Profiled {
  const cpuMs = field(document, 'cpuMs');
  return (
    typeof field(document, 'argv') === 'string' &&
    typeof field(cpuMs, 'all') === 'number' &&
    Array.isArray(field(field(document, 'profile'), 'samples'))
  );
}

function tableOf([load, processes]: [string, Record<string, Costs>]): string {
  const lines = Object.entries(processes).flatMap(([name, costs]) => {
    const rows = Object.entries(costs).sort(([, a], [, b]) => b - a);
    const sum = rows.reduce((total, [, each]) => total + each, 0);
    return [
      `  ${name}: ${tidy(sum)} µs`,
      ...rows.filter(([, each]) => each >= sum / 200).map(([group, each]) => `    ${each} ${group}`),
    ];
  });
  return [`${load}, µs of CPU time per electron`, ...lines].join('\n');
}

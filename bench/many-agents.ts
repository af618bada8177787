/**
 * What do 1,000 agents cost a hub? Its CPU time while all of them only sync, each 2 s, over a connection each; and 10,000 independent electrons (W2) shared out among all of them,
 * against the same on two: on two real agents, which is W2 as it is measured everywhere, and on two that are simulated as well, which differ in nothing but their number. The agents are simulated, in a few processes: they speak the protocol, take electrons and answer at once, so that what differs is the hub alone.
 */
import { fork } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { dispatch, electron, getValue, lattice } from 'polaron';
import { field } from './field.ts';
import type { BenchHub } from './hub.ts';
import { count, noop } from './noop.ts';
import type { Answer, Bed, Question } from './question.ts';
import { type Summary, summary, tidy } from './statistics.ts';
import { check } from './workload.ts';

const many = 1_000;
const few = 2;
const processes = 2;
const heartbeatMs = 2_000;
const idleMs = 10_000;
const width = 10_000;
/** Runs until rates are about even. */
const WARM_UPS = 12;
const idleGoal = { what: 'CPU of the hub with 1,000 idle agents, share of a core', limit: { atMost: 0.25 } };
const realGoal = { what: 'W2 with 1,000 simulated agents ÷ with two real ones', limit: { atLeast: 0.8 } };
const rateGoal = { what: 'W2 with 1,000 simulated agents ÷ with two simulated ones', limit: { atLeast: 0.8 } };

const onSimulated = electron({ needs: ['sim'] }, function onSimulated(value: number): number {
  return value;
});
/** On a real agent: what is simulated gives 0 for everything. */
const counted = count.with({ needs: ['cpus>=1'] });
const fan = lattice(function fan(first: number) {
  return counted(Array.from({ length: width }, (_, index) => onSimulated(first + index)));
});
/** Before any is simulated. */
const realFan = lattice(function realFan(first: number) {
  return counted(Array.from({ length: width }, (_, index) => noop(first + index)));
});

export const manyAgents: Question = {
  id: 'many-agents',
  asks: `${many} simulated agents on one hub: its CPU when idle, and W2 against two of them`,
  bus: 'each',
  onlyNamed: 'it holds a thousand connections',
  goals: [idleGoal, realGoal, rateGoal],
  notMeasured: ['real agents: these answer at once, and share the machine with the hub', 'agents that come and go'],
  measure,
};

/** One hub has them all, one after the other: it differs in nothing but its agents. */
async function measure(bed: Bed): Promise<Answer> {
  const hub = await bed.freshHub({ agents: few });
  const twoReal = await ratesOf(bed, realFan);
  const two = await measureWith(bed, hub, few);
  const thousand = await measureWith(bed, hub, many);
  const shown = ({ median, min, max }: Summary): string => `${median} (${min}–${max})`;
  const used = (idle: number | undefined): string => (idle === undefined ? 'unknown' : `${tidy(100 * idle)} %`);
  return {
    figures: { twoReal, two, thousand },
    got: {
      [idleGoal.what]: thousand.idle,
      [realGoal.what]: tidy(thousand.rate.median / twoReal.median),
      [rateGoal.what]: tidy(thousand.rate.median / two.rate.median),
    },
    text: `idle ${used(two.idle)} of a core with ${few} agents, ${used(thousand.idle)} with ${many}; ${shown(twoReal)} tasks/s on two real agents, ${shown(two.rate)} and ${shown(thousand.rate)} on ${few} and ${many} simulated ones`,
  };
}

interface Figures {
  readonly idle: number | undefined;
  readonly rate: Summary;
}

async function measureWith(bed: Bed, hub: BenchHub, agents: number): Promise<Figures> {
  const settings = { ...busOf(bed, hub), heartbeatMs, prefix: `of${agents}-` };
  const each = Math.ceil(agents / processes);
  const started: Simulated[] = [];
  for (let first = 0; first < agents; first += each)
    started.push(
      await bed.open(
        () => simulated({ ...settings, first, count: Math.min(each, agents - first) }),
        (one) => one.stop(),
      ),
    );
  bed.say(`  ${agents} have joined`);
  await sleep(heartbeatMs);
  const idle = await idleShare(hub);
  bed.say(`  idle: ${idle ?? 'unknown'} of a core`);
  const rate = await ratesOf(bed, fan);
  for (const one of started) await one.stop();
  return { idle, rate };
}

type Fan = typeof fan;

async function ratesOf(bed: Bed, of: Fan): Promise<Summary> {
  for (let warm = 0; warm < WARM_UPS; warm++) bed.say(`  ${tidy(await rateOf(of))} tasks/s`);
  const rates: number[] = [];
  for (let run = 0; run < bed.runs; run++) rates.push(await rateOf(of));
  return summary(rates);
}

/** Undefined where /proc isn't. */
async function idleShare(hub: BenchHub): Promise<number | undefined> {
  const before = hub.cpuSeconds();
  const began = performance.now();
  await sleep(idleMs);
  const after = hub.cpuSeconds();
  if (before === undefined || after === undefined) return undefined;
  return tidy(((after - before) * 1_000) / (performance.now() - began));
}

/** tasks/s. */
async function rateOf(of: Fan): Promise<number> {
  const began = performance.now();
  check(await getValue(await dispatch(of)(0)), width);
  return ((width + 1) * 1_000) / (performance.now() - began);
}

/** Where agents of any name may dial, and what their passwords are made of. */
function busOf(bed: Bed, hub: BenchHub): { readonly url: string; readonly secret?: string } {
  if (bed.bus.hubUrl !== undefined) return { url: bed.bus.hubUrl };
  const text = (file: string, key: string): string => {
    const found = field(JSON.parse(readFileSync(join(hub.home, file), 'utf8')), key);
    if (typeof found !== 'string') throw new Error(`${file} has no ${key}`);
    return found;
  };
  return { url: text('hub.json', 'bus'), secret: text('data/hub-identity.json', 'secret') };
}

interface Simulated {
  stop(): Promise<void>;
}

async function simulated(settings: object): Promise<Simulated> {
  // in a group of its own: a Ctrl-C leaves it alone until the bench ends it
  const child = fork(fileURLToPath(new URL('simulated-agents.mjs', import.meta.url)), { detached: true });
  const ended = once(child, 'exit');
  child.send(settings);
  const first = await Promise.race([once(child, 'message').then(() => 'joined'), ended.then(() => 'ended')]);
  if (first === 'ended') throw new Error('the simulated agents ended before they had joined');
  return {
    stop: async () => {
      if (child.connected) child.disconnect();
      await ended;
    },
  };
}

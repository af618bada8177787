/**
 * What does it cost that an agent runs inside a Slurm job? 10,000 independent electrons (W2) on an agent of `polaron agent`, and the same on one of `polaron pilot`, of equal slots, by turns on one hub.
 * The Slurm is a real one of one node on this machine (test/support/slurm.ts).
 */
import { dispatch, electron, getValue, lattice } from 'polaron';
import { startSlurm } from '../test/support/slurm.ts';
import { count } from './noop.ts';
import type { Answer, Bed, Question } from './question.ts';
import { type Summary, summary, tidy } from './statistics.ts';
import { check } from './workload.ts';

const width = 10_000;
const slots = 2;
const goal = { what: 'W2 of a plain agent ÷ of a pilot', limit: { atMost: 2 } };

const onPlain = electron({ needs: ['plain'] }, function onPlain(value: number): number {
  return value;
});
const onPilot = electron({ needs: ['pilot'] }, function onPilot(value: number): number {
  return value;
});
const plainFan = lattice(function plainFan(first: number) {
  return count(Array.from({ length: width }, (_, index) => onPlain(first + index)));
});
const pilotFan = lattice(function pilotFan(first: number) {
  return count(Array.from({ length: width }, (_, index) => onPilot(first + index)));
});

export const slurmPilot: Question = {
  id: 'slurm-pilot',
  asks: `${width} independent no-ops on an agent inside a Slurm job, and on one outside`,
  bus: 'each',
  onlyNamed: 'it needs Slurm (Debian: slurm-wlm, munge)',
  goals: [goal],
  notMeasured: ['a network between node and hub', 'what cgroups cost: this Slurm has none'],
  measure,
};

async function measure(bed: Bed): Promise<Answer> {
  const slurm = await bed.open(
    () => startSlurm(),
    (one) => one.close(),
  );
  process.env['SLURM_CONF'] = slurm.conf;
  const hub = await bed.freshHub({ agents: 1, slots });
  await hub.join('plain', slots, ['plain']);
  const began = performance.now();
  await hub.run(['pilot', '--time=60', `--slots=${slots}`, '--capability=pilot', '--sbatch=mem=1000']);
  check(await getValue(await dispatch(pilotFan)(0)), width);
  bed.say(`  the pilot's first run, its start included: ${tidy(performance.now() - began)} ms`);
  const [plain, pilot]: [number[], number[]] = [[], []];
  for (let warm = 0; warm < bed.warmUps; warm++) {
    await rateOf(plainFan);
    await rateOf(pilotFan);
  }
  for (let run = 0; run < bed.runs; run++) {
    plain.push(await rateOf(plainFan));
    pilot.push(await rateOf(pilotFan));
  }
  const [plainRate, pilotRate] = [summary(plain), summary(pilot)];
  const shown = ({ median, min, max }: Summary): string => `${tidy(median)} (${tidy(min)}–${tidy(max)})`;
  return {
    figures: { plain: plainRate, pilot: pilotRate },
    got: { [goal.what]: plainRate.median / pilotRate.median },
    text: `${shown(plainRate)} tasks/s outside, ${shown(pilotRate)} inside a job`,
  };
}

/** tasks/s. */
async function rateOf(fan: typeof plainFan): Promise<number> {
  const began = performance.now();
  check(await getValue(await dispatch(fan)(0)), width);
  return ((width + 1) * 1_000) / (performance.now() - began);
}

/**
 * A question that is answered by comparing with the bare loop, in turn with it, and with the peers: warmed up, repeated, medians and spreads, ratios.
 * Not responsible for what is run: that is each workload's file.
 */
import type { CeilingFigure } from './ceiling-process.ts';
import type { Goal, Limit } from './goal.ts';
import type { Answer, Bed, Question } from './question.ts';
import { type Figures, summaries, type Summary, tidy } from './statistics.ts';

export interface Workload {
  readonly id: string;
  readonly asks: string;
  readonly notMeasured: readonly string[];
  /** Of each figure. The first figure is the main one: a warm-up ends when that gets better no more. */
  readonly units: Readonly<Record<string, string>>;
  /** Is less of the main figure better, or more? */
  readonly better: 'less' | 'more';
  /** The loop of the ceiling that does the same. */
  readonly ceiling: CeilingFigure;
  /** The ceiling's values → figures to compare with, by the same names. */
  fromCeiling(values: readonly number[]): Figures;
  readonly ratios: readonly RatioGoal[];
  /** One run against the hub that POLARON_HOME names. Raises Error when a value is wrong. */
  run(): Promise<Figures>;
}

/** The median of a figure ÷ the other's median. */
export interface RatioGoal {
  readonly figure: string;
  /** The bare loop, or a peer by its name. */
  readonly to: string;
  /** The other's figure, where it isn't of the same name. */
  readonly of?: string;
  readonly limit: Limit;
}

export const bareLoop = 'the bare loop';

const LATE_MS = 120_000;

/** A fast wrong answer is no measurement. */
export function check(got: unknown, wanted: unknown): void {
  if (got !== wanted) throw new Error(`wrong value: got ${String(got)}, wanted ${String(wanted)}`);
}

export function questionOf(workload: Workload): Question {
  const { id, asks, notMeasured } = workload;
  const goals = workload.ratios.map((ratio): Goal => ({ what: ratioName(ratio), limit: ratio.limit }));
  return {
    id,
    asks,
    bus: 'each',
    goals,
    comparesWithPeers: true,
    notMeasured,
    measure: (bed) => compare(workload, bed),
  };
}

async function compare(workload: Workload, bed: Bed): Promise<Answer> {
  const ceiling = await bed.ceiling();
  await bed.sharedHub();
  const measureCeiling = async (): Promise<Figures> => workload.fromCeiling(await ceiling.measure(workload.ceiling));
  const cold = await warmUp(workload, bed.warmUps);
  await measureCeiling();
  const [ours, bounds]: [Figures[], Figures[]] = [[], []];
  for (let run = 0; run < bed.runs; run++) {
    bounds.push(await measureCeiling());
    ours.push(await withDeadline(workload));
  }
  const [polaron, bound] = [summaries(ours), summaries(bounds)];
  const peers = Object.entries(bed.peers).flatMap(([name, by]) => {
    const figures = by[workload.id];
    return figures === undefined ? [] : ([[name, figures]] as const);
  });
  const sides = new Map<string, Readonly<Record<string, Summary>>>([[bareLoop, bound], ...peers]);
  const got = Object.fromEntries(
    workload.ratios.map((ratio) => [ratioName(ratio), ratioOf(polaron, sides.get(ratio.to), ratio)]),
  );
  const figures = { units: workload.units, polaron, cold, ceiling: bound, peers: Object.fromEntries(peers) };
  return { figures, got, text: textOf(workload, polaron, cold, sides) };
}

const ratioName = ({ figure, to, of }: RatioGoal): string => `${figure} ÷ ${to}: ${of ?? figure}`;

/** Undefined when the other side wasn't measured. Raises Error when the workload has no such figure. */
function ratioOf(
  ours: Readonly<Record<string, Summary>>,
  theirs: Readonly<Record<string, Summary>> | undefined,
  { figure, to, of }: RatioGoal,
): number | undefined {
  const mine = ours[figure];
  if (mine === undefined) throw new Error(`no figure "${figure}" was measured`);
  if (theirs === undefined) return undefined;
  const other = theirs[of ?? figure];
  if (other === undefined) throw new Error(`no figure "${of ?? figure}" of ${to} was measured`);
  return mine.median / other.median;
}

/**
 * Runs the workload until it gets clearly better no more, at most `most` times: the ceiling's loop has done 66,000 tasks by now, and is compiled.
 * Returns what the first run gave.
 */
async function warmUp(workload: Workload, most: number): Promise<Figures> {
  const [main = ''] = Object.keys(workload.units);
  const better =
    workload.better === 'less' ? (a: number, b: number) => a < b * 0.95 : (a: number, b: number) => a > b * 1.05;
  const cold = await withDeadline(workload);
  let best = cold[main] ?? Number.NaN;
  for (let run = 1, late = 0; run < most && late < 3; run++) {
    const figure = (await withDeadline(workload))[main] ?? Number.NaN;
    late = better(figure, best) ? 0 : late + 1;
    if (late === 0) best = figure;
  }
  return Object.fromEntries(Object.entries(cold).map(([name, value]) => [name, tidy(value)]));
}

/** One run. Raises Error when it takes two minutes: a lost dispatch must show, not hang the bench. */
async function withDeadline(workload: Workload): Promise<Figures> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error(`${workload.id} did not finish within ${LATE_MS / 1_000} s`)), LATE_MS);
  });
  try {
    return await Promise.race([workload.run(), late]);
  } finally {
    clearTimeout(timer);
  }
}

function textOf(
  { units }: Workload,
  ours: Readonly<Record<string, Summary>>,
  cold: Figures,
  sides: ReadonlyMap<string, Readonly<Record<string, Summary>>>,
): string {
  const spread = (one: Summary): string => `${one.median} (${one.min}–${one.max})`;
  const lines = Object.entries(ours).map(([name, figure]) => {
    const others = [...sides].flatMap(([side, figures]) => {
      const other = figures[name];
      return other === undefined ? [] : [`${side} ${spread(other)}`];
    });
    return [`${name} ${spread(figure)} ${units[name] ?? ''}, the first run ${cold[name] ?? '?'}`, ...others].join('; ');
  });
  return lines.join('\n');
}

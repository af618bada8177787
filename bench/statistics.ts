/** Medians, percentiles and spreads of a few measured numbers. Raises RangeError for none: a figure that wasn't measured is no figure. */

export function percentile(values: readonly number[], share: number): number {
  const sorted = [...values].sort((a, b) => a - b);
  const value = sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))];
  if (value === undefined) throw new RangeError('no values');
  return value;
}

export const median = (values: readonly number[]): number => percentile(values, 0.5);

export interface Summary {
  readonly median: number;
  readonly min: number;
  readonly max: number;
  /** (max − min) / median. */
  readonly spread: number;
  readonly runs: readonly number[];
}

export function summary(runs: readonly number[]): Summary {
  const [low, middle, high] = [percentile(runs, 0), median(runs), percentile(runs, 1)];
  return {
    median: tidy(middle),
    min: tidy(low),
    max: tidy(high),
    spread: tidy((high - low) / middle),
    runs: runs.map(tidy),
  };
}

/** Figures of one run by name. */
export type Figures = Readonly<Record<string, number>>;

/** Of the same figures of several runs. */
export function summaries(runs: readonly Figures[]): Record<string, Summary> {
  const names = Object.keys(runs[0] ?? {});
  return Object.fromEntries(names.map((name) => [name, summary(runs.flatMap((run) => run[name] ?? []))]));
}

/** Four significant digits: more would pretend. */
export const tidy = (value: number): number => Number(value.toPrecision(4));

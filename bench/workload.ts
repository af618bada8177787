/** What a workload that is compared with the bare ceiling says about itself. */
import type { CeilingFigure } from './ceiling-process.ts';

export interface Workload {
  readonly id: string;
  readonly what: string;
  readonly unit: string;
  /** The loop of the ceiling that does the same. */
  readonly ceiling: CeilingFigure;
  /** The ceiling's values → the figure to compare with, in this workload's unit. */
  fromCeiling(values: readonly number[]): number;
  /** Limit of figure ÷ ceiling. */
  readonly target: { readonly atMost: number } | { readonly atLeast: number };
  /** One run against the hub that POLARON_HOME names. Raises Error when a value is wrong. `extra` holds figures without a target. */
  run(): Promise<{ readonly figure: number; readonly extra?: Readonly<Record<string, number>> }>;
}

/** A fast wrong answer is no measurement. */
export function check(got: unknown, wanted: unknown): void {
  if (got !== wanted) throw new Error(`wrong value: got ${String(got)}, wanted ${String(wanted)}`);
}

/** A goal of a question, and whether a figure meets it: judged in one place. What was not measured meets nothing. Not responsible for where goals come from. */
import { tidy } from './statistics.ts';

export type Limit = { readonly atMost: number } | { readonly atLeast: number };

export interface Goal {
  /** What is compared, unit included: `step ÷ the bare loop’s`, `peak RssAnon, MiB`. The key of the figure in an answer. */
  readonly what: string;
  readonly limit: Limit;
}

export interface Verdict {
  readonly what: string;
  readonly got: number | null;
  readonly limit: Limit;
  /** Null: not measured. */
  readonly met: boolean | null;
}

export function judge({ what, limit }: Goal, got: number | undefined): Verdict {
  if (got === undefined || !Number.isFinite(got)) return { what, got: null, limit, met: null };
  return { what, got: tidy(got), limit, met: 'atMost' in limit ? got <= limit.atMost : got >= limit.atLeast };
}

export const limitText = (limit: Limit): string =>
  'atMost' in limit ? `≤ ${tidy(limit.atMost)}` : `≥ ${tidy(limit.atLeast)}`;

export function verdictText({ what, got, limit, met }: Verdict): string {
  const word = met === null ? 'not measured' : met ? 'met' : 'MISSED';
  return `${what}${got === null ? '' : ` ${got}`}, wanted ${limitText(limit)}: ${word}`;
}

/** Durations as users write them: milliseconds, or `'500ms' | '5s' | '10m' | '2h' | '1d'`. */
import { PolaronError } from '../model/errors.ts';

const FACTORS: Readonly<Record<string, number>> = { ms: 1, s: 1_000, m: 60_000, h: 3_600_000, d: 86_400_000 };

/** Milliseconds of `duration`; `what` names the option in the error. Raises USAGE for anything that is not a duration of 0 or more. */
export function milliseconds(duration: unknown, what: string): number {
  let ms = Number.NaN;
  if (typeof duration === 'number') ms = duration;
  else if (typeof duration === 'string') {
    const [, count, unit] = /^([\d.]+(?:e\d+)?)(ms|s|m|h|d)$/.exec(duration) ?? [];
    const factor = FACTORS[unit ?? ''];
    if (count !== undefined && factor !== undefined) ms = Number(count) * factor;
  }
  if (Number.isFinite(ms) && ms >= 0) return Math.round(ms);
  throw new PolaronError(
    'USAGE',
    `${what} is ${JSON.stringify(duration) ?? String(duration)}, which is not a duration`,
    {
      help: "Give milliseconds as a number, or a text such as '500ms', '5s', '10m', '2h' or '1d'.",
    },
  );
}

/** The error for an option with a wrong value: which, of what, the value, and what was expected. */
import { PolaronError } from '../model/errors.ts';

export const wrong = (where: string, option: string, value: unknown, expected: string): PolaronError =>
  new PolaronError('USAGE', `${where}: ${option} is ${JSON.stringify(value) ?? String(value)}; expected ${expected}`, {
    help: `Correct the option ${option}.`,
  });

/** Sizes for people. */

const UNITS = ['KiB', 'MiB', 'GiB', 'TiB'] as const;

/** `512 B`, `4.2 KiB`, `17 MiB`. */
export function size(bytes: number): string {
  let unit = 'B';
  let rest = bytes;
  for (const larger of UNITS) {
    if (rest < 1_024) break;
    rest /= 1_024;
    unit = larger;
  }
  return `${unit === 'B' || rest >= 10 ? Math.round(rest) : rest.toFixed(1)} ${unit}`;
}

/** `1 value`, `2 values`. */
export const many = (count: number, noun: string): string =>
  `${count} ${noun}${count === 1 ? '' : noun.endsWith('ch') ? 'es' : 's'}`;

/** Text on a terminal: colours for statuses, and what users' names may not do to a terminal. */
import type { DispatchStatus, ElectronStatus } from '../model/lifecycle.ts';

const codes = {
  bold: [1, 22],
  dim: [2, 22],
  red: [31, 39],
  green: [32, 39],
  yellow: [33, 39],
  cyan: [36, 39],
} as const;
export type Colour = keyof typeof codes;

const statusColours: Readonly<Partial<Record<DispatchStatus | ElectronStatus, Colour>>> = {
  completed: 'green',
  reused: 'green',
  failed: 'red',
  cancelled: 'yellow',
  cancelling: 'yellow',
  skipped: 'yellow',
  retrying: 'yellow',
  running: 'cyan',
  assigned: 'cyan',
  waiting: 'dim',
  ready: 'dim',
  accepted: 'dim',
};

export function paint(text: string, colour: Colour, enabled: boolean): string {
  const [open, close] = codes[colour];
  return enabled ? `\u001B[${open}m${text}\u001B[${close}m` : text;
}

/** A status is always a word; the colour only repeats it. */
export function paintStatus(status: DispatchStatus | ElectronStatus, enabled: boolean): string {
  const colour = statusColours[status];
  return colour === undefined ? status : paint(status, colour, enabled);
}

/** Users' text on one line, without control characters (a name can't move the cursor or end a table row). */
// oxlint-disable-next-line no-control-regex
export const plain = (text: string): string => text.replaceAll(/[\u0000-\u001F\u007F-\u009F\u2028\u2029]+/g, ' ');

/** At most `width` characters; a cut is marked. */
export const cut = (text: string, width: number): string =>
  text.length <= width ? text : `${text.slice(0, Math.max(0, width - 1))}…`;

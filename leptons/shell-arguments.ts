/** An electron's arguments as a command line and environment variables. Not here: starting the command (shell.ts). */
import { PolaronError } from '../model/errors.ts';

export interface ShellArguments {
  readonly positional: readonly string[];
  /** ARG_1, ARG_2, …; of an argument that is an object its keys, too: ARG_city. */
  readonly variables: Readonly<Record<string, string>>;
}

const VARIABLE = /^[A-Za-z_][A-Za-z0-9_]*$/;

/** Raises LEPTON_ARGUMENT for what has no text: bytes, dates, and text with a zero byte. */
export function textsOf(args: readonly unknown[], where: string): ShellArguments {
  const variables: Record<string, string> = {};
  const positional = args.map((arg, index) => {
    const at = `${where}, argument ${index + 1}`;
    const text = textOf(arg, at);
    variables[`ARG_${index + 1}`] = text;
    if (isPlain(arg)) {
      for (const [key, value] of Object.entries(arg)) {
        if (VARIABLE.test(key)) variables[`ARG_${key}`] = textOf(value, `${at}, property ${key}`);
      }
    }
    return text;
  });
  return { positional, variables };
}

/** A text as it is, numbers and booleans as JavaScript writes them, nothing for null and undefined, JSON for the rest. */
function textOf(value: unknown, at: string): string {
  const text = written(value, at);
  if (text.includes('\0')) throw refused(at, 'a text with a zero byte, which no command line can hold');
  return text;
}

function written(value: unknown, at: string): string {
  if (typeof value === 'string') return value;
  if (typeof value === 'number' || typeof value === 'boolean' || typeof value === 'bigint') return String(value);
  if (value === undefined || value === null) return '';
  checkPlain(value, at);
  return JSON.stringify(value);
}

const isPlain = (x: unknown): x is object =>
  typeof x === 'object' && x !== null && [Object.prototype, null].includes(Object.getPrototypeOf(x));

/** JSON would lose what isn't plain. */
function checkPlain(value: unknown, at: string): void {
  if (value === null || ['string', 'number', 'boolean', 'undefined'].includes(typeof value)) return;
  if (Array.isArray(value)) for (const item of value) checkPlain(item, at);
  else if (isPlain(value)) for (const item of Object.values(value)) checkPlain(item, at);
  else throw refused(at, `a ${typeof value === 'object' ? value.constructor.name : typeof value}`);
}

const refused = (at: string, what: string): PolaronError =>
  new PolaronError('LEPTON_ARGUMENT', `${at} is or holds ${what}`, {
    help: 'Pass text, numbers, booleans, and plain objects and arrays of them.',
  });

/** Any thrown thing as an ErrorInfo: name, message, the user's own code, the source-mapped stack, and the causes. Never throws itself. */
import { isErrorCode } from '../../model/error-table.ts';
import { codeOfError } from '../../model/errors.ts';
import type { ErrorInfo } from '../../model/outcome.ts';

const MOST_CAUSES = 8;
const LONGEST_MESSAGE = 16 * 1024;
const LONGEST_STACK = 16 * 1024;
const LONGEST_NAME = 200;

/** `code` is given to what isn't a PolaronError; those keep theirs. */
export function errorInfoOf(thrown: unknown, code: string): ErrorInfo {
  return describe(thrown, code, 0, new Set());
}

function describe(thrown: unknown, code: string, depth: number, seen: Set<unknown>): ErrorInfo {
  if (typeof thrown !== 'object' || thrown === null) return { code, message: textOf(thrown) };
  seen.add(thrown);
  const name = classOf(thrown);
  const own = polaronCode(thrown);
  const userCode = own === undefined ? read(thrown, 'code') : undefined;
  const message = read(thrown, 'message');
  const stack = read(thrown, 'stack');
  const cause = property(thrown, 'cause');
  return {
    code: own ?? code,
    message: typeof message === 'string' ? message.slice(0, LONGEST_MESSAGE) : textOf(thrown),
    ...(typeof name === 'string' ? { name: name.slice(0, LONGEST_NAME) } : {}),
    ...(typeof userCode === 'string' ? { userCode: userCode.slice(0, LONGEST_NAME) } : {}),
    ...(typeof stack === 'string' ? { stack: stack.slice(0, LONGEST_STACK) } : {}),
    ...(cause !== undefined && depth < MOST_CAUSES && !seen.has(cause)
      ? { cause: describe(cause, code, depth + 1, seen) }
      : {}),
  };
}

/** The code of one of Polaron's own errors: one that a module of the user's bundle raised, too. */
function polaronCode(thrown: object): string | undefined {
  try {
    const code = codeOfError(thrown);
    return isErrorCode(code) ? code : undefined;
  } catch {
    return undefined;
  }
}

/** What it calls itself; of a class that doesn't say (`class Flaky extends Error {}`), the class's own name. */
function classOf(thrown: object): string | undefined {
  const name = read(thrown, 'name');
  const made = property(thrown, 'constructor');
  if (typeof made !== 'function' || made.name === '' || isOwn(thrown, 'name')) return name;
  // a name that it has from a class above says less than its own class does
  return isOwn(property(made, 'prototype'), 'name') ? name : made.name;
}

const isOwn = (of: unknown, key: string): boolean => {
  try {
    return typeof of === 'object' && of !== null && Object.hasOwn(of, key);
  } catch {
    return false;
  }
};

function property(from: object, key: string): unknown {
  try {
    const found: unknown = Reflect.get(from, key);
    return found;
  } catch {
    return undefined;
  }
}

function read(from: object, key: string): string | undefined {
  const found = property(from, key);
  return typeof found === 'string' ? found : undefined;
}

function textOf(thrown: unknown): string {
  try {
    return (
      typeof thrown === 'object' && thrown !== null ? (JSON.stringify(thrown) ?? 'an object') : String(thrown)
    ).slice(0, LONGEST_MESSAGE);
  } catch {
    return 'something that has no text was thrown';
  }
}

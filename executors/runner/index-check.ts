/** What is wrong with a bundle on this agent, as errors that say what to do. Not here: loading (loader.ts) and reading captured values (bus/capture.ts). */
import { latticeBehind } from '../../model/graph.ts';
import type { ErrorInfo } from '../../model/outcome.ts';

const textOf = (error: unknown): string => (error instanceof Error ? error.message : String(error));

/** The user's error as data, its causes included (at most five). */
export function infoOf(code: string, error: unknown, depth = 0): ErrorInfo {
  if (!(error instanceof Error)) return { code, message: String(error) };
  const userCode: unknown = 'code' in error ? error.code : undefined;
  return {
    code,
    message: error.message,
    name: error.name,
    ...(typeof userCode === 'string' ? { userCode } : {}),
    ...(error.stack === undefined ? {} : { stack: error.stack }),
    ...(error.cause === undefined || depth > 4 ? {} : { cause: infoOf(code, error.cause, depth + 1) }),
  };
}

/** First place in the author's own files that a stack names: `polaron:///src/x.ts:2:27`. */
export const placeIn = (error: unknown): string | undefined =>
  error instanceof Error ? /polaron:\/\/\/(?!node_modules)[^\s)]+:\d+:\d+/.exec(error.stack ?? '')?.[0] : undefined;

function adviceFor(error: unknown): string {
  const code: unknown = error instanceof Error && 'code' in error ? error.code : undefined;
  if (code === 'ERR_MODULE_NOT_FOUND' || code === 'MODULE_NOT_FOUND') {
    return "Packages that are not in the bundle must be installed on the agents: electron({ deps: { npm: { name: 'version' } } }, ...).";
  }
  if (code === 'ENOENT') {
    return 'Top-level code runs again on the agents; local files are not there. Import the file, or read it before dispatch() in code that only your script runs, and pass it.';
  }
  return 'Top-level code runs again on the agents: environment, files and services differ there. Do such work in an electron, or in a function that only your script calls.';
}

const onAgent = (agent: string | undefined): string => (agent === undefined ? 'on the agent' : `on agent ${agent}`);

/** `electron` undefined: the whole bundle. */
export function loadError(electron: string | undefined, error: unknown, agent: string | undefined): ErrorInfo {
  const what = electron === undefined ? 'the code of this dispatch' : `the module of electron '${electron}'`;
  const place = placeIn(error);
  return {
    code: 'BUNDLE_LOAD',
    message: `${what} failed to load ${onAgent(agent)}: ${textOf(error)}${place === undefined ? '' : ` (${place})`}. ${adviceFor(error)}`,
    ...(error instanceof Error && error.stack !== undefined ? { stack: error.stack } : {}),
    cause: infoOf('BUNDLE_LOAD', error),
  };
}

export function stuckError(electron: string | undefined, waitedMs: number, agent: string | undefined): ErrorInfo {
  const what = electron === undefined ? 'the code of this dispatch' : `the module of electron '${electron}'`;
  return {
    code: 'BUNDLE_LOAD',
    message: `${what} did not finish loading ${onAgent(agent)} within ${Number((waitedMs / 1_000).toPrecision(2))} s: it waits for something at its top level. Await it in an electron, or in a function that only your script calls.`,
  };
}

/** Why an inline electron of that name is not there either. */
export interface InlineRefusal {
  readonly uses: readonly string[];
  readonly reason?: string;
}

export function notFoundError(
  electron: string,
  defined: readonly string[],
  haltedAt: string | undefined,
  refusal: InlineRefusal | undefined,
): ErrorInfo {
  const known = [...new Set(defined.filter((name) => latticeBehind(name) === undefined))];
  const shown =
    known.length <= 12 ? known.join(', ') : `${known.slice(0, 12).join(', ')} and ${known.length - 12} more`;
  const alone =
    refusal === undefined
      ? ''
      : ` It can't be sent on its own either, because ${refusal.uses.length > 0 ? `it uses: ${refusal.uses.join(', ')}` : (refusal.reason ?? 'its text cannot be read')}.`;
  return {
    code: 'ELECTRON_NOT_FOUND',
    message:
      `electron '${electron}' was not defined when its module was loaded on the agent. It has to be created at the top level of a module ` +
      '(or before the first dispatch() on the way there), not inside a function that only your script runs (main(), a request handler, if (import.meta.main)).' +
      `${alone} Defined here: ${shown === '' ? 'none' : shown}.${haltedAt === undefined ? '' : ` Loading stopped at ${haltedAt}.`}`,
  };
}

export function ambiguousError(electron: string, places: readonly string[]): ErrorInfo {
  const lattice = latticeBehind(electron);
  const two = lattice === undefined ? `electrons are called '${electron}'` : `lattices are called '${lattice}'`;
  return {
    code: 'ELECTRON_AMBIGUOUS',
    message: `two different ${two} (${places.join(', ')}): give one of them { name: '...' }`,
  };
}

/**
 * Does this error of a running electron come from a variable that its module defines after dispatch()? Only asked for a module that halted.
 * `isLateClass`: the bundler turns top-level classes into `var`, so that a late one is undefined instead of refusing access.
 */
export function explainTdz(
  error: unknown,
  electron: string,
  haltedAt: string | undefined,
  isLateClass: (name: string) => boolean = () => false,
): ErrorInfo | undefined {
  if (haltedAt === undefined || !(error instanceof Error)) return undefined;
  const locked =
    error.name === 'ReferenceError'
      ? /^Cannot access '([^']+)' before initialization$/.exec(error.message)?.[1]
      : undefined;
  const klass = error.name === 'TypeError' ? /^([\w$]+) is not a constructor$/.exec(error.message)?.[1] : undefined;
  const variable = locked ?? (klass !== undefined && isLateClass(klass) ? klass : undefined);
  if (variable === undefined) return undefined;
  const name = variable.replace(/\$\d+$/, '');
  return {
    code: 'DEFINED_AFTER_DISPATCH',
    message:
      `electron '${electron}' uses '${name}', which its module only defines after ${haltedAt}; on agents a module is evaluated up to that call. ` +
      `Move the definition of '${name}' above it, or dispatch from another file or function.`,
    ...(error.stack === undefined ? {} : { stack: error.stack }),
    cause: infoOf('DEFINED_AFTER_DISPATCH', error),
  };
}

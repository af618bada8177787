/**
 * `before` and `after` hooks: functions that run around an electron's own, in its process and attempt, in order. They are a part of the function that is
 * registered, so that an agent and `.local()` run them alike. Not here: which are refused (definition-checks.ts), what the runner makes of one that threw (executors/runner/call.ts).
 */
import { around, HOOK_FAILURE, type HookFailure } from '../bus/protocol/registry.ts';
import { PolaronError } from '../model/errors.ts';
import { HOOKING } from '../model/graph.ts';
import { context } from './context.ts';
import { checkHooks } from './definition-checks.ts';
import type { Hook } from './types.ts';

type Fn = (...args: never[]) => unknown;
type Kind = 'before' | 'after';

/** Checked (definition-checks.ts). */
export interface Hooks {
  readonly before?: readonly Hook[];
  readonly after?: readonly Hook[];
}

/** `fn` with its hooks around it. A promise only if a hook or `fn` makes one. What a hook throws becomes HOOK_FAILED. */
export function withHooks(where: () => string, { before = [], after = [] }: Hooks, fn: Fn): Fn {
  const hooked = (...args: unknown[]): unknown =>
    then(runAll(where, 'before', before, 0), () =>
      then(Reflect.apply(fn, undefined, args), (result) => then(runAll(where, 'after', after, 0), () => result)),
    );
  return around(hooked, fn);
}

const isPromise = (x: unknown): x is PromiseLike<unknown> =>
  typeof x === 'object' && x !== null && 'then' in x && typeof x.then === 'function';

const then = (x: unknown, next: (value: unknown) => unknown): unknown => (isPromise(x) ? x.then(next) : next(x));

/** From the hook at `at` on, each after the one before it has settled. */
function runAll(where: () => string, kind: Kind, hooks: readonly Hook[], at: number): unknown {
  const hook = hooks[at];
  if (hook === undefined) return undefined;
  const { run, args = [], as } = hook;
  const next = (value: unknown): unknown => {
    if (as !== undefined) Reflect.set(context().injected, as, value);
    return runAll(where, kind, hooks, at + 1);
  };
  const failed = (thrown: unknown): never => {
    throw failureOf(`${where()}: ${kind} hook ${at + 1}`, hook, thrown);
  };
  let result: unknown;
  try {
    result = Reflect.apply(run, undefined, args);
  } catch (thrown) {
    return failed(thrown);
  }
  return isPromise(result) ? result.then(next, failed) : next(result);
}

function failureOf(which: string, { run }: Hook, thrown: unknown): PolaronError {
  // an arrow in `{ run: () => … }` is called `run` by the language
  const what = run.name === '' || run.name === 'run' ? which : `${which} "${run.name}"`;
  const message = `${what}: ${thrown instanceof Error ? thrown.message : String(thrown)}`;
  const failure: HookFailure = { what, thrown };
  return Object.defineProperty(new PolaronError('HOOK_FAILED', message, { cause: thrown }), HOOK_FAILURE, {
    value: failure,
  });
}

/** The hooks among a lattice's defaults, as agents find them: it puts them around an electron's function. Raises USAGE; undefined when there are none. */
export function hookingOf(
  lattice: string,
  site: { readonly at: string; readonly file: string | undefined },
  { before, after }: Hooks = {},
): Hooking | undefined {
  if (before === undefined && after === undefined) return undefined;
  const hooks = { ...(before === undefined ? {} : { before }), ...(after === undefined ? {} : { after }) };
  const where = (): string => `lattice "${lattice}" (${site.at})`;
  checkHooks(where, hooks);
  return {
    name: `${HOOKING}${lattice}`,
    file: site.file,
    get at() {
      return site.at;
    },
    fn: (fn: Fn, electron: string): Fn => withHooks(() => `electron "${electron}", by ${where()}`, hooks, fn),
  };
}

/** An electron by its form, that takes a function and its electron's name. */
export interface Hooking {
  readonly name: string;
  readonly file: string | undefined;
  readonly at: string;
  readonly fn: (fn: Fn, electron: string) => Fn;
}

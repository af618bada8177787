/**
 * From an electron's options to what the hub and the agents are told (ElectronDef): own options over the lattice's defaults over the system's.
 * Everything is checked here, so that a wrong option is an error in the user's process. Raises USAGE and CAPABILITY_INVALID. Not here: which executor it is (executor-option.ts).
 */
import { innermost } from '../bus/protocol/registry.ts';
import { checkNeeds } from '../model/capability.ts';
import { PolaronError } from '../model/errors.ts';
import { DEFAULT_EXECUTOR } from '../model/executor-choice.ts';
import { MOST_RETRIES } from '../model/retry.ts';
import {
  DEFAULT_RETRY,
  IDENTITY_ELECTRON,
  LONGEST_KEY,
  NO_TIMEOUTS,
  type ElectronDef,
  type RetryPolicy,
  type Timeouts,
} from '../model/graph.ts';
import type { ElectronInfo } from './builder.ts';
import { depsOf } from './deps-option.ts';
import { milliseconds } from './durations.ts';
import { chosenExecutor } from './executor-option.ts';
import type { Hooking } from './hooks.ts';
import { impliedNeeds, leptonMarkOf } from './lepton-mark.ts';
import type { ElectronOptions, ExecutorSpec } from './types.ts';
import { wrong } from './wrong-option.ts';

/** The definition of the identity electron: runs anywhere, and what kills its process isn't its own doing. */
export const identityDef: ElectronDef = {
  name: IDENTITY_ELECTRON,
  executor: DEFAULT_EXECUTOR,
  needs: [],
  retries: { ...DEFAULT_RETRY, max: 10, delayMs: 100, retryOn: ['CRASHED'] },
  timeouts: NO_TIMEOUTS,
};

function numberOf(where: string, option: string, value: unknown, min: number, max = Number.MAX_SAFE_INTEGER): number {
  if (typeof value === 'number' && value >= min && value <= max) return value;
  throw wrong(
    where,
    option,
    value,
    max === Number.MAX_SAFE_INTEGER ? `a number of at least ${min}` : `${min} to ${max}`,
  );
}

function countOf(where: string, option: string, value: unknown, min: number, max = Number.MAX_SAFE_INTEGER): number {
  if (typeof value === 'number' && Number.isSafeInteger(value) && value >= min && value <= max) return value;
  const most = typeof value === 'number' && value > max ? ` and at most ${max}` : '';
  throw wrong(where, option, value, `a whole number of at least ${min}${most}`);
}

function textsOf(where: string, option: string, value: unknown): readonly string[] {
  if (Array.isArray(value) && value.every((text) => typeof text === 'string')) return value;
  throw wrong(where, option, value, 'an array of strings');
}

function needsIn(where: string, given: unknown): readonly string[] {
  const needs = textsOf(where, 'needs', given ?? []);
  checkNeeds(where, needs);
  return needs;
}

function retryPolicy(where: string, retries: ElectronOptions['retries']): RetryPolicy {
  if (retries === undefined) return DEFAULT_RETRY;
  if (typeof retries !== 'object' || retries === null) {
    return { ...DEFAULT_RETRY, max: countOf(where, 'retries', retries, 0, MOST_RETRIES) };
  }
  const { max, delay, backoff, maxDelay, jitter, retryOn, notOn } = retries;
  return {
    max: countOf(where, 'retries.max', max, 0, MOST_RETRIES),
    delayMs: delay === undefined ? DEFAULT_RETRY.delayMs : milliseconds(delay, `${where}: retries.delay`),
    backoff: numberOf(where, 'retries.backoff', backoff ?? DEFAULT_RETRY.backoff, 1),
    maxDelayMs:
      maxDelay === undefined ? DEFAULT_RETRY.maxDelayMs : milliseconds(maxDelay, `${where}: retries.maxDelay`),
    jitter: numberOf(where, 'retries.jitter', jitter ?? DEFAULT_RETRY.jitter, 0, 1),
    retryOn: textsOf(where, 'retries.retryOn', retryOn ?? DEFAULT_RETRY.retryOn),
    notOn: textsOf(where, 'retries.notOn', notOn ?? DEFAULT_RETRY.notOn),
  };
}

function timeoutsOf(where: string, timeout: ElectronOptions['timeout']): Timeouts {
  if (timeout === undefined) return NO_TIMEOUTS;
  if (typeof timeout !== 'object' || timeout === null) {
    return { ...NO_TIMEOUTS, attemptMs: milliseconds(timeout, `${where}: timeout`) };
  }
  const ms = (key: 'queue' | 'attempt' | 'total' | 'silence'): number => {
    const given = timeout[key];
    return given === undefined ? 0 : milliseconds(given, `${where}: timeout.${key}`);
  };
  return { queueMs: ms('queue'), attemptMs: ms('attempt'), totalMs: ms('total'), silenceMs: ms('silence') };
}

function concurrencyOf(where: string, given: ElectronOptions['concurrency']): Pick<ElectronDef, 'concurrency'> {
  if (given === undefined) return {};
  if (typeof given !== 'object' || given === null)
    throw wrong(where, 'concurrency', given, "a key and a limit, such as { key: 'db', limit: 4 }");
  const { key, limit } = given;
  if (typeof key !== 'string' || key === '' || key.length > LONGEST_KEY)
    throw wrong(where, 'concurrency.key', key, `a text of 1 to ${LONGEST_KEY} characters`);
  return { concurrency: { key, limit: countOf(where, 'concurrency.limit', limit, 1) } };
}

function exclusiveOf(where: string, given: unknown): Pick<ElectronDef, 'exclusive'> {
  if (given === undefined || given === false) return {};
  if (given !== true) throw wrong(where, 'exclusive', given, 'true or false');
  return { exclusive: true };
}

function cacheOf(where: string, given: unknown): Pick<ElectronDef, 'cache'> {
  if (given === undefined || given === false) return {};
  if (given === true) return { cache: {} };
  if (!isPlain(given)) throw wrong(where, 'cache', given, "true, false, or a plain object such as { ttl: '1d' }");
  const { key, ttl, ...others }: { readonly key?: unknown; readonly ttl?: unknown } = given;
  const [other] = Object.keys(others);
  if (other !== undefined) throw wrong(where, 'an option of cache', other, 'key or ttl');
  if (key !== undefined && (typeof key !== 'string' || key === '' || key.length > LONGEST_KEY))
    throw wrong(where, 'cache.key', key, `a text of 1 to ${LONGEST_KEY} characters`);
  const ttlMs = ttl === undefined ? undefined : milliseconds(ttl, `${where}: cache.ttl`);
  if (ttlMs === 0) throw wrong(where, 'cache.ttl', ttl, 'more than 0: else no value would ever be taken');
  return { cache: { ...(key === undefined ? {} : { key }), ...(ttlMs === undefined ? {} : { ttlMs }) } };
}

function envOf(where: string, env: unknown): Readonly<Record<string, string>> {
  if (!isTexts(env)) throw wrong(where, 'env', env, 'an object of strings');
  for (const [name, value] of Object.entries(env)) {
    if (!/^[a-z_]\w*$/i.test(name) || name.startsWith('POLARON_'))
      throw wrong(where, 'a name in env', name, 'letters, digits and _, not beginning with a digit or POLARON_');
    if (value.includes('\0')) throw wrong(where, `env.${name}`, value, 'text without a zero character');
  }
  return env;
}

/** Arrays, dates and maps have no options to look at, and would be taken as an object that says nothing. */
function isPlain(x: unknown): x is object {
  if (typeof x !== 'object' || x === null) return false;
  const proto: unknown = Object.getPrototypeOf(x);
  return proto === Object.prototype || proto === null;
}

const isTexts = (x: unknown): x is Readonly<Record<string, string>> =>
  typeof x === 'object' && x !== null && Object.values(x).every((text) => typeof text === 'string');

const isLepton = (fn: ElectronInfo['entry']['fn']): boolean => leptonMarkOf(innermost(fn)) !== undefined;

/** What applies to an electron besides its own options. */
export interface Inherited {
  /** The lattice's `electrons`. */
  readonly defaults: Omit<ElectronOptions, 'name' | 'module'>;
  /** Electron name → executor; given at dispatch, stronger than the electron's own. */
  readonly executors: Readonly<Record<string, string | ExecutorSpec>>;
  /** The lattice's hooks: for electrons that have none of their own. */
  readonly hooking?: Hooking;
}

/** An electron as the hub and the agents see it. */
export function resolveElectron(info: ElectronInfo, inherited: Inherited): ElectronDef {
  const options: ElectronOptions = { ...inherited.defaults, ...info.options };
  const override = Object.hasOwn(inherited.executors, info.name) ? inherited.executors[info.name] : undefined;
  const implied = impliedNeeds(info.entry.fn);
  const { defaults, hooking } = inherited;
  // The place is computed only for an error: with source maps it costs more than all the rest.
  try {
    return resolve(`electron "${info.name}"`, info, options, defaults, override, implied, hooking);
  } catch (error) {
    if (!(error instanceof PolaronError)) throw error;
    return resolve(`electron "${info.name}" (${info.entry.at})`, info, options, defaults, override, implied, hooking);
  }
}

function resolve(
  where: string,
  { name, entry, options: own }: ElectronInfo,
  options: ElectronOptions,
  defaults: Inherited['defaults'],
  override: unknown,
  implied: readonly string[],
  hooking: Hooking | undefined,
): ElectronDef {
  const deps = depsOf(where, options.deps);
  return {
    name,
    ...chosenExecutor(where, {
      own,
      defaults,
      override,
      exclusive: options.exclusive === true,
      lepton: isLepton(entry.fn),
    }),
    needs: [...new Set([...needsIn(where, options.needs), ...implied])],
    retries: retryPolicy(where, options.retries),
    timeouts: timeoutsOf(where, options.timeout),
    ...concurrencyOf(where, options.concurrency),
    ...exclusiveOf(where, options.exclusive),
    ...(options.memoryMb === undefined ? {} : { memoryMb: countOf(where, 'memoryMb', options.memoryMb, 1) }),
    ...(options.env === undefined ? {} : { env: envOf(where, options.env) }),
    ...(deps === undefined ? {} : { deps, at: entry.at }),
    ...(hooking === undefined || own.before !== undefined || own.after !== undefined ? {} : { hooks: hooking.name }),
    ...cacheOf(where, options.cache),
  };
}

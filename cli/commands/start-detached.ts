/** `polaron start --detach`: the hub as a process of its own; returns when it is ready. */
import type { HomePaths } from '../../host/home.ts';
import { isErrorCode } from '../../model/error-table.ts';
import { PolaronError } from '../../model/errors.ts';
import type { Context } from '../context.ts';
import { beginHub } from '../early-hub.ts';
import { exitCodeOf, exitCodes } from '../exit-code.ts';
import type { ExitCode } from '../exit-code.ts';
import { readyOf, sayReady } from '../ready-hub.ts';
import type { ReadyHub } from '../ready-hub.ts';
import { checkSameHub, runningHub } from '../running-hub.ts';
import type { ResolvedStart } from '../start-options.ts';

const READY_TIMEOUT_MS = 90_000;
/** LMDB aborts, or reads where nothing is, when a page makes no sense. */
const BY_ITS_STORE = /died by SIG(ABRT|SEGV|BUS)/;

/** Raises ALREADY_RUNNING, START_FAILED, and what the hub says about wrong usage. */
export async function startDetachedHub(context: Context, paths: HomePaths, options: ResolvedStart): Promise<ExitCode> {
  const running = runningHub(paths.home);
  if (running !== undefined) {
    checkSameHub(running, options);
    sayReady(context, readyOf(running));
    return exitCodes.ok;
  }
  const hub = context.begun ?? beginHub(context.self, context.env, paths);
  const outcome = await hub.ready(options, READY_TIMEOUT_MS);
  if (outcome.type === 'word') {
    const { ready, error } = readWord(outcome.word);
    if (ready !== undefined) {
      sayReady(context, ready);
      return exitCodes.ok;
    }
    // What the user did wrong is said as in the foreground; there is nothing to find in a log.
    if (error !== undefined && exitCodeOf[error.code] === exitCodes.usage) throw error;
    throw startFailed(context, paths, error?.message ?? 'it said something else', outcome.logTail, error);
  }
  throw startFailed(context, paths, outcome.reason, outcome.logTail);
}

function startFailed(
  context: Context,
  paths: HomePaths,
  reason: string,
  logTail: readonly string[],
  cause?: PolaronError,
): PolaronError {
  for (const line of logTail) context.terminal.err(line);
  const damage = BY_ITS_STORE.test(reason)
    ? `A damaged store ends its reader like this: \`polaron check\` says whether it is (with --data for a folder of yours). `
    : '';
  const why = cause === undefined ? reason : `${cause.code}: ${cause.message}`;
  return new PolaronError('START_FAILED', `the hub did not become ready: ${why}`, {
    help: `${damage}${cause === undefined ? '' : `${cause.help} `}Its log is ${paths.logFile}.`,
    ...(cause === undefined ? {} : { cause }),
  });
}

function readWord(word: unknown): { readonly ready?: ReadyHub; readonly error?: PolaronError } {
  if (typeof word !== 'object' || word === null) return {};
  if ('ready' in word && isReady(word.ready)) return { ready: word.ready };
  if (!('error' in word) || typeof word.error !== 'object' || word.error === null) return {};
  const { error } = word;
  const text = (key: string): string => String(Reflect.get(error, key));
  const code = text('code');
  return {
    error: new PolaronError(isErrorCode(code) ? code : 'START_FAILED', text('message'), { help: text('help') }),
  };
}

const isReady = (x: unknown): x is ReadyHub =>
  typeof x === 'object' &&
  x !== null &&
  'url' in x &&
  typeof x.url === 'string' &&
  'data' in x &&
  typeof x.data === 'string' &&
  'pid' in x &&
  typeof x.pid === 'number' &&
  'existing' in x;

/**
 * Calls an electron's function: arguments from the template and its inputs, result as encoded bytes, small in memory, large in a file.
 * Not here: finding the function (loader.ts), the attempt's context (task-run.ts), the queue (runner.ts).
 */
import { join } from 'node:path';
import { HOOK_FAILURE, type HookFailure } from '../../bus/protocol/registry.ts';
import { valueInfoOf } from '../../bus/value/digest.ts';
import { showPath, type PathPart } from '../../bus/value/check.ts';
import { pathOfInput } from '../../bus/value/place.ts';
import { encodeSplit } from '../../bus/value/split.ts';
import { decodeTemplate, followPath } from '../../bus/value/template.ts';
import { bareOf } from '../../bus/value/bare-value.ts';
import { decodeValue, encodeValue } from '../../bus/value/value.ts';
import { PolaronError } from '../../model/errors.ts';
import type { ErrorInfo } from '../../model/outcome.ts';
import { valueTooLarge } from '../../model/value-limit.ts';
import { explainedDisk } from '../disk-full.ts';
import { errorInfoOf } from './error-info.ts';
import type { ElectronFn } from './loader.ts';
import type { RunFinished } from './messages.ts';
import { attempts, type TaskRun } from './task-run.ts';
import { decodeFile, writePieces } from './value-files.ts';

/** Results up to here travel in messages; larger ones are files. */
export const INLINE_BYTES = 64 * 1024;

export interface CallOptions {
  readonly maxValueBytes: number;
  /** A better explanation of an error, where its module knows one. */
  readonly explain: (error: unknown, electron: string) => ErrorInfo | undefined;
}

/** How an attempt ends when its function is given up before it settled. */
class Abandoned extends Error {
  readonly info: ErrorInfo;
  constructor(info: ErrorInfo) {
    super(info.message);
    this.info = info;
  }
}

type Result = RunFinished['result'];

/** Runs the attempt to its end; never throws. A promise only when the function makes one: most don't. */
export function callElectron(run: TaskRun, fn: ElectronFn, options: CallOptions): Result | Promise<Result> {
  const restore = withEnv(run.task.env);
  let result: Result | Promise<Result>;
  try {
    const args = argumentsOf(run);
    const returned: unknown = attempts.run(run, () => Reflect.apply(fn, undefined, args));
    result = isThenable(returned) ? whenSettled(run, returned, options) : resultOf(run, returned, options);
  } catch (error) {
    result = failed(run, error, options);
  }
  if (result instanceof Promise) return restore === undefined ? result : result.finally(restore);
  restore?.();
  return result;
}

async function whenSettled(run: TaskRun, returned: PromiseLike<unknown>, options: CallOptions): Promise<Result> {
  try {
    return resultOf(run, await untilSettled(run, returned), options);
  } catch (error) {
    return failed(run, error, options);
  }
}

function failed(run: TaskRun, error: unknown, options: CallOptions): Result {
  run.settled = !(error instanceof Abandoned);
  if (run.stopped) return { status: 'cancelled' };
  if (error instanceof Abandoned) return { status: 'failed', error: error.info };
  const hook = hookFailureOf(error);
  const thrown = hook === undefined ? error : hook.thrown;
  const explained = options.explain(thrown, run.task.electron);
  if (explained !== undefined) return { status: 'failed', error: explained };
  const info = errorInfoOf(thrown, 'TASK_THREW');
  if (hook === undefined) return { status: 'failed', error: info };
  return { status: 'failed', error: { ...info, code: 'HOOK_FAILED', message: `${hook.what}: ${info.message}` } };
}

/** When it was one of the electron's hooks that threw. */
function hookFailureOf(error: unknown): HookFailure | undefined {
  const failure: unknown = error instanceof Error ? Reflect.get(error, HOOK_FAILURE) : undefined;
  return isHookFailure(failure) ? failure : undefined;
}

const isHookFailure = (x: unknown): x is HookFailure =>
  typeof x === 'object' && x !== null && 'what' in x && typeof x.what === 'string' && 'thrown' in x;

function argumentsOf(run: TaskRun): unknown[] {
  const { inputs, electron, template } = run.task;
  const values: unknown[] = [];
  const known: boolean[] = [];
  const args = decodeTemplate(
    template,
    (input, path) => {
      if (known[input] !== true) {
        const given = inputs[input];
        if (given === undefined)
          throw new PolaronError(
            'BAD_MESSAGE',
            `electron "${electron}": its arguments name input ${input} of ${inputs.length}`,
          );
        const whose = (): string => `electron "${electron}": the value for ${placeOf(pathOfInput(template, input))}`;
        values[input] =
          given instanceof Uint8Array ? decodeValue(given, undefined, whose) : decodeFile(given.file, whose);
        known[input] = true;
      }
      return path.length === 0
        ? values[input]
        : followPath(values[input], path, `electron "${electron}": input ${input}`);
    },
    `electron "${electron}": its arguments`,
  );
  if (!Array.isArray(args)) throw new PolaronError('BAD_MESSAGE', `electron "${electron}": its arguments are no array`);
  return args;
}

/** `argument 2`, or `argument 2 (at $.rows)`, of a path into the arguments. */
function placeOf([first, ...rest]: readonly PathPart[]): string {
  const argument = `argument ${Number(first) + 1}`;
  return rest.length === 0 ? argument : `${argument} (at ${showPath(rest)})`;
}

/** Raises what says that the value can't be kept. */
function resultOf(run: TaskRun, value: unknown, options: CallOptions): Result {
  run.settled = true;
  if (run.stopped) return { status: 'cancelled' };
  const { electron, split } = run.task;
  const bare = bareOf(value);
  if (bare !== undefined) return toFile(run, options, bare.head, bare.body);
  const bytes = encode(value, split, `electron "${electron}": result`);
  if (bytes.length > INLINE_BYTES) return toFile(run, options, bytes);
  return { status: 'completed', value: valueInfoOf(bytes), bytes };
}

function toFile(run: TaskRun, { maxValueBytes }: CallOptions, bytes: Uint8Array, more?: Uint8Array): Result {
  const size = bytes.length + (more?.length ?? 0);
  if (size > maxValueBytes) throw valueTooLarge(`electron "${run.task.electron}": result`, size, maxValueBytes);
  const value = valueInfoOf(bytes, more);
  try {
    const file = join(run.scratchDir(), '.polaron-result');
    writePieces(file, more === undefined ? [bytes] : [bytes, more]);
    return { status: 'completed', value, file };
  } catch (error) {
    const what = `electron "${run.task.electron}": its result of ${size} bytes has no room on the disk of ${run.home.scratchRoot}`;
    throw explainedDisk(error, what);
  }
}

function encode(value: unknown, split: boolean, where: string): Uint8Array {
  try {
    return split && Array.isArray(value)
      ? encodeSplit(value, where, 'RESULT_NOT_SERIALISABLE')
      : encodeValue(value, where, 'RESULT_NOT_SERIALISABLE');
  } catch (error) {
    if (!(error instanceof PolaronError) || error.code !== 'PROMISE_ARG') throw error;
    throw new PolaronError('RESULT_NOT_SERIALISABLE', error.message, { details: error.details });
  }
}

const isThenable = (x: unknown): x is PromiseLike<unknown> =>
  ((typeof x === 'object' && x !== null) || typeof x === 'function') && 'then' in x && typeof x.then === 'function';

function untilSettled(run: TaskRun, returned: PromiseLike<unknown>): Promise<unknown> {
  return new Promise((resolve, reject) => {
    run.abandon = (info) => reject(new Abandoned(info));
    returned.then(resolve, reject);
  });
}

/** Sets variables for the time of one attempt; undefined when there are none. */
function withEnv(env: Readonly<Record<string, string>> | undefined): (() => void) | undefined {
  if (env === undefined) return undefined;
  const names = Object.keys(env);
  if (names.length === 0) return undefined;
  const before = names.map((name) => [name, process.env[name]] as const);
  Object.assign(process.env, env);
  return () => {
    for (const [name, value] of before) {
      if (value === undefined) delete process.env[name];
      else process.env[name] = value;
    }
  };
}

/**
 * Calls an electron's function: arguments from the template and its inputs, result as encoded bytes, small in memory, large in a file.
 * Not here: finding the function (loader.ts), the attempt's context (task-run.ts), the queue (runner.ts).
 */
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { valueInfoOf } from '../../bus/value/digest.ts';
import { encodeSplit } from '../../bus/value/split.ts';
import { decodeTemplate, followPath } from '../../bus/value/template.ts';
import { decodeValue, encodeValue } from '../../bus/value/value.ts';
import { PolaronError } from '../../model/errors.ts';
import type { ErrorInfo } from '../../model/outcome.ts';
import { errorInfoOf } from './error-info.ts';
import type { ElectronFn } from './loader.ts';
import type { RunFinished } from './messages.ts';
import { attempts, type TaskRun } from './task-run.ts';

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

/** Runs the attempt to its end; never throws. */
export async function callElectron(run: TaskRun, fn: ElectronFn, options: CallOptions): Promise<RunFinished['result']> {
  const restore = withEnv(run.task.env);
  try {
    const args = argumentsOf(run);
    const returned: unknown = attempts.run(run, () => Reflect.apply(fn, undefined, args));
    const value = isThenable(returned) ? await untilSettled(run, returned) : returned;
    run.settled = true;
    if (run.cancelReason !== undefined) return { status: 'cancelled' };
    return await encodeResult(run, value, options.maxValueBytes);
  } catch (error) {
    run.settled = !(error instanceof Abandoned);
    if (run.cancelReason !== undefined) return { status: 'cancelled' };
    if (error instanceof Abandoned) return { status: 'failed', error: error.info };
    return { status: 'failed', error: options.explain(error, run.task.electron) ?? errorInfoOf(error, 'TASK_THREW') };
  } finally {
    restore?.();
  }
}

function argumentsOf(run: TaskRun): unknown[] {
  const { inputs, electron, template } = run.task;
  const values: unknown[] = [];
  const known: boolean[] = [];
  const args = decodeTemplate(template, (input, path) => {
    if (known[input] !== true) {
      const bytes = inputs[input];
      if (bytes === undefined)
        throw new PolaronError(
          'BAD_MESSAGE',
          `electron "${electron}": its arguments name input ${input} of ${inputs.length}`,
        );
      values[input] = decodeValue(bytes);
      known[input] = true;
    }
    return path.length === 0
      ? values[input]
      : followPath(values[input], path, `electron "${electron}": input ${input}`);
  });
  if (!Array.isArray(args)) throw new PolaronError('BAD_MESSAGE', `electron "${electron}": its arguments are no array`);
  return args;
}

async function encodeResult(run: TaskRun, value: unknown, maxValueBytes: number): Promise<RunFinished['result']> {
  const { electron, split } = run.task;
  const bytes = encode(value, split, `electron "${electron}": result`);
  if (bytes.length > maxValueBytes) {
    throw new PolaronError(
      'VALUE_TOO_LARGE',
      `electron "${electron}": result takes ${bytes.length} bytes; at most ${maxValueBytes} are kept`,
      { details: { bytes: bytes.length, maxValueBytes } },
    );
  }
  const info = valueInfoOf(bytes);
  if (bytes.length <= INLINE_BYTES) return { status: 'completed', value: info, bytes };
  const file = join(run.scratchDir(), '.polaron-result');
  await writeFile(file, bytes);
  return { status: 'completed', value: info, file };
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
function withEnv(env: Readonly<Record<string, string>>): (() => void) | undefined {
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

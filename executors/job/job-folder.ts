/**
 * A job's folder on disk: what whoever runs it needs, the intent to hand it away, the handle it got, and the outcome that its runner writes.
 *
 * F1. The intent is flushed before anybody is asked to take the job, the handle before anything else happens: a restarted agent knows of each job that may be somewhere.
 * F2. The outcome only grows; what follows the last whole frame is not there yet.
 * Not here: when these are written (job-run.ts), the runner's end (runner/job-link.ts).
 */
import { createHash } from 'node:crypto';
import {
  chmodSync,
  closeSync,
  existsSync,
  constants,
  copyFileSync,
  fstatSync,
  fsyncSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  readSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
  writeSync,
} from 'node:fs';
import { basename, join } from 'node:path';
import {
  array,
  field,
  int,
  object,
  optional,
  parse,
  task,
  text,
  token,
  digest,
  anInt,
  aText,
} from '../../bus/protocol/shape.ts';
import { IDENTITY_ELECTRON } from '../../model/graph.ts';
import type { TaskId } from '../../model/ids.ts';
import type { Token } from '../../model/outcome.ts';
import type { ExecutorTask, FoundTask } from '../executor.ts';
import { FrameBatch } from '../runner/frames.ts';
import { JOB_FILE, SETTINGS_FILE, SPARE_BYTES, SPARE_FILE, type JobSettings } from '../runner/job-files.ts';
import type { ToRunner } from '../runner/messages.ts';
import { writeToRunner } from '../runner/wire-runner.ts';

/** What is known of a job before it is handed away; enough to go on with it after a restart. */
export interface Intent extends FoundTask {
  readonly name: string;
  readonly dispatch: string;
  readonly electron: string;
  /** As the electron has them, unchecked. */
  readonly options: Readonly<Record<string, unknown>>;
  readonly memoryMb?: number;
  /** From the moment it runs; 0: none. */
  readonly timeoutMs: number;
  readonly silenceMs: number;
  /** Wall clock, ms. */
  readonly at: number;
}

const INTENT_FILE = 'intent.json';
const HANDLE_FILE = 'handle';
const MOST_HOLDS = 16;

/** The same for the same attempt, whoever asks. */
export function jobName(taskId: TaskId, [hub, attempt]: Token): string {
  return `polaron-${createHash('sha256').update(`${taskId} ${hub} ${attempt}`).digest('hex').slice(0, 32)}`;
}

/** Writes the folder of a job that isn't handed away yet, the intent last (F1). Raises the system's error; nothing is left then. */
export function writeJob(dir: string, intent: Intent, work: ExecutorTask, settings: JobSettings): void {
  try {
    mkdirSync(join(dir, 'inputs'), { recursive: true, mode: 0o700 });
    writeFrames(join(dir, JOB_FILE), messagesOf(dir, work));
    writeFlushed(join(dir, SETTINGS_FILE), JSON.stringify(settings));
    writeFlushed(join(dir, INTENT_FILE), JSON.stringify(intent));
    flushFolder(dir);
    flushFolder(join(dir, '..'));
  } catch (error) {
    rmSync(dir, { recursive: true, force: true });
    throw error;
  }
}

/** What its runner is told, with paths below the folder. */
function messagesOf(dir: string, { code, electron, ...work }: ExecutorTask): readonly ToRunner[] {
  const { argv, deps, bundleFile, captures } = code;
  const env = deps === undefined ? {} : { env: deps.env };
  const load: ToRunner =
    bundleFile === undefined
      ? { type: 'load', argv, ...env }
      : // with dependencies it must stay beside them
        {
          type: 'load',
          argv,
          bundleFile: deps === undefined ? copied(dir, bundleFile, 'bundle.mjs') : bundleFile,
          ...env,
        };
  const { task: taskOf, token: of, node, about, template, split } = work;
  const inputs = work.inputs.map((input, i) =>
    input instanceof Uint8Array ? input : { file: copied(dir, input.file, join('inputs', String(i))) },
  );
  const { name, env: variables, hooks } = electron;
  // only its own: another electron of the bundle isn't run here
  const own = Object.hasOwn(captures, name) ? { [name]: captures[name] ?? {} } : {};
  const index: readonly ToRunner[] =
    name === IDENTITY_ELECTRON ? [] : [{ type: 'index', electrons: [name], captures: own }];
  return [
    load,
    ...index,
    {
      type: 'run',
      task: taskOf,
      electron: name,
      token: of,
      node,
      about,
      template,
      inputs,
      split,
      env: variables,
      hooks,
      startBy: 0,
    },
  ];
}

/** Where it is below the folder. A clone where the file system has such. */
function copied(dir: string, from: string, to: string): string {
  copyFileSync(from, join(dir, to), constants.COPYFILE_FICLONE);
  return to;
}

function writeFrames(path: string, messages: readonly ToRunner[]): void {
  const batch = new FrameBatch(writeToRunner);
  for (const message of messages) batch.add(message);
  const file = openSync(path, 'w', 0o600);
  try {
    for (const part of batch.take()) for (let at = 0; at < part.length; ) at += writeSync(file, part, at);
    fsyncSync(file);
  } finally {
    closeSync(file);
  }
}

/** F1. Raises the system's error. */
export function writeHandle(dir: string, handle: string): void {
  writeFlushed(join(dir, HANDLE_FILE), JSON.stringify(handle));
  flushFolder(dir);
}

/** Undefined: it has none, or it was being written when the agent ended. */
export function readHandle(dir: string): string | undefined {
  try {
    const handle: unknown = JSON.parse(readFileSync(join(dir, HANDLE_FILE), 'utf8'));
    return typeof handle === 'string' ? handle : undefined;
  } catch {
    return undefined;
  }
}

/** Jobs that an earlier life meant to hand away. What holds no intent was never handed away, and goes; what can't be read or removed is told. */
export function readIntents(
  root: string,
  left: (name: string, why: string) => void,
): readonly { readonly dir: string; readonly intent: Intent }[] {
  mkdirSync(root, { recursive: true, mode: 0o700 });
  return readdirSync(root).flatMap((name) => {
    const dir = join(root, name);
    try {
      const intent = parse('a job', readIntent, JSON.parse(readFileSync(join(dir, INTENT_FILE), 'utf8')));
      if (intent.name === basename(dir)) return [{ dir, intent }];
    } catch (error) {
      // it may be somewhere, and be found the next time
      if (existsSync(join(dir, INTENT_FILE))) {
        left(name, error instanceof Error ? error.message : String(error));
        return [];
      }
    }
    removeJob(dir, (why) => left(name, why));
    return [];
  });
}

const readIntent = object(
  (o): Intent => ({
    name: text(o, 'name'),
    task: task(o, 'task'),
    token: token(o, 'token'),
    inputsDigest: digest(o, 'inputsDigest'),
    ...optional(o, 'holds', (all, key) =>
      array(
        all,
        key,
        MOST_HOLDS,
        object((hold) => ({ key: text(hold, 'key', 1_000), limit: int(hold, 'limit', 1) })),
      ),
    ),
    ...optional(o, 'takes', (all, key) => array(all, key, MOST_HOLDS, aText())),
    dispatch: text(o, 'dispatch'),
    electron: text(o, 'electron', 1_000),
    options: field(
      o,
      'options',
      object((options) => options),
    ),
    ...optional(o, 'memoryMb', (all, key) => field(all, key, anInt(1))),
    timeoutMs: int(o, 'timeoutMs'),
    silenceMs: int(o, 'silenceMs'),
    at: int(o, 'at'),
  }),
);

/** What a file of the runner holds beyond byte `from`; empty when there is nothing. */
export function readFrom(path: string, from: number, most: number): Buffer {
  let file: number;
  if (!existsSync(path)) return Buffer.alloc(0);
  try {
    file = openSync(path, 'r');
  } catch {
    return Buffer.alloc(0);
  }
  try {
    const left = fstatSync(file).size - from;
    if (left <= 0) return Buffer.alloc(0);
    const bytes = Buffer.allocUnsafe(Math.min(most, left));
    return bytes.subarray(0, readSync(file, bytes, 0, bytes.length, from));
  } finally {
    closeSync(file);
  }
}

/** Its runner found no room on the disk, to begin with or for the outcome (runner/outcome-file.ts). */
export function hadNoRoom(dir: string): boolean {
  try {
    return statSync(join(dir, SPARE_FILE)).size < SPARE_BYTES;
  } catch {
    return false;
  }
}

/** Never throws: what an electron made unwritable is made writable, and what stays all the same is told by `left`. */
export function removeJob(dir: string, left: (why: string) => void = () => undefined): void {
  try {
    rmSync(dir, { recursive: true, force: true, maxRetries: 2 });
  } catch {
    try {
      makeWritable(dir);
      rmSync(dir, { recursive: true, force: true, maxRetries: 2 });
    } catch (error) {
      left(error instanceof Error ? error.message : String(error));
    }
  }
}

function makeWritable(dir: string): void {
  chmodSync(dir, 0o700);
  for (const entry of readdirSync(dir, { withFileTypes: true }))
    if (entry.isDirectory()) makeWritable(join(dir, entry.name));
}

function writeFlushed(path: string, content: string): void {
  const temporary = `${path}.new`;
  const file = openSync(temporary, 'w', 0o600);
  try {
    // all of it, or an error: a disk that fills up takes a part without one
    writeFileSync(file, content);
    fsyncSync(file);
  } finally {
    closeSync(file);
  }
  renameSync(temporary, path);
}

function flushFolder(path: string): void {
  const folder = openSync(path, 'r');
  try {
    fsyncSync(folder);
  } finally {
    closeSync(folder);
  }
}

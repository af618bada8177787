/**
 * Runs a packed job where a function service has put this package: in a folder of its own, in a process of its own, and tells what becomes of it while it runs.
 * Not here: how the job comes and its answer goes (http-handler.ts, lambda-handler.ts).
 */
import { spawn, type ChildProcess } from 'node:child_process';
import { closeSync, mkdtempSync, openSync, readFileSync, readSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { StringDecoder } from 'node:string_decoder';
import { int, object, parse } from '../../bus/protocol/shape.ts';
import { asPolaronError } from '../../model/errors.ts';
import type { AnswerEnd } from '../job/accepted-answer.ts';
import { ANSWER_START, records } from '../job/answer.ts';
import { OutcomeReader } from '../job/outcome-reader.ts';
import { hadNoRoom, removeJob } from '../job/job-folder.ts';
import { unpackJob } from '../job/packed-job.ts';
import { explainedDisk } from '../disk-full.ts';
import { signalGroup } from '../process/process-table.ts';
import { programArgs } from '../program.ts';
import { FrameBatch } from '../runner/frames.ts';
import { SETTINGS_FILE } from '../runner/job-files.ts';
import type { FromRunner } from '../runner/messages.ts';
import { Pace, type Said } from '../runner/pace.ts';
import { systemMs } from '../runner/system-clock.ts';
import { writeFromRunner } from '../runner/wire-runner.ts';

const LOOK_MS = 50;
const ALIVE_MS = 10_000;
/** From the runner's own grace time to its end. */
const TERM_MS = 500;
/** How long a grandchild may hold the pipes when the runner has ended. */
const OUTPUT_MS = 1_000;
const CHUNK_BYTES = 256 * 1024;

/** How long, where and with which environment a packed job is run. */
export interface RunPackedOptions {
  /** Stops it: nobody waits for the answer any more. */
  readonly signal?: AbortSignal;
  /** Environment of user code. @default this process's, without POLARON_* */
  readonly env?: Readonly<Record<string, string | undefined>>;
  /** Where its folder is made. @default the system's for temporary files */
  readonly folder?: string;
}

/** A job that `Job.pack` made, on a function service. Yields the answer for `Job.accept` in pieces, while it runs. Raises nothing: what is wrong with the job is an answer. */
export async function* runPacked(packed: Uint8Array, options: RunPackedOptions = {}): AsyncGenerator<Uint8Array> {
  const { signal, env = withoutSecrets(process.env), folder = tmpdir() } = options;
  yield ANSWER_START;
  let dir: string | undefined;
  let run: PackedRun | undefined;
  try {
    dir = mkdtempSync(join(folder, 'polaron-job-'));
    const { memoryMb } = await unpackJob(packed, dir);
    run = new PackedRun(dir, memoryMb, env, signal);
    let said = systemMs();
    while (!run.over) {
      for await (const part of run.take()) {
        said = systemMs();
        yield part;
      }
      if (systemMs() - said >= ALIVE_MS) {
        said = systemMs();
        yield* records('alive', new Uint8Array(0));
      }
      await run.look();
    }
    yield* run.take();
    yield* endOf(hadNoRoom(dir) ? noRoom(dir) : run.end);
  } catch (error) {
    const { code, message } = asPolaronError(explainedDisk(error, `no room in ${folder}`), 'JOB_FAILED');
    yield* endOf({ error: { code, message } });
  } finally {
    run?.kill();
    if (dir !== undefined) removeJob(dir);
  }
}

const endOf = (end: AnswerEnd): Generator<Uint8Array> => records('end', Buffer.from(JSON.stringify(end)));

const noRoom = (dir: string): AnswerEnd => ({
  error: { code: 'DISK_FULL', message: `the disk of its folder is full (${dir})` },
});

const withoutSecrets = (env: NodeJS.ProcessEnv): NodeJS.ProcessEnv =>
  Object.fromEntries(Object.entries(env).filter(([name]) => !name.startsWith('POLARON_')));

const readGrace = object((o) => int(o, 'graceMs'));

/** Its process, and what it has said that wasn't taken yet. */
class PackedRun {
  readonly #reader: OutcomeReader;
  readonly #child: ChildProcess;
  readonly #signal: AbortSignal | undefined;
  readonly #stop: () => void;
  #said: ({ readonly message: FromRunner } | { readonly past: Said })[] = [];
  /** Of what is written past its runner: whoever takes the answer may be slow, and have room for little. */
  readonly #pace = new Pace(systemMs, (past) => void this.#said.push({ past }));
  #wake: () => void = () => undefined;
  #exited = false;
  #over = false;
  end: AnswerEnd = {};

  constructor(
    dir: string,
    memoryMb: number | undefined,
    env: Readonly<Record<string, string | undefined>>,
    signal: AbortSignal | undefined,
  ) {
    this.#signal = signal;
    this.#reader = new OutcomeReader(dir, (message) => this.#said.push({ message }));
    const graceMs = parse('settings', readGrace, JSON.parse(readFileSync(join(dir, SETTINGS_FILE), 'utf8')));
    const memory = memoryMb === undefined ? [] : [`--max-old-space-size=${Math.max(16, memoryMb)}`];
    const args = ['--enable-source-maps', ...memory, ...programArgs('executors/runner/job'), dir];
    const child = spawn(process.execPath, args, { cwd: dir, env, detached: true, stdio: ['ignore', 'pipe', 'pipe'] });
    this.#child = child;
    for (const [stream, from] of [
      ['stdout', child.stdout],
      ['stderr', child.stderr],
    ] as const) {
      const decoder = new StringDecoder('utf8');
      from.on('data', (bytes: Buffer) => {
        this.#pace.add({ type: 'log', task: '', stream, text: decoder.write(bytes) }, true);
        this.#wake();
      });
    }
    const gone = (end: AnswerEnd): void => {
      this.end = end;
      this.#over = true;
      this.#wake();
    };
    const endedBy = (code: number | null, by: NodeJS.Signals | null): AnswerEnd =>
      by === null ? { exitCode: code ?? 0 } : { signal: by };
    child.on('error', ({ message }) => {
      if (child.pid === undefined)
        gone({ error: { code: 'EXECUTOR_FAILED', message: `${process.execPath}: ${message}` } });
    });
    child.on('exit', (code, by) => {
      this.#signalGroup('SIGKILL');
      this.#exited = true;
      setTimeout(() => gone(endedBy(code, by)), OUTPUT_MS).unref();
    });
    child.on('close', (code, by) => gone(endedBy(code, by)));
    this.#stop = () => {
      this.#signalGroup('SIGTERM');
      setTimeout(() => this.kill(), graceMs + TERM_MS).unref();
    };
    if (signal?.aborted === true) this.#stop();
    else signal?.addEventListener('abort', this.#stop, { once: true });
  }

  get over(): boolean {
    return this.#over;
  }

  /** Resolves when there may be something new. */
  look(): Promise<void> {
    return new Promise((resolve) => {
      const timer = setTimeout(resolve, LOOK_MS);
      this.#wake = () => {
        clearTimeout(timer);
        resolve();
      };
      if (this.#over) this.#wake();
    });
  }

  /** What it has said meanwhile, as records. */
  async *take(): AsyncGenerator<Uint8Array> {
    for (let more = true; more; ) {
      more = this.#reader.read();
      if (!more && this.#over) this.#reader.readToEnd();
      if (this.#over) this.#pace.end();
      else this.#pace.flush();
      const said = this.#said;
      this.#said = [];
      for (const each of said)
        if ('past' in each) yield* framesOf('past', each.past);
        else yield* framesOf('frames', each.message);
    }
  }

  kill(): void {
    this.#signal?.removeEventListener('abort', this.#stop);
    this.#signalGroup('SIGKILL');
  }

  #signalGroup(signal: NodeJS.Signals): void {
    if (this.#child.pid !== undefined && !this.#exited) signalGroup(this.#child.pid, signal);
  }
}

/** A large result goes before the message that names it. */
function* framesOf(kind: 'frames' | 'past', message: FromRunner): Generator<Uint8Array> {
  if (message.type === 'finished' && message.result.status === 'completed' && message.result.file !== undefined)
    for (const piece of piecesOf(message.result.file)) yield* records('value', piece);
  const batch = new FrameBatch(writeFromRunner);
  batch.add(message);
  for (const part of batch.take()) yield* records(kind, part);
}

function* piecesOf(path: string): Generator<Uint8Array> {
  const file = openSync(path, 'r');
  try {
    for (;;) {
      const bytes = Buffer.allocUnsafe(CHUNK_BYTES);
      const read = readSync(file, bytes, 0, bytes.length, null);
      if (read === 0) return;
      yield bytes.subarray(0, read);
    }
  } finally {
    closeSync(file);
  }
}

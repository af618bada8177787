/**
 * Takes the answer to a packed job into the job's folder, as if its runner had written there. It comes from elsewhere, so the only file that it can name is the one it brings.
 * Not here: what the outcome means (job-run.ts).
 */
import { appendFileSync, closeSync, openSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { field, int, object, optional, parse, text } from '../../bus/protocol/shape.ts';
import { PolaronError } from '../../model/errors.ts';
import type { Stream } from '../../model/log-entry.ts';
import { explainedDisk, isDiskFull } from '../disk-full.ts';
import { FrameBatch, FrameReader } from '../runner/frames.ts';
import { OUTCOME_FILE } from '../runner/job-files.ts';
import { isLast, type FromRunner } from '../runner/messages.ts';
import { isSaid, Pace } from '../runner/pace.ts';
import { systemMs } from '../runner/system-clock.ts';
import { readFromRunner, writeFromRunner } from '../runner/wire-runner.ts';
import { AnswerReader, type RecordKind } from './answer.ts';
import type { JobExit } from './job-spawn.ts';

const VALUE_FILE = 'value';
/** Of one message, and of all that are kept beside what the electron says. */
const MOST_BYTES = 256 * 1024 * 1024;

/** How it ended over there. */
export interface AnswerEnd {
  readonly exitCode?: number;
  readonly signal?: string;
  /** It was not run. */
  readonly error?: { readonly code: string; readonly message: string };
}

const readEnd = object(
  (o): AnswerEnd => ({
    ...optional(o, 'exitCode', (all, key) => int(all, key)),
    ...optional(o, 'signal', (all, key) => text(all, key)),
    ...optional(o, 'error', (all, key) =>
      field(
        all,
        key,
        object((e) => ({ code: text(e, 'code'), message: text(e, 'message', 100_000) })),
      ),
    ),
  }),
);

export interface AnswerPlace {
  readonly dir: string;
  readonly maxValueBytes: number;
  /** What was written past its runner; `skipped`: as a runner tells it. */
  readonly output: (stream: Stream, text: string, skipped: number | undefined) => void;
}

/** Resolves when it is all there, with how its process ended. Raises JOB_FAILED when it is no whole answer, or says that the job was not run, DISK_FULL when there was no room for it here or there, and what `answer` raises before the outcome is there. */
export async function acceptAnswer(
  answer: Uint8Array | AsyncIterable<Uint8Array>,
  place: AnswerPlace,
): Promise<JobExit | undefined> {
  const accepted = new AcceptedAnswer(place);
  try {
    if (answer instanceof Uint8Array) accepted.feed(answer);
    else for await (const chunk of answer) accepted.feed(chunk);
  } catch (error) {
    // the outcome counts, however the connection ended
    if (!accepted.hasOutcome) throw error;
  } finally {
    accepted.close();
  }
  const { end } = accepted;
  if (end?.error !== undefined)
    throw new PolaronError(codeOf(end.error), `the function did not run it: ${end.error.message}`);
  if (end === undefined && !accepted.hasOutcome)
    throw new PolaronError('JOB_FAILED', 'its answer ends before the outcome is there');
  return end === undefined ? undefined : { code: end.exitCode ?? null, signal: signalNamed(end.signal) };
}

/** It comes from elsewhere: what may be said of a job is this. */
const codeOf = ({ code }: NonNullable<AnswerEnd['error']>): 'DISK_FULL' | 'JOB_FAILED' =>
  code === 'DISK_FULL' ? code : 'JOB_FAILED';

const signalNamed = (name: string | undefined): NodeJS.Signals | null =>
  SIGNALS.find((signal) => signal === name) ?? (name === undefined ? null : 'SIGKILL');
const SIGNALS: readonly NodeJS.Signals[] = [
  'SIGABRT',
  'SIGBUS',
  'SIGFPE',
  'SIGHUP',
  'SIGILL',
  'SIGINT',
  'SIGKILL',
  'SIGSEGV',
  'SIGTERM',
  'SIGTRAP',
];

class AcceptedAnswer {
  readonly #place: AnswerPlace;
  readonly #records = new AnswerReader((kind, bytes) => this.#record(kind, bytes));
  readonly #frames = new FrameReader(readFromRunner, (message) => this.#message(message));
  readonly #batch = new FrameBatch(writeFromRunner);
  /** Whoever runs it keeps to it as well, or should. */
  readonly #pace = new Pace(systemMs, (said) => this.#batch.add(said));
  readonly #past = new FrameReader(readFromRunner, (message) => this.#wrotePast(message));
  #value: number | undefined;
  #valueBytes = 0;
  /** Of frames since the last whole message of their kind, and of messages that were kept. */
  readonly #openBytes = { frames: 0, past: 0 };
  #keptBytes = 0;
  end: AnswerEnd | undefined;
  hasOutcome = false;

  constructor(place: AnswerPlace) {
    this.#place = place;
  }

  feed(chunk: Uint8Array): void {
    try {
      this.#records.feed(chunk);
      this.#pace.flush();
      this.#write();
    } catch (error) {
      this.hasOutcome &&= !isDiskFull(error);
      throw explainedDisk(error, `its answer has no room on the agent's disk, in ${this.#place.dir}`);
    }
  }

  /** Of one that breaks off the last words are kept as well. */
  close(): void {
    this.#closeValue();
    try {
      this.#pace.end();
      this.#write();
    } catch {
      // a full disk
    }
  }

  #write(): void {
    const parts = this.#batch.take();
    if (parts.length > 0) appendFileSync(join(this.#place.dir, OUTCOME_FILE), Buffer.concat(parts), { mode: 0o600 });
  }

  #closeValue(): void {
    if (this.#value !== undefined) closeSync(this.#value);
    this.#value = undefined;
  }

  #record(kind: RecordKind, bytes: Buffer): void {
    if (kind === 'value') return this.#addValue(bytes);
    switch (kind) {
      case 'frames':
      case 'past':
        this.#openBytes[kind] += bytes.length;
        this.#bound(this.#openBytes[kind]);
        return (kind === 'frames' ? this.#frames : this.#past).feed(Buffer.from(bytes));
      case 'end':
        this.end = parse('the end of an answer', readEnd, JSON.parse(bytes.toString('utf8')));
        return;
      case 'alive':
    }
  }

  #addValue(bytes: Buffer): void {
    const { dir, maxValueBytes } = this.#place;
    this.#valueBytes += bytes.length;
    if (this.#valueBytes > maxValueBytes)
      throw new PolaronError('VALUE_TOO_LARGE', `its result takes more than ${maxValueBytes} bytes`);
    this.#value ??= openSync(join(dir, VALUE_FILE), 'w', 0o600);
    for (let at = 0; at < bytes.length; ) at += writeSync(this.#value, bytes, at);
  }

  #wrotePast(message: FromRunner): void {
    this.#openBytes.past = 0;
    if (message.type === 'log') this.#place.output(message.stream, message.text, message.skipped);
  }

  #message(message: FromRunner): void {
    this.#openBytes.frames = 0;
    if (isSaid(message)) return this.#pace.add(message, true);
    if (isLast(message)) this.#pace.end();
    const before = this.#batch.bytes;
    this.#batch.add(this.#here(message));
    this.#keptBytes += this.#batch.bytes - before;
    this.#bound(this.#keptBytes);
    this.hasOutcome ||= isLast(message);
  }

  /** A large result is named as the file that holds it here. */
  #here(message: FromRunner): FromRunner {
    if (message.type !== 'finished' || message.result.status !== 'completed' || message.result.file === undefined)
      return message;
    if (this.#value === undefined)
      throw new PolaronError('JOB_FAILED', 'its answer names a large result and does not hold it');
    this.#closeValue();
    return { ...message, result: { ...message.result, file: join(this.#place.dir, VALUE_FILE) } };
  }

  #bound(bytes: number): void {
    if (bytes > MOST_BYTES)
      throw new PolaronError('JOB_FAILED', `its answer has more than ${MOST_BYTES} bytes beside value and output`);
  }
}

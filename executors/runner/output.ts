/**
 * Catches what user code writes to process.stdout and process.stderr, console included, and gives it to the attempt that wrote it.
 * What bypasses these (native code, child processes, fs.writeSync) goes through the process's real pipes, and the agent attributes it.
 */
import type { Stream } from '../../model/log-entry.ts';
import { attempts, type TaskRun } from './task-run.ts';

/** Replaces both `write` functions. `current` is who gets what no async context claims. */
export function captureOutput(
  current: () => TaskRun | undefined,
  onText: (run: TaskRun, stream: Stream, text: string) => void,
): void {
  const capture = (stream: NodeJS.WriteStream, name: 'stdout' | 'stderr'): void => {
    const original = stream.write.bind(stream);
    const write = (chunk: unknown, encoding?: unknown, callback?: unknown): boolean => {
      const run = attempts.getStore() ?? current();
      const done = typeof encoding === 'function' ? encoding : callback;
      const text = textOf(chunk, encoding);
      if (run === undefined) {
        original(text);
      } else {
        onText(run, name, text);
      }
      if (typeof done === 'function') process.nextTick(() => Reflect.apply(done, undefined, []));
      return true;
    };
    Object.defineProperty(stream, 'write', { value: write, configurable: true, writable: true });
  };
  capture(process.stdout, 'stdout');
  capture(process.stderr, 'stderr');
}

function textOf(chunk: unknown, encoding: unknown): string {
  if (typeof chunk === 'string') {
    return typeof encoding === 'string' && Buffer.isEncoding(encoding) && !/^utf-?8$/i.test(encoding)
      ? Buffer.from(chunk, encoding).toString('utf8')
      : chunk;
  }
  if (chunk instanceof Uint8Array)
    return Buffer.from(chunk.buffer, chunk.byteOffset, chunk.byteLength).toString('utf8');
  throw new TypeError('the "chunk" argument must be a string or a Uint8Array');
}

/** Text between two flushes, bounded: a loop that prints for ever costs no memory. */
export class PendingOutput {
  #entries: { readonly run: TaskRun; readonly stream: Stream; text: string }[] = [];
  #chars = 0;

  /** Returns true when so much waits that it should be flushed now. */
  add(run: TaskRun, stream: Stream, written: string): boolean {
    const text = cut(written);
    const last = this.#entries.at(-1);
    if (last !== undefined && last.run === run && last.stream === stream && last.text.length < MERGE_CHARS)
      last.text += text;
    else this.#entries.push({ run, stream, text });
    this.#chars += text.length;
    return this.#chars > FLUSH_CHARS;
  }

  take(each: (run: TaskRun, stream: Stream, text: string) => void): void {
    if (this.#chars === 0) return;
    const entries = this.#entries;
    this.#entries = [];
    this.#chars = 0;
    for (const { run, stream, text } of entries) each(run, stream, text);
  }
}

/** The agent keeps 64 Ki characters of a stream: more of one text need not travel. */
function cut(text: string): string {
  if (text.length <= LONGEST_TEXT) return text;
  const half = LONGEST_TEXT / 2;
  return `${text.slice(0, half)}\n… ${text.length - LONGEST_TEXT} characters left out …\n${text.slice(-half)}`;
}

const LONGEST_TEXT = 128 * 1024;
const MERGE_CHARS = 4 * 1024;
const FLUSH_CHARS = 16 * 1024;

/**
 * A thread's end of what it says to its agent: the process's first thread passes it on. A batch is waited for until that has happened, so that what was said stays said
 * when the process dies in the next moment, and what began earlier is known to have ended (R2 of runner.ts). Not here: the process's end (threads.ts).
 */
import { MessagePort } from 'node:worker_threads';
import { FrameBatch, FrameReader } from './frames.ts';
import type { Link } from './link.ts';
import type { FromRunner, ToRunner } from './messages.ts';
import { readToRunner, writeFromRunner } from './wire-runner.ts';

/** What a thread is started with. */
export interface ThreadData {
  readonly port: MessagePort;
  /** How many messages of this thread were passed on: one 32-bit number that only grows, and may wrap. */
  readonly passed: Int32Array;
  readonly maxValueBytes: number;
  readonly agent: string;
  readonly scratchRoot: string;
}

export const isThreadData = (x: unknown): x is ThreadData =>
  typeof x === 'object' &&
  x !== null &&
  'port' in x &&
  x.port instanceof MessagePort &&
  'passed' in x &&
  x.passed instanceof Int32Array;

/** `onMessage` gets messages in order, `onBatch` comes after each chunk of them. */
export function openThreadLink(
  { port, passed }: ThreadData,
  onMessage: (message: ToRunner) => void,
  onBatch: () => void,
): Link {
  const reader = new FrameReader(readToRunner, onMessage);
  const batch = new FrameBatch(writeFromRunner);
  let posted = 0;
  port.on('message', (chunk: unknown) => {
    if (!(chunk instanceof Uint8Array)) return;
    reader.feed(Buffer.from(chunk.buffer, chunk.byteOffset, chunk.byteLength));
    onBatch();
  });
  const flush = (): void => {
    if (batch.empty) return;
    for (const part of batch.take()) {
      // of its own memory: a view would send all that it is a part of
      const bytes = new Uint8Array(part);
      port.postMessage(bytes, [bytes.buffer]);
      posted = (posted + 1) | 0;
    }
    // The first thread does nothing else: it is late only when its agent is. Whoever ends this thread doesn't wait for it.
    for (let now = Atomics.load(passed, 0); now !== posted; now = Atomics.load(passed, 0)) Atomics.wait(passed, 0, now);
  };
  return { send: (message: FromRunner) => batch.add(message), save: flush, flush, flushSync: flush };
}

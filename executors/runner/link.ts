/**
 * The runner's end of the pipe to its agent, fd 3, and the outbox: a small file that holds the messages of a batch which isn't sent yet.
 * The agent reads it when this process is stuck or dead, so a batch costs no answer. It holds frames, and a length of 0 where they end. When the pipe closes the agent is gone: the runner ends
 * its whole process group. Not here: what the messages mean (runner.ts).
 */
import { ftruncateSync, openSync, writeSync } from 'node:fs';
import { Socket } from 'node:net';
import { FrameBatch, FrameReader } from './frames.ts';
import type { FromRunner, ToRunner } from './messages.ts';
import { readToRunner, writeFromRunner } from './wire-runner.ts';

const FD = 3;
/** How long a dying process may spend on its last words. */
const LAST_WORDS_MS = 200;

export interface Link {
  /** Adds a message to the batch. */
  send(message: FromRunner): void;
  /** Puts the batch into the outbox, or sends it when it has grown: user code may crash or hang afterwards. */
  save(): void;
  /** Writes the batch; the bytes are in the kernel when it returns, unless the pipe is full. */
  flush(): void;
  /** The same, for a process that is about to exit. */
  flushSync(): void;
}

/** Above this a batch is sent, not saved. */
const SAVE_BYTES = 64 * 1024;
const NOTHING_SAVED = Buffer.alloc(4);

/** Opens fd 3. `outbox` is the file's path. `onMessage` gets messages in order, `onBatch` comes after each chunk of them. */
export function openLink(outbox: string, onMessage: (message: ToRunner) => void, onBatch: () => void): Link {
  const socket = new Socket({ fd: FD, readable: true, writable: true });
  const reader = new FrameReader(readToRunner, onMessage);
  const batch = new FrameBatch(writeFromRunner);
  socket.on('data', (chunk) => {
    reader.feed(chunk);
    onBatch();
  });
  const orphaned = (): void => {
    // a group of its own, so this reaches what user code started too
    process.kill(-process.pid, 'SIGKILL');
  };
  socket.on('end', orphaned);
  socket.on('close', orphaned);
  socket.on('error', orphaned);
  let outboxFd: number | undefined;
  /** Bytes of the batch that the outbox holds. */
  let saved = 0;
  const flush = (): void => {
    if (batch.empty) return;
    for (const part of batch.take()) socket.write(part);
    // emptied after the send: an answer found twice is harmless, one of an earlier attempt later on is not
    if (saved > 0 && outboxFd !== undefined) empty(outboxFd);
    saved = 0;
  };
  const saveBatch = (): void => {
    // behind what it holds, over the mark that ended it
    const record = batch.ended(saved);
    outboxFd ??= openSync(outbox, 'w', 0o600);
    const from = saved;
    saved = batch.bytes;
    if (writeSync(outboxFd, record, 0, record.length, from) < record.length) throw new Error('it has no room');
  };
  return {
    send: (message) => batch.add(message),
    save: () => {
      if (batch.bytes > SAVE_BYTES) {
        flush();
        return;
      }
      if (batch.bytes === saved) return;
      try {
        saveBatch();
      } catch {
        // a full disk: it costs a message for each, no answer
        flush();
      }
    },
    flush,
    flushSync: () => {
      // what waits inside the socket can't be overtaken, nor written without the event loop
      if (batch.empty || socket.writableLength > 0) return;
      for (const part of batch.take()) writeWhole(part);
    },
  };
}

/** On a full disk there may be no room even for the mark. */
function empty(outbox: number): void {
  try {
    writeSync(outbox, NOTHING_SAVED, 0, NOTHING_SAVED.length, 0);
  } catch {
    ftruncateSync(outbox);
  }
}

function writeWhole(data: Uint8Array): void {
  const until = performance.now() + LAST_WORDS_MS;
  for (let at = 0; at < data.length; ) {
    try {
      at += writeSync(FD, data, at);
    } catch {
      // the pipe is full (EAGAIN): give the agent a moment to read
      if (performance.now() > until) return;
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 2);
    }
  }
}

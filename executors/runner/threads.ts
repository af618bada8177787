/**
 * Entry of a process that hosts threads: `node threads.js <maxValueBytes> <agent> <folder for scratch folders>` with fd 3 as the pipe to its agent. It starts and ends threads and passes on what
 * goes between them and the agent; no user code runs in this, the first thread. When the pipe closes the agent is gone: the process ends its whole group.
 * Not here: what a thread does (thread.ts), which threads there are and who is blamed for a death (executors/thread).
 */
import { Socket } from 'node:net';
import { MessageChannel, receiveMessageOnPort, Worker, type MessagePort } from 'node:worker_threads';
import { RUNNER_MARK } from '../process/runner-roster.ts';
import { threadProgram } from '../program.ts';
import { FrameStream } from '../remote/frame-stream.ts';
import { FRAME } from '../remote/wire.ts';
import { decodeToThread, encodeHostWord, type ToThread } from '../thread/host-wire.ts';
import type { ThreadData } from './thread-link.ts';

interface Thread {
  readonly worker: Worker;
  readonly port: MessagePort;
}

const FD = 3;
const LEAST_HEAP_MB = 16;
const [maxValueBytes, agent = 'unknown', scratchRoot = '.'] = process.argv.slice(2);
const threads = new Map<number, Thread>();

const stream = new FrameStream(new Socket({ fd: FD, readable: true, writable: true }), {
  frame: (kind, number, payload) => {
    if (kind === FRAME.runner) {
      // of its own memory: the frame is a view that is valid now
      const bytes = new Uint8Array(payload);
      threads.get(number)?.port.postMessage(bytes, [bytes.buffer]);
    } else if (kind === FRAME.control) told(number, decodeToThread(payload));
  },
  // a group of its own, so this reaches what user code started too
  ended: () => process.kill(-process.pid, 'SIGKILL'),
});

function told(number: number, message: ToThread): void {
  if (message.type === 'start') start(number, message);
  else void threads.get(number)?.worker.terminate();
}

function start(number: number, { mark, memoryMb }: Extract<ToThread, { type: 'start' }>): void {
  const { port1: port, port2: theirs } = new MessageChannel();
  const passed = new Int32Array(new SharedArrayBuffer(4));
  const workerData: ThreadData = { port: theirs, passed, maxValueBytes: Number(maxValueBytes), agent, scratchRoot };
  const worker = new Worker(threadProgram(), {
    workerData,
    transferList: [theirs],
    argv: process.argv.slice(2),
    execArgv: [],
    // a copy: what one changes the others don't see
    env: { ...process.env, [RUNNER_MARK]: mark },
    stdout: true,
    stderr: true,
    ...(memoryMb === undefined
      ? {}
      : { resourceLimits: { maxOldGenerationSizeMb: Math.max(LEAST_HEAP_MB, memoryMb) } }),
  });
  threads.set(number, { worker, port });
  let heapFull = false;
  const release = (): void => {
    Atomics.add(passed, 0, 1);
    Atomics.notify(passed, 0);
  };
  const pass = (message: unknown): void => {
    if (message instanceof Uint8Array) stream.send(FRAME.runner, number, message);
    // After the write, which is at the end of this turn. A full pipe keeps the thread waiting, so that what one says doesn't pile up before what its neighbours say.
    if (stream.full) void stream.room().then(release);
    else process.nextTick(release);
  };
  port.on('message', pass);
  for (const [kind, output] of [
    [FRAME.stdout, worker.stdout],
    [FRAME.stderr, worker.stderr],
  ] as const)
    output.on('data', (chunk: Buffer) => {
      if (stream.send(kind, number, chunk)) return;
      output.pause();
      void stream.room().then(() => output.resume());
    });
  worker.on('error', (error: unknown) => {
    heapFull ||= isFull(error);
    const text = error instanceof Error ? (error.stack ?? error.message) : String(error);
    if (!heapFull) stream.send(FRAME.stderr, number, Buffer.from(`${text}\n`));
  });
  worker.on('exit', (exitCode) => {
    for (let left = receiveMessageOnPort(port); left !== undefined; left = receiveMessageOnPort(port))
      pass(left.message);
    port.close();
    threads.delete(number);
    stream.send(FRAME.control, number, encodeHostWord({ exitCode, heapFull }));
  });
}

const isFull = (error: unknown): boolean =>
  error instanceof Error && 'code' in error && error.code === 'ERR_WORKER_OUT_OF_MEMORY';

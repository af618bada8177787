/**
 * One runner process from the agent's side: start, batched messages, output, signals to its group, exit.
 * Not here: what it is given to do (lane.ts), which processes there are (pool.ts).
 */
import { spawn } from 'node:child_process';
import { readFileSync, rmSync } from 'node:fs';
import { Socket } from 'node:net';
import { StringDecoder } from 'node:string_decoder';
import type { Clock } from '../../model/clock.ts';
import type { ErrorInfo } from '../../model/outcome.ts';
import { programArgs } from '../program.ts';
import { FrameBatch, FrameReader, framesIn } from '../runner/frames.ts';
import type { Stream } from '../../model/log-entry.ts';
import type { FromRunner, ToRunner } from '../runner/messages.ts';
import { readFromRunner, writeToRunner } from '../runner/wire-runner.ts';
import { signalGroup } from './process-table.ts';
import { RUNNER_MARK, type RunnerRoster } from './runner-roster.ts';

/** How long to wait for the rest of the output once the process has exited: a grandchild may hold the pipes. */
const OUTPUT_MS = 100;

export interface RunnerStart {
  readonly nodePath: string;
  /** Node's arguments that start it. @default this package's runner */
  readonly program?: readonly string[];
  /** Environment of user code. */
  readonly env: Readonly<Record<string, string>>;
  readonly cwd: string;
  /** Where it has to be, by the name that its pool gives; '': here. */
  readonly place: string;
  readonly memoryMb: number | undefined;
  readonly maxValueBytes: number;
  /** Where the runner keeps a batch that it hasn't sent. */
  readonly outbox: string;
  /** Folder of scratch folders. */
  readonly scratchRoot: string;
  /** Name of the agent, for messages. */
  readonly agent: string;
  readonly roster: RunnerRoster;
  readonly clock: Clock;
}

export interface RunnerExit {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
  /** Why it is gone, when the process itself isn't to blame: it couldn't be reached. */
  readonly error?: ErrorInfo;
  /** It was killed for its memory, where it ran. */
  readonly overMemory?: boolean;
  /** What ended is a thread. */
  readonly thread?: {
    /** Its heap was full. */
    readonly heapFull: boolean;
    /** It ended with its process, and nobody can say that it was to blame: what ran there isn't, and runs again. */
    readonly bystander: boolean;
  };
}

export interface RunnerListener {
  message(message: FromRunner): void;
  /** After a chunk of messages. */
  batch(): void;
  output(stream: Stream, text: string): void;
  /** It sent what no runner sends. */
  garbled(error: unknown): void;
  /** It has ended and takes nothing more; what it started is being ended, then `exit` follows. */
  leaving(): void;
  /** The process and its group are gone, its output is complete. */
  exit(exit: RunnerExit): void;
}

export interface RunnerProcess {
  /** 0 when it couldn't be started; `exit` follows. */
  readonly pid: number;
  send(message: ToRunner): void;
  /** Signals the whole process group. */
  kill(signal: NodeJS.Signals): void;
  /** Messages that the process has saved or sent until now are heard, saved ones again when they come; then `done` is called: at once, for a process of this machine. */
  readOutbox(done: () => void): void;
  /** Hears nothing of it until `resume`: what it sends and prints waits with it. */
  pause?(): void;
  resume?(): void;
  /** Of it and all that it has started. @default what this machine says of `pid` */
  residentBytes?(): number;
}

export type StartRunner = (start: RunnerStart, listener: RunnerListener) => RunnerProcess;

/** Starts a runner in a process group of its own. Never throws: a failure to start is an exit. */
export function startRunner(start: RunnerStart, listener: RunnerListener): RunnerProcess {
  const heap = start.memoryMb === undefined ? [] : [`--max-old-space-size=${Math.max(16, Math.floor(start.memoryMb))}`];
  const mark = start.roster.nextMark();
  const child = spawn(
    start.nodePath,
    [
      '--enable-source-maps',
      ...heap,
      ...(start.program ?? programArgs('executors/runner/main')),
      String(start.maxValueBytes),
      start.outbox,
      start.agent,
      start.scratchRoot,
    ],
    {
      cwd: start.cwd,
      env: { ...start.env, [RUNNER_MARK]: mark },
      detached: true,
      stdio: ['ignore', 'pipe', 'pipe', 'pipe'],
    },
  );
  const pid = child.pid ?? 0;
  if (pid > 0) start.roster.add(pid, mark);
  const pipe = child.stdio[3];
  const batch = new FrameBatch(writeToRunner);
  let planned = false;
  let ended = false;
  let paused = false;
  /** It has exited while it was paused: there may be more in its pipes. */
  let exited: RunnerExit | undefined;

  const end = (exit: RunnerExit): void => {
    if (ended) return;
    ended = true;
    listener.leaving();
    const gone = (): void => {
      listener.exit(exit);
      rmSync(start.outbox, { force: true });
    };
    if (pid > 0) start.roster.remove(pid, gone);
    else gone();
  };
  const hear = (message: FromRunner): void => listener.message(message);
  const reader = new FrameReader(readFromRunner, hear);
  const streams = [child.stdout, child.stderr, pipe].filter((stream) => stream instanceof Socket);
  if (pipe instanceof Socket) {
    pipe.on('data', (chunk) => {
      if (ended) return;
      try {
        reader.feed(chunk);
        listener.batch();
      } catch (error) {
        listener.garbled(error);
      }
    });
    // the exit says it better
    pipe.on('error', () => undefined);
  }
  for (const [stream, from] of [
    ['stdout', child.stdout],
    ['stderr', child.stderr],
  ] as const) {
    const decoder = new StringDecoder('utf8');
    from?.on('data', (chunk: Buffer) => listener.output(stream, decoder.write(chunk)));
    from?.on('error', () => undefined);
  }
  child.on('error', () => {
    if (pid === 0) end({ code: null, signal: null });
  });
  child.on('exit', (code, signal) => {
    // what its group still runs may hold the pipes open
    if (pid > 0) signalGroup(pid, 'SIGKILL');
    start.clock.after(OUTPUT_MS, () => {
      if (paused) exited = { code, signal };
      else end({ code, signal });
    });
  });
  child.on('close', (code, signal) => end({ code, signal }));

  const flush = (): void => {
    planned = false;
    if (batch.empty || !(pipe instanceof Socket) || pipe.destroyed) return;
    for (const part of batch.take()) pipe.write(part);
  };
  return {
    pid,
    readOutbox: (done) => {
      hearOutbox(start.outbox, hear, listener);
      done();
    },
    pause: () => {
      paused = true;
      for (const stream of streams) stream.pause();
    },
    resume: () => {
      if (!paused || ended) return;
      paused = false;
      for (const stream of streams) stream.resume();
      const exit = exited;
      if (exit !== undefined) start.clock.after(OUTPUT_MS, () => end(exit));
    },
    send: (message) => {
      batch.add(message);
      if (planned) return;
      planned = true;
      queueMicrotask(flush);
    },
    kill: (signal) => {
      if (pid > 0 && !ended) signalGroup(pid, signal);
    },
  };
}

function hearOutbox(file: string, hear: (message: FromRunner) => void, listener: RunnerListener): void {
  let data: Buffer;
  try {
    data = readFileSync(file);
  } catch {
    return; // it has saved nothing yet
  }
  try {
    new FrameReader(readFromRunner, hear).feed(data.subarray(0, framesIn(data)));
  } catch (error) {
    listener.garbled(error);
  }
}

/** What a runner said that comes over the frames of others: `bytes` is a view, valid during the call. */
export function hearFrames(bytes: Buffer, reader: FrameReader<FromRunner>, listener: RunnerListener): void {
  try {
    // a copy: values in the messages are views of it
    reader.feed(Buffer.from(bytes));
    listener.batch();
  } catch (error) {
    listener.garbled(error);
  }
}

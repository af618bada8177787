/**
 * Starts a process that outlives us: own session, output into a log file, none of our stdio held; waits for its word that it is ready.
 * The word is one line of JSON on a pipe (fd 3), so that a process which dies is noticed at once. Not here: what the process is.
 */
import { spawn } from 'node:child_process';
import { closeSync, fstatSync, openSync, readSync, renameSync, statSync, writeSync } from 'node:fs';
import type { Readable } from 'node:stream';
import { endProcesses } from './end-processes.ts';
import { processInfo } from '../executors/process/process-table.ts';

const READY_FD = 3;
const READY_ENV = 'POLARON_READY_FD';
/** A log larger than this is moved to `<file>.1` before a start. */
const MAX_LOG_BYTES = 10 * 1024 * 1024;
const TAIL_BYTES = 16 * 1024;

export interface DetachOptions {
  readonly command: string;
  readonly args: readonly string[];
  readonly env: NodeJS.ProcessEnv;
  readonly logFile: string;
  /** How long it may take to become ready, ms. */
  readonly readyTimeoutMs: number;
  /** Lines of the log to answer with on failure. @default 20 */
  readonly tailLines?: number;
}

export type DetachOutcome =
  | { readonly type: 'word'; readonly pid: number; readonly word: unknown; readonly logTail: readonly string[] }
  | { readonly type: 'failed'; readonly reason: string; readonly logTail: readonly string[] };

/**
 * Spawns it and waits for its word. When none comes, what it started is ended before this resolves.
 * A word isn't success by itself: the child may say why it failed.
 */
export async function startDetached(options: DetachOptions): Promise<DetachOutcome> {
  const log = openLog(options.logFile);
  const tail = (): readonly string[] => readTail(options.logFile, log.offset, options.tailLines ?? 20);
  const child = spawn(options.command, options.args, {
    detached: true,
    stdio: ['ignore', log.fd, log.fd, 'pipe'],
    env: { ...options.env, [READY_ENV]: String(READY_FD) },
  });
  closeSync(log.fd);
  const started = child.pid === undefined ? undefined : processInfo(child.pid);
  const ended = new Promise<string>((resolve) => {
    child.once('error', (error) => resolve(`it could not be started: ${error.message}`));
    child.once('exit', (code, signal) => resolve(signal === null ? `it exited with ${code}` : `it died by ${signal}`));
  });
  const pipe = child.stdio[READY_FD];
  const heard = isReadable(pipe) ? await firstLine(pipe, options.readyTimeoutMs) : 'closed';
  if (typeof heard === 'object' && child.pid !== undefined) {
    child.unref();
    return { type: 'word', pid: child.pid, word: heard.word, logTail: tail() };
  }
  if (started !== undefined) await endProcesses([started], { graceMs: 2_000 });
  const how = await ended;
  const reason = heard === 'silent' ? `it said nothing for ${options.readyTimeoutMs} ms` : how;
  return { type: 'failed', reason, logTail: tail() };
}

/** For the started process: says a word to whoever waits, once. Undefined when nobody does. Forgets the channel, so that children don't inherit it. */
export function takeReadyChannel(env: NodeJS.ProcessEnv): ((word: unknown) => void) | undefined {
  const fd = Number(env[READY_ENV] ?? Number.NaN);
  delete env[READY_ENV];
  if (fd !== READY_FD) return undefined;
  try {
    const stat = fstatSync(fd);
    if (!stat.isFIFO() && !stat.isSocket()) return undefined;
  } catch {
    return undefined;
  }
  let open = true;
  return (word) => {
    if (!open) return;
    open = false;
    try {
      writeSync(fd, `${JSON.stringify(word)}\n`);
    } catch {
      // whoever waited is gone
    }
    closeSync(fd);
  };
}

const isReadable = (stream: unknown): stream is Readable =>
  typeof stream === 'object' && stream !== null && 'on' in stream && 'destroy' in stream;

/** The first line as JSON, or why there is none. Closes the pipe. */
function firstLine(pipe: Readable, timeoutMs: number): Promise<{ readonly word: unknown } | 'closed' | 'silent'> {
  return new Promise((resolve) => {
    let text = '';
    const finish = (heard: { readonly word: unknown } | 'closed' | 'silent'): void => {
      clearTimeout(timer);
      pipe.destroy();
      resolve(heard);
    };
    const timer = setTimeout(() => finish('silent'), timeoutMs);
    pipe.setEncoding('utf8');
    pipe.on('data', (chunk: string) => {
      text += chunk;
      const end = text.indexOf('\n');
      if (end >= 0) finish({ word: parse(text.slice(0, end)) });
    });
    pipe.on('end', () => finish('closed'));
    pipe.on('error', () => finish('closed'));
  });
}

function parse(line: string): unknown {
  try {
    return JSON.parse(line);
  } catch {
    return undefined;
  }
}

/** Opens the log for appending; `offset` is where this start's lines begin. */
function openLog(file: string): { readonly fd: number; readonly offset: number } {
  try {
    if (statSync(file).size > MAX_LOG_BYTES) renameSync(file, `${file}.1`);
  } catch {
    // there is none yet
  }
  const fd = openSync(file, 'a', 0o600);
  return { fd, offset: fstatSync(fd).size };
}

function readTail(file: string, offset: number, lines: number): readonly string[] {
  try {
    const fd = openSync(file, 'r');
    try {
      const size = fstatSync(fd).size;
      const from = Math.max(offset, size - TAIL_BYTES);
      const bytes = Buffer.alloc(Math.max(0, size - from));
      readSync(fd, bytes, 0, bytes.length, from);
      return bytes
        .toString('utf8')
        .split('\n')
        .filter((line) => line.trim() !== '')
        .slice(-lines);
    } finally {
      closeSync(fd);
    }
  } catch {
    return [];
  }
}

/**
 * Begins a process that outlives us: own session, output into a log file, none of our stdio held; tells it what to be, and waits for its word that it is ready.
 * Both are a line of JSON on a pipe (its fd 3), so that a process which dies is noticed at once. Not here: its side (detached.ts), what the process is.
 */
import { spawn } from 'node:child_process';
import { closeSync, fstatSync, openSync, readSync, renameSync, statSync } from 'node:fs';
import type { Duplex } from 'node:stream';
import { endProcesses } from './end-processes.ts';
import { processInfo } from '../executors/process/process-table.ts';
import { DETACHED_ENV, DETACHED_FD } from './detached.ts';

/** A log larger than this is moved to `<file>.1` before a start. */
const MAX_LOG_BYTES = 10 * 1024 * 1024;
const TAIL_BYTES = 16 * 1024;

export interface DetachOptions {
  readonly command: string;
  readonly args: readonly string[];
  readonly env: NodeJS.ProcessEnv;
  readonly logFile: string;
  /** Lines of the log to answer with on failure. @default 20 */
  readonly tailLines?: number;
}

export type DetachOutcome =
  | { readonly type: 'word'; readonly pid: number; readonly word: unknown; readonly logTail: readonly string[] }
  | { readonly type: 'failed'; readonly reason: string; readonly logTail: readonly string[] };

/** It waits to be told, and ends when we end before that. */
export interface DetachedProcess {
  /**
   * Tells it what to be and waits for its word for at most `readyTimeoutMs`. When none comes, what it started is ended before this resolves.
   * A word isn't success by itself: the process may say why it failed.
   */
  ready(told: unknown, readyTimeoutMs: number): Promise<DetachOutcome>;
}

/** Raises what the file system says of the log. */
export function beginDetached(options: DetachOptions): DetachedProcess {
  const log = openLog(options.logFile);
  const child = spawn(options.command, options.args, {
    detached: true,
    stdio: ['ignore', log.fd, log.fd, 'pipe'],
    env: { ...options.env, [DETACHED_ENV]: String(DETACHED_FD) },
  });
  closeSync(log.fd);
  const ended = new Promise<string>((resolve) => {
    child.once('error', (error) => resolve(`it could not be started: ${error.message}`));
    child.once('exit', (code, signal) => resolve(signal === null ? `it exited with ${code}` : `it died by ${signal}`));
  });
  return {
    ready: async (told, readyTimeoutMs) => {
      const { pid } = child;
      // one that has ended is no process of ours any more: its pid may be another's
      const living = child.exitCode === null && child.signalCode === null;
      const started = living && pid !== undefined ? processInfo(pid) : undefined;
      const tail = (): readonly string[] => readTail(options.logFile, log.offset, options.tailLines ?? 20);
      const pipe = child.stdio[DETACHED_FD];
      const heard = isDuplex(pipe) ? await firstLine(pipe, told, readyTimeoutMs) : 'closed';
      if (typeof heard === 'object' && pid !== undefined) {
        child.unref();
        return { type: 'word', pid, word: heard.word, logTail: tail() };
      }
      if (started !== undefined) await endProcesses([started], { graceMs: 2_000 });
      const how = await ended;
      const reason = heard === 'silent' ? `it said nothing for ${readyTimeoutMs} ms` : how;
      return { type: 'failed', reason, logTail: tail() };
    },
  };
}

const isDuplex = (stream: unknown): stream is Duplex =>
  typeof stream === 'object' && stream !== null && 'on' in stream && 'write' in stream;

/** Its first line as JSON, or why there is none. Closes the pipe. */
function firstLine(
  pipe: Duplex,
  told: unknown,
  timeoutMs: number,
): Promise<{ readonly word: unknown } | 'closed' | 'silent'> {
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
    pipe.write(`${JSON.stringify(told)}\n`);
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

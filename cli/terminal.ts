/**
 * Where a command's words go: stdout for the answer, stderr for all else. Tests give a fake.
 * Not here: what is said.
 */
import type { WriteStream } from 'node:tty';

export interface Terminal {
  /** Answers, without the newline. */
  out(line: string): void;
  /** The answer as it is, newlines included. */
  raw(text: string): void;
  /** Remarks and errors. */
  err(line: string): void;
  /** The one changing line at the bottom of a terminal; empty: take it away. Only when `live`. */
  status(line: string): void;
  /** stdout is a terminal. */
  readonly live: boolean;
  /** stdout may have colours. */
  readonly colour: boolean;
  readonly columns: number;
}

const ERASE_LINE = '\r\u001B[2K';

/** The process's own. A reader that went away (EPIPE) ends the process quietly through `onGone`. */
export function processTerminal(process: NodeJS.Process, onGone: () => void): Terminal {
  const { stdout, stderr, env } = process;
  const onError = (error: Error): void => {
    if ('code' in error && error.code === 'EPIPE') onGone();
    else throw error;
  };
  stdout.on('error', onError);
  stderr.on('error', () => undefined); // nobody is left to tell
  const live = stdout.isTTY && env['TERM'] !== 'dumb';
  let shown = '';
  const clear = (): void => {
    if (shown !== '') stdout.write(ERASE_LINE);
    shown = '';
  };
  return {
    out: (line) => {
      clear();
      stdout.write(`${line}\n`);
    },
    raw: (text) => {
      clear();
      stdout.write(text);
    },
    err: (line) => {
      clear();
      stderr.write(`${line}\n`);
    },
    status: (line) => {
      if (!live || line === shown) return;
      clear();
      shown = line;
      stdout.write(line);
    },
    live,
    colour: live && (env['NO_COLOR'] ?? '') === '',
    columns: columnsOf(stdout),
  };
}

const columnsOf = (stream: WriteStream): number => (stream.columns > 0 ? stream.columns : 80);

/** Resolves when what was written has left the process, or can't any more. */
export function drained(stream: NodeJS.WriteStream): Promise<void> {
  return new Promise((resolve) => {
    if (stream.destroyed || stream.writableLength === 0) resolve();
    else {
      stream.once('close', resolve);
      stream.write('', () => resolve());
    }
  });
}

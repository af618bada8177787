/**
 * Large results of one runner on their way here: each comes whole, into the scratch folder that its task has here, before the message that names it.
 * Not here: what becomes of the file, which is the agent's from then on.
 */
import { closeSync, openSync, rmSync, writeSync } from 'node:fs';
import { asPolaronError } from '../../model/errors.ts';
import type { ErrorInfo } from '../../model/outcome.ts';
import type { RunFinished } from '../runner/messages.ts';

interface Coming {
  readonly there: string;
  here: string;
  readonly size: number;
  fd: number | undefined;
  bytes: number;
  error: ErrorInfo | undefined;
}

export class IncomingResults {
  readonly #pathFor: (task: string) => string | undefined;
  #coming: Coming | undefined;
  /** By the name over there; until the message comes. */
  readonly #whole = new Map<string, string | ErrorInfo>();

  /** `pathFor` gives the file for a task's result; undefined for one that isn't here. It raises the system's error. */
  constructor(pathFor: (task: string) => string | undefined) {
    this.#pathFor = pathFor;
  }

  /** `most`: a larger one isn't taken. */
  begin(task: string, there: string, size: number, most: number): void {
    this.abandon();
    const coming: Coming = { there, here: '', size, fd: undefined, bytes: 0, error: undefined };
    this.#coming = coming;
    if (size > most) {
      const message = `the result has ${size} bytes; this agent takes at most ${most}`;
      coming.error = { code: 'VALUE_TOO_LARGE', message };
      return;
    }
    try {
      const here = this.#pathFor(task);
      if (here === undefined) coming.error = noResult;
      else coming.fd = openSync((coming.here = here), 'w', 0o600);
    } catch (error) {
      coming.error = diskError(error);
    }
  }

  piece(bytes: Uint8Array): void {
    const coming = this.#coming;
    if (coming?.fd === undefined || coming.error !== undefined) return;
    try {
      for (let at = 0; at < bytes.length; ) at += writeSync(coming.fd, bytes, at);
      coming.bytes += bytes.length;
    } catch (error) {
      coming.error = diskError(error);
    }
  }

  end(error: ErrorInfo | undefined): void {
    const coming = this.#coming;
    if (coming === undefined) return;
    this.#coming = undefined;
    if (coming.fd !== undefined) closeSync(coming.fd);
    const short = coming.bytes === coming.size ? undefined : tooShort(coming);
    const wrong = error ?? coming.error ?? short;
    if (wrong !== undefined && coming.here !== '') rmSync(coming.here, { force: true });
    this.#whole.set(coming.there, wrong ?? coming.here);
  }

  /** The message as if its runner were here. */
  placed(message: RunFinished): RunFinished {
    const { result } = message;
    if (result.status !== 'completed' || result.file === undefined) return message;
    const whole = this.#whole.get(result.file) ?? noResult;
    this.#whole.delete(result.file);
    if (typeof whole === 'string') return { ...message, result: { ...result, file: whole } };
    return { ...message, result: { status: 'failed', error: whole } };
  }

  /** Nothing more comes. */
  abandon(): void {
    const coming = this.#coming;
    this.#coming = undefined;
    if (coming?.fd !== undefined) closeSync(coming.fd);
    if (coming !== undefined && coming.here !== '') rmSync(coming.here, { force: true });
  }
}

const noResult: ErrorInfo = { code: 'VALUE_MISSING', message: 'the result did not come with its message' };

const tooShort = ({ bytes, size }: Coming): ErrorInfo => ({
  code: 'VALUE_MISSING',
  message: `${bytes} bytes of the result came instead of ${size}`,
});

function diskError(error: unknown): ErrorInfo {
  const { code, message } = asPolaronError(error, 'DISK_FULL');
  return { code, message: `the result can't be kept on the agent: ${message}` };
}

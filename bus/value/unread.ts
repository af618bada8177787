/**
 * What a codec couldn't bring back, and how it is said: where in the value, which codec, what to do.
 * Not here: the reading (value-reader.ts), the place in the bytes as a path (place.ts).
 */
import { PolaronError, type ErrorCode } from '../../model/errors.ts';
import type { CodecEntry } from '../protocol/registry.ts';
import { shownCodec, showPath, type PathPart } from './check.ts';

export type UnreadCode = Extract<ErrorCode, 'CODEC_MISSING' | 'CODEC_FAILED'>;

/** Whose value it is, such as `electron "train", argument 1`; a function when it costs something to say. */
export type Whose = string | (() => string);

/** An instance that couldn't be made. Leaves this folder only as a PolaronError. */
export class Unread extends Error {
  readonly code: UnreadCode;
  readonly codec: string;
  /** Byte of the payload where the instance begins. */
  readonly at: number;
  /** To it, once that is known. */
  readonly path: PathPart[] = [];

  constructor(code: UnreadCode, codec: string, at: number, what: string, cause?: unknown) {
    super(what, cause === undefined ? undefined : { cause });
    this.code = code;
    this.codec = codec;
    this.at = at;
  }
}

export const codecMissing = (codec: string, at: number): Unread =>
  new Unread(
    'CODEC_MISSING',
    codec,
    at,
    `it is a ${codec}, and no codec of that name is registered here. Import the module that calls registerCodec(…, { name: '${codec}' }): on agents, from the module of the electron`,
  );

export const codecFailed = (codec: CodecEntry, at: number, what: string, cause?: unknown): Unread =>
  new Unread('CODEC_FAILED', codec.name, at, `${shownCodec(codec)} ${what}`, cause);

/** The error for an unread instance. Anything else is given back as it is. */
export function unreadError(error: unknown, whose: Whose): unknown {
  if (!(error instanceof Unread)) return error;
  const { code, codec, message, cause } = error;
  const shown = showPath(error.path);
  const where = typeof whose === 'string' ? whose : whose();
  return new PolaronError(code, `${where} can't be read at ${shown}: ${message}`, {
    details: { path: shown, codec },
    cause,
  });
}

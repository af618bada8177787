/**
 * What may be long is cut to what one message carries: an answer is one message, and a record is part of answers.
 * Not here: values, which are pulled in chunks, and an answer that is too large all the same (dispatcher/api.ts).
 */
import { encodeBody } from '../bus/codec.ts';
import type { ErrorInfo } from '../model/outcome.ts';

/** About how many bytes one kind of list (electrons, dispatches, failures, names) takes in an answer: three of them fit into a message of 1 MiB. */
export const LIST_BYTES = 256 * 1024;

export const bytesOf = (x: unknown): number => encodeBody(x).byteLength;

/** The error, or its beginning when it has more than `bytes`: texts are cut, causes left out. */
export function errorWithin(error: ErrorInfo, bytes: number): ErrorInfo {
  if (bytesOf(error) <= bytes) return error;
  // Four texts, of up to three bytes a character.
  const cut = (text: string): string => text.slice(0, Math.floor(bytes / 12));
  const { code, message, name, userCode, stack } = error;
  return {
    code,
    message: cut(message),
    ...(name === undefined ? {} : { name: cut(name) }),
    ...(userCode === undefined ? {} : { userCode: cut(userCode) }),
    ...(stack === undefined ? {} : { stack: cut(stack) }),
  };
}

/** As many of the first items as take about `bytes`, at least one. */
export function firstWithin<T>(items: readonly T[], bytes: number): readonly T[] {
  let left = bytes;
  let taken = 0;
  while (taken < items.length && (taken === 0 || left > 0)) left -= bytesOf(items[taken++]);
  return items.slice(0, taken);
}

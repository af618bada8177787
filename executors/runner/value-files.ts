/**
 * Large values as files: an input is read from the agent's cache, a result is written for the agent to take over. Bytes and numbers alone
 * go from and to the file as they are. What is read or written is so at once, before other code may run. Not here: small values, which come and go inside messages.
 */
import { closeSync, fstatSync, openSync, readSync, rmSync, writeSync } from 'node:fs';
import { BARE_HEAD, bareReading, type BareReading } from '../../bus/value/bare-value.ts';
import type { Whose } from '../../bus/value/unread.ts';
import { decodeValue } from '../../bus/value/value.ts';
import { PolaronError } from '../../model/errors.ts';

/** `whose` names the value in errors. Raises VALUE_MISSING when the file can't be read, what `decodeValue` raises when it holds none that can be. */
export function decodeFile(path: string, whose: Whose): unknown {
  const { content, reading } = readFile(path);
  return reading === undefined ? decodeValue(content, undefined, whose) : reading.make(content.buffer);
}

/** `reading`: `content` is the bytes of a bare value, nothing else. */
function readFile(path: string): { readonly content: Uint8Array<ArrayBuffer>; readonly reading?: BareReading } {
  try {
    const file = openSync(path, 'r');
    try {
      const { size } = fstatSync(file);
      const head = new Uint8Array(Math.min(BARE_HEAD, size));
      readInto(file, head, 0);
      const reading = bareReading(head, size);
      const from = reading?.from ?? 0;
      const content = new Uint8Array(size - from);
      readInto(file, content, from);
      return reading === undefined ? { content } : { content, reading };
    } finally {
      closeSync(file);
    }
  } catch (cause) {
    throw new PolaronError('VALUE_MISSING', `an input can't be read from the agent's cache: ${String(cause)}`, {
      cause,
    });
  }
}

function readInto(file: number, bytes: Uint8Array, from: number): void {
  for (let at = 0; at < bytes.length; ) {
    const read = readSync(file, bytes, at, bytes.length - at, from + at);
    if (read === 0) throw new Error(`it ends after ${from + at} bytes`);
    at += read;
  }
}

/** Writes the pieces one after the other. Raises the system's error; nothing is left then. */
export function writePieces(path: string, pieces: readonly Uint8Array[]): void {
  const file = openSync(path, 'w', 0o600);
  try {
    for (const piece of pieces) for (let at = 0; at < piece.length; ) at += writeSync(file, piece, at);
  } catch (error) {
    rmSync(path, { force: true });
    throw error;
  } finally {
    closeSync(file);
  }
}

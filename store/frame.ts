/**
 * A batch as the journal holds it. A frame fills blocks of its own: a header, ops, zeros up to the block's end. The header has a checksum of its own, so
 * that what only looks like one costs nothing. Checksums begin with a seed that only the store knows: no bytes of a user pass for a frame.
 * Not here: files (journal.ts).
 */
import { crc32 } from 'node:zlib';
import { PolaronError } from '../model/errors.ts';
import { isDigest, type Digest } from '../model/ids.ts';
import type { Changes, JournalOp, Pending } from './write-batch.ts';

/** Bytes. What is acknowledged is never in a block that is written again while it counts. */
export const BLOCK = 4_096;
const LENGTH = 0;
const BODY_CHECKSUM = 4;
const NUMBER = 8;
const CHECKSUM = 16;
const HEADER = 20;
const DIGEST_BYTES = 32;

const Kind = { put: 1, remove: 2, value: 3, drop: 4 } as const;

/** Whole blocks. */
export function encodeFrame(number: number, ops: readonly JournalOp[], seed: number): Buffer {
  const frame = Buffer.allocUnsafe(roundUp(mostBytes(ops)));
  let at = HEADER;
  for (const op of ops) {
    const isRecord = op.op === 'put' || op.op === 'remove';
    const keyBytes = isRecord ? frame.write(op.key, at + 3, 'utf8') : frame.write(op.digest, at + 3, 'hex');
    frame[at] = Kind[op.op];
    frame.writeUInt16LE(keyBytes, at + 1);
    at += 3 + keyBytes;
    const bytes = bytesOf(op);
    if (bytes === undefined) continue;
    at = frame.writeUInt32LE(bytes.length, at);
    frame.set(bytes, at);
    at += bytes.length;
  }
  frame.writeUInt32LE(at, LENGTH);
  frame.writeDoubleLE(number, NUMBER);
  frame.writeUInt32LE(crc32(frame.subarray(HEADER, at), seed), BODY_CHECKSUM);
  frame.writeUInt32LE(crc32(frame.subarray(0, CHECKSUM), seed), CHECKSUM);
  const end = roundUp(at);
  frame.fill(0, at, end);
  return frame.subarray(0, end);
}

const bytesOf = (op: JournalOp): Uint8Array | undefined =>
  op.op === 'put' ? op.value : op.op === 'value' ? op.bytes : undefined;

function mostBytes(ops: readonly JournalOp[]): number {
  let bytes = HEADER;
  for (const op of ops) bytes += 7 + ('key' in op ? op.key.length * 3 : DIGEST_BYTES) + (bytesOf(op)?.length ?? 0);
  return bytes;
}

const roundUp = (bytes: number): number => Math.ceil(bytes / BLOCK) * BLOCK;

/** A frame in a file: its ops, and where its last block ends. */
export interface FoundFrame {
  readonly number: number;
  readonly body: Buffer;
  readonly end: number;
}

/** The whole frames of a file. What is none is passed over: a torn write, or what is left of an earlier one. */
export function* framesIn(file: Buffer, seed: number): Generator<FoundFrame> {
  let end: number;
  for (let at = 0; at + HEADER <= file.length; at = end) {
    end = at + BLOCK;
    if (crc32(file.subarray(at, at + CHECKSUM), seed) !== file.readUInt32LE(at + CHECKSUM)) continue;
    const length = file.readUInt32LE(at + LENGTH);
    const body = file.subarray(at + HEADER, at + length);
    if (crc32(body, seed) !== file.readUInt32LE(at + BODY_CHECKSUM)) continue;
    end = at + roundUp(length);
    yield { number: file.readDoubleLE(at + NUMBER), body, end };
  }
}

/** Raises DATA_DAMAGED. */
export function decodeChanges(body: Buffer): Changes {
  const records: Changes['records'] = new Map();
  const values: Changes['values'] = new Map();
  for (let at = 0; at < body.length; ) {
    const kind = body[at];
    const keyBytes = body.readUInt16LE(at + 1);
    const key = body.subarray(at + 3, at + 3 + keyBytes);
    at += 3 + keyBytes;
    let bytes: Pending;
    if (kind === Kind.put || kind === Kind.value) {
      const length = body.readUInt32LE(at);
      bytes = body.subarray(at + 4, at + 4 + length);
      at += 4 + length;
    }
    if (kind === Kind.put || kind === Kind.remove) records.set(key.toString('utf8'), bytes);
    else values.set(digestIn(key), bytes);
  }
  return { records, values };
}

function digestIn(key: Buffer): Digest {
  const digest = key.toString('hex');
  if (isDigest(digest)) return digest;
  throw new PolaronError('DATA_DAMAGED', 'journal: a value has no digest');
}

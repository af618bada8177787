/**
 * Bytes of a bus message: the envelope `{v, by, body, sig?, key?}` and the MessagePack body inside it.
 * `body` stays the sender's bytes and is never serialised again, so that a signature over it stays valid.
 * Not here: the shape of a body (protocol/wire-*.ts), user values (value/).
 */
import { PolaronError } from '../model/errors.ts';
import { writeBody } from './body-writer.ts';
import { takeWriter, type ByteWriter } from './byte-writer.ts';
import { WireReader } from './wire-reader.ts';

/** Version of the protocol that this build speaks. */
export const PROTOCOL_VERSION = 1;
const LONGEST_NAME = 200;
/** Of whom is remembered how their envelopes begin: all agents of a hub, more or less. */
const MOST_SENDERS = 16_384;

export interface Envelope {
  readonly v: 1;
  /** Who says it: an identity (identity.ts); the subject's tokens are what the broker vouches for. */
  readonly by: string;
  /** Raw MessagePack: give it to `decodeBody`. A view of the message. */
  readonly body: Uint8Array;
  readonly sig?: Uint8Array;
  /** Names the key of `sig`. */
  readonly key?: string;
}

/**
 * A message's body as MessagePack: plain objects, arrays, strings, numbers, booleans, null and Uint8Array. The receiver gets integers as
 * numbers and bytes as Uint8Array. Whole numbers beyond 2^53 and bigint don't travel: send them as text. Raises BAD_MESSAGE for other classes.
 */
export function encodeBody(x: unknown): Uint8Array {
  const out = takeWriter();
  try {
    writeBody(out, x);
    return out.finishMessage();
  } catch (error) {
    out.release();
    throw error;
  }
}

/** Decodes a body; bytes in it are views of `bytes`. Raises BAD_MESSAGE. */
export function decodeBody(bytes: Uint8Array): unknown {
  const reader = new WireReader(bytes);
  const body = reader.value();
  reader.end();
  return body;
}

/** A message: `body` is encoded once, inside an envelope said by `by`. Raises BAD_MESSAGE. */
export function encodeEnvelope(by: string, body: unknown, key?: string): Uint8Array {
  return wrapped(by, key, (out) => writeBody(out, body));
}

/** The same as a build of protocol `v` writes it. Only for what all versions understand: that this one is another (docs/adr/033-agent-life.md). */
export const encodeEnvelopeFor = (v: number, by: string, body: unknown): Uint8Array =>
  encodeBody({ v, by, body: encodeBody(body) });

/** The same around a body that is encoded already. */
export function envelopeOf(by: string, inner: Uint8Array, key?: string): Uint8Array {
  return wrapped(by, key, (out) => out.raw(inner));
}

function wrapped(by: string, key: string | undefined, write: (out: ByteWriter) => void): Uint8Array {
  const head = headOf(by, key);
  const out = takeWriter();
  try {
    out.raw(head);
    const start = out.beginBinary();
    write(out);
    out.endBinary(start);
    return out.finishMessage();
  } catch (error) {
    out.release();
    throw error;
  }
}

const heads = new Map<string, Uint8Array>();

/** All of an envelope before its body: the same in every message of one sender. Raises BAD_MESSAGE. */
function headOf(by: string, key: string | undefined): Uint8Array {
  if (key !== undefined) return makeHead(by, key);
  let head = heads.get(by);
  if (head === undefined) {
    head = makeHead(by, undefined);
    if (heads.size >= MOST_SENDERS) heads.clear();
    heads.set(by, head);
  }
  return head;
}

function makeHead(by: string, key: string | undefined): Uint8Array {
  const keyed = key === undefined ? [] : [Buffer.from('\u00a3key', 'latin1'), text(key)];
  return Buffer.concat([
    Buffer.of(key === undefined ? 0x83 : 0x84),
    Buffer.from('\u00a1v\u0001\u00a2by', 'latin1'),
    text(by),
    ...keyed,
    Buffer.from('\u00a4body', 'latin1'),
  ]);
}

function text(words: string): Uint8Array {
  const bytes = Buffer.from(words);
  if (bytes.length > LONGEST_NAME)
    throw new PolaronError('BAD_MESSAGE', `envelope: "by" and "key" hold at most ${LONGEST_NAME} bytes`);
  return Buffer.concat([Buffer.of(0xd9, bytes.length), bytes]);
}

/**
 * Reads an envelope; its body stays encoded.
 * Raises BAD_MESSAGE, WRONG_VERSION (another `v`), PAYLOAD_TOO_LARGE (more than `maxBytes`).
 */
export function decodeEnvelope(data: Uint8Array, maxBytes = Number.POSITIVE_INFINITY): Envelope {
  if (data.length > maxBytes) {
    throw new PolaronError('PAYLOAD_TOO_LARGE', `message of ${data.length} bytes; at most ${maxBytes} are taken`, {
      details: { bytes: data.length, maxBytes },
    });
  }
  const quick = fromKnown(data);
  if (quick !== undefined) return quick;
  const envelope = decodeBody(data);
  if (typeof envelope !== 'object' || envelope === null || !('v' in envelope)) {
    throw new PolaronError('BAD_MESSAGE', 'message is not an envelope {v, by, body}');
  }
  if (envelope.v !== PROTOCOL_VERSION) {
    throw new PolaronError(
      'WRONG_VERSION',
      `message of protocol version ${String(envelope.v).slice(0, 40)}; this build speaks ${PROTOCOL_VERSION}`,
      { details: { v: envelope.v } },
    );
  }
  const by = 'by' in envelope ? envelope.by : undefined;
  const body = 'body' in envelope ? envelope.body : undefined;
  if (typeof by !== 'string' || by.length > LONGEST_NAME) throw misfit('by');
  if (!(body instanceof Uint8Array)) throw misfit('body');
  const sig = 'sig' in envelope ? envelope.sig : undefined;
  const key = 'key' in envelope ? envelope.key : undefined;
  if (sig === undefined && key === undefined) {
    learn(by, data);
    return { v: 1, by, body };
  }
  if (sig !== undefined && !(sig instanceof Uint8Array)) throw misfit('sig');
  if (key !== undefined && (typeof key !== 'string' || key.length > LONGEST_NAME)) throw misfit('key');
  return { v: 1, by, body, ...(sig === undefined ? {} : { sig }), ...(key === undefined ? {} : { key }) };
}

interface Sender {
  readonly by: string;
  /** How each of its envelopes begins, up to its body. */
  readonly head: Uint8Array;
}
/** Few senders write nearly all that a process reads: their envelopes needn't be decoded, only compared. By a hash of who they are; of several with one hash the last is known. */
const senders = new Map<number, Sender>();
/** The length of `by`, in an envelope as `encodeEnvelope` makes it; its text follows. */
const BY_LENGTH_AT = 8;
const BODY_TAG = 0xc6;
const BODY_HEADER_BYTES = 5;

/** FNV-1a of `by`. */
function hashOf(data: Uint8Array): number {
  const end = BY_LENGTH_AT + 1 + Math.min(data[BY_LENGTH_AT] ?? 0, LONGEST_NAME);
  let hash = 0x811c9dc5;
  for (let i = BY_LENGTH_AT + 1; i < end; i++) hash = Math.imul(hash ^ (data[i] ?? 0), 0x01000193);
  return hash;
}

/** An envelope that one of those wrote; undefined when it isn't exactly that. */
function fromKnown(data: Uint8Array): Envelope | undefined {
  const sender = senders.get(hashOf(data));
  if (sender === undefined) return undefined;
  const { head } = sender;
  const at = head.length;
  for (let i = 0; i < at; i++) if (data[i] !== head[i]) return undefined;
  if (data[at] !== BODY_TAG) return undefined;
  let length = 0;
  for (let i = at + 1; i < at + BODY_HEADER_BYTES; i++) length = length * 256 + (data[i] ?? 0);
  const start = at + BODY_HEADER_BYTES;
  if (start + length !== data.length) return undefined;
  return { v: 1, by: sender.by, body: new Uint8Array(data.buffer, data.byteOffset + start, length) };
}

function learn(by: string, data: Uint8Array): void {
  if (Buffer.byteLength(by) > LONGEST_NAME) return;
  const head = makeHead(by, undefined);
  if (!head.every((byte, i) => data[i] === byte)) return;
  if (senders.size >= MOST_SENDERS) senders.clear();
  senders.set(hashOf(data), { by, head });
}

const misfit = (field: string): PolaronError =>
  new PolaronError('BAD_MESSAGE', `envelope: "${field}" is missing or of another type`, { details: { field } });

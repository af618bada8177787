/**
 * Bytes of a bus message: the envelope `{v, by, body, sig?, key?}` and the MessagePack body inside it.
 * `body` stays the sender's bytes and is never serialised again, so that a signature over it stays valid.
 * Not here: the shape of a body (protocol/wire-*.ts), user values (value/).
 */
// Not 'msgpackr': that loads a native part for reading, which WireReader does here, and costs each `import 'polaron'` 11 ms.
import { Packr } from 'msgpackr/pack';
import { PolaronError } from '../model/errors.ts';
import { WireReader } from './wire-reader.ts';

/** Version of the protocol that this build speaks. */
export const PROTOCOL_VERSION = 1;
const LONGEST_NAME = 200;

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

const packr = new Packr({ useRecords: false, variableMapSize: true, encodeUndefinedAsNil: false });

/**
 * A message's body as MessagePack: plain objects, arrays, strings, numbers, booleans, null and Uint8Array. The receiver gets integers as
 * numbers and bytes as Uint8Array. Whole numbers beyond 2^53 and bigint don't travel: send them as text.
 */
export function encodeBody(x: unknown): Uint8Array {
  return packr.pack(x);
}

/** Decodes a body; bytes in it are views of `bytes`. Raises BAD_MESSAGE. */
export function decodeBody(bytes: Uint8Array): unknown {
  const reader = new WireReader(bytes);
  const body = reader.value();
  reader.end();
  return body;
}

/** A message: `body` is encoded once and put into an envelope said by `by`. */
export function encodeEnvelope(by: string, body: unknown, key?: string): Uint8Array {
  return envelopeOf(by, packr.pack(body), key);
}

/** The same around a body that is encoded already. */
export function envelopeOf(by: string, inner: Uint8Array, key?: string): Uint8Array {
  const head = headOf(by, key);
  const out = Buffer.allocUnsafe(head.length + 4 + inner.length);
  out.set(head);
  out.writeUInt32BE(inner.length, head.length);
  out.set(inner, head.length + 4);
  return out;
}

const MOST_HEADS = 256;
const heads = new Map<string, Uint8Array>();

/** All of an envelope before its body's length: the same in every message of one sender. Raises BAD_MESSAGE. */
function headOf(by: string, key: string | undefined): Uint8Array {
  if (key !== undefined) return makeHead(by, key);
  let head = heads.get(by);
  if (head === undefined) {
    head = makeHead(by, undefined);
    if (heads.size >= MOST_HEADS) heads.clear();
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
    Buffer.from('\u00a4body\u00c6', 'latin1'),
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
  const envelope = decodeBody(data);
  if (typeof envelope !== 'object' || envelope === null || !('v' in envelope)) {
    throw new PolaronError('BAD_MESSAGE', 'message is not an envelope {v, by, body}');
  }
  if (envelope.v !== PROTOCOL_VERSION) {
    throw new PolaronError(
      'WRONG_VERSION',
      `message of protocol version ${String(envelope.v).slice(0, 40)}; this build speaks ${PROTOCOL_VERSION}`,
    );
  }
  const by = 'by' in envelope ? envelope.by : undefined;
  const body = 'body' in envelope ? envelope.body : undefined;
  if (typeof by !== 'string' || by.length > LONGEST_NAME) throw misfit('by');
  if (!(body instanceof Uint8Array)) throw misfit('body');
  const sig = 'sig' in envelope ? envelope.sig : undefined;
  const key = 'key' in envelope ? envelope.key : undefined;
  if (sig === undefined && key === undefined) return { v: 1, by, body };
  if (sig !== undefined && !(sig instanceof Uint8Array)) throw misfit('sig');
  if (key !== undefined && (typeof key !== 'string' || key.length > LONGEST_NAME)) throw misfit('key');
  return { v: 1, by, body, ...(sig === undefined ? {} : { sig }), ...(key === undefined ? {} : { key }) };
}

const misfit = (field: string): PolaronError =>
  new PolaronError('BAD_MESSAGE', `envelope: "${field}" is missing or of another type`, { details: { field } });

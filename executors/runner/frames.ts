/**
 * Frames on the pipe between an agent and a runner: a 4-byte big-endian length, then one MessagePack body.
 * A batch of frames is one write. Not here: what a body looks like (wire-runner.ts), the pipe.
 */
import { ByteWriter } from '../../bus/byte-writer.ts';
import { WireReader } from '../../bus/wire-reader.ts';
import { PolaronError } from '../../model/errors.ts';

const HEADER_BYTES = 4;
/** Bodies above this aren't copied into the batch. */
export const COPY_BYTES = 64 * 1024;
const LONGEST_FRAME = 0xffff_ffff;

/** Writes a message's body, or returns it encoded: what is large or rare. */
export type WriteBody<T> = (out: ByteWriter, message: T) => Uint8Array | undefined;

/** Collects frames until they are written. */
export class FrameBatch<T> {
  readonly #write: WriteBody<T>;
  readonly #out = new ByteWriter();
  /** What goes before what `out` holds. */
  #parts: Uint8Array[] = [];
  #partBytes = 0;

  constructor(write: WriteBody<T>) {
    this.#write = write;
  }

  get empty(): boolean {
    return this.bytes === 0;
  }

  get bytes(): number {
    return this.#partBytes + this.#out.at;
  }

  /** Raises PAYLOAD_TOO_LARGE above 4 GiB. */
  add(message: T): void {
    const out = this.#out;
    const start = out.at;
    out.uint32(0);
    let body: Uint8Array | undefined;
    try {
      body = this.#write(out, message);
    } catch (error) {
      out.at = start;
      throw error;
    }
    if (body !== undefined && body.length > LONGEST_FRAME) {
      out.at = start;
      throw new PolaronError(
        'PAYLOAD_TOO_LARGE',
        `a message of ${body.length} bytes doesn't fit into a runner's frame`,
      );
    }
    if (body === undefined || body.length <= COPY_BYTES) {
      if (body !== undefined) out.raw(body);
      out.uint32At(start, out.at - start - HEADER_BYTES);
      return;
    }
    out.uint32At(start, body.length);
    this.#cut();
    this.#parts.push(body);
    this.#partBytes += body.length;
  }

  /** The frames since byte `from` of a batch without large ones, and a length of 0 that says where they end; valid until the next `add`. */
  ended(from: number): Uint8Array {
    const out = this.#out;
    out.uint32(0);
    const bytes = out.since(from);
    out.at -= HEADER_BYTES;
    return bytes;
  }

  /** What was collected, in as few pieces as is cheap; empties the batch. */
  take(): readonly Uint8Array[] {
    this.#cut();
    const parts = this.#parts;
    this.#parts = [];
    this.#partBytes = 0;
    return parts;
  }

  #cut(): void {
    if (this.#out.at === 0) return;
    this.#partBytes += this.#out.at;
    this.#parts.push(this.#out.cut());
  }
}

/** How many bytes of a record are whole frames, up to the length of 0 that ends it. */
export function framesIn(record: Buffer): number {
  let at = 0;
  while (record.length - at >= HEADER_BYTES) {
    const length = record.readUInt32BE(at);
    if (length === 0 || length > record.length - at - HEADER_BYTES) break;
    at += HEADER_BYTES + length;
  }
  return at;
}

/** Puts frames together again from the chunks of a stream. */
export class FrameReader<T> {
  readonly #read: (body: WireReader) => T;
  readonly #each: (message: T) => void;
  #parts: Buffer[] = [];
  #bytes = 0;
  /** Bytes needed before the next look is worth it. */
  #need = HEADER_BYTES;

  /** `read` turns one body into a message; it raises BAD_MESSAGE when it isn't one. */
  constructor(read: (body: WireReader) => T, each: (message: T) => void) {
    this.#read = read;
    this.#each = each;
  }

  /** Calls back for each whole message in order. Raises what `read` and the callback raise, and BAD_MESSAGE when a body has another length than its frame. */
  feed(chunk: Buffer): void {
    this.#parts.push(chunk);
    this.#bytes += chunk.length;
    if (this.#bytes < this.#need) return;
    const data = this.#parts.length === 1 ? chunk : Buffer.concat(this.#parts, this.#bytes);
    const reader = new WireReader(data);
    let at = 0;
    let need = HEADER_BYTES;
    while (data.length - at >= HEADER_BYTES) {
      const end = at + HEADER_BYTES + data.readUInt32BE(at);
      if (data.length < end) {
        need = end - at;
        break;
      }
      reader.seek(at + HEADER_BYTES);
      const message = this.#read(reader);
      if (reader.offset !== end)
        throw new PolaronError(
          'BAD_MESSAGE',
          `a frame of ${end - at - HEADER_BYTES} bytes holds a message of another length`,
        );
      at = end;
      this.#each(message);
    }
    const rest = data.subarray(at);
    this.#parts = rest.length === 0 ? [] : [rest];
    this.#bytes = rest.length;
    this.#need = need;
  }
}

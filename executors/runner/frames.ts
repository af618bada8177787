/**
 * Frames on the pipe between an agent and a runner: a 4-byte big-endian length, then one MessagePack body (bus/codec.ts).
 * A batch of frames is one write. Not here: the messages' shapes (messages.ts), the pipe.
 */
import { decodeBody, encodeBody } from '../../bus/codec.ts';
import { PolaronError } from '../../model/errors.ts';

const HEADER_BYTES = 4;
/** Bodies above this aren't copied into the batch. */
const COPY_BYTES = 64 * 1024;
const LONGEST_FRAME = 0xffff_ffff;

/** Collects frames until they are written. */
export class FrameBatch {
  #parts: Uint8Array[] = [];
  #bytes = 0;

  get empty(): boolean {
    return this.#bytes === 0;
  }

  get bytes(): number {
    return this.#bytes;
  }

  /** Raises PAYLOAD_TOO_LARGE above 4 GiB. */
  add(message: object): void {
    const body = encodeBody(message);
    if (body.length > LONGEST_FRAME) {
      throw new PolaronError(
        'PAYLOAD_TOO_LARGE',
        `a message of ${body.length} bytes doesn't fit into a runner's frame`,
      );
    }
    const header = Buffer.allocUnsafe(HEADER_BYTES);
    header.writeUInt32BE(body.length, 0);
    this.#parts.push(header, body);
    this.#bytes += HEADER_BYTES + body.length;
  }

  /** What was collected so far, in one piece; the batch stays. */
  peek(): Buffer {
    if (this.#parts.length > 1) this.#parts = [Buffer.concat(this.#parts, this.#bytes)];
    const whole = this.#parts[0];
    return whole === undefined ? Buffer.alloc(0) : Buffer.from(whole.buffer, whole.byteOffset, whole.byteLength);
  }

  /** What was collected, in as few pieces as is cheap; empties the batch. */
  take(): readonly Uint8Array[] {
    const parts = this.#parts;
    const large = this.#bytes > COPY_BYTES && parts.some((part) => part.length > COPY_BYTES);
    const bytes = this.#bytes;
    this.#parts = [];
    this.#bytes = 0;
    return large ? parts : [Buffer.concat(parts, bytes)];
  }
}

/** Puts frames together again from the chunks of a stream. */
export class FrameReader {
  readonly #each: (message: unknown) => void;
  #parts: Buffer[] = [];
  #bytes = 0;
  /** Bytes needed before the next look is worth it. */
  #need = HEADER_BYTES;

  constructor(each: (message: unknown) => void) {
    this.#each = each;
  }

  /** Calls back for each whole message in order. Raises BAD_MESSAGE when a body can't be decoded, and what the callback raises. */
  feed(chunk: Buffer): void {
    this.#parts.push(chunk);
    this.#bytes += chunk.length;
    if (this.#bytes < this.#need) return;
    const data = this.#parts.length === 1 ? chunk : Buffer.concat(this.#parts, this.#bytes);
    let at = 0;
    let need = HEADER_BYTES;
    while (data.length - at >= HEADER_BYTES) {
      const end = at + HEADER_BYTES + data.readUInt32BE(at);
      if (data.length < end) {
        need = end - at;
        break;
      }
      const body = data.subarray(at + HEADER_BYTES, end);
      at = end;
      this.#each(decodeBody(body));
    }
    const rest = data.subarray(at);
    this.#parts = rest.length === 0 ? [] : [rest];
    this.#bytes = rest.length;
    this.#need = need;
  }
}

/**
 * The input and output of a container as one duplex stream. The engine wraps each piece of output into a frame that says whether it is stdout or stderr
 * (Docker Engine API, "Attach to a container", stream format): a byte for the stream, three of zeros, the length as four bytes, big endian.
 * Not here: what the bytes mean (remote/frame-stream.ts).
 */
import type { Socket } from 'node:net';
import { Duplex } from 'node:stream';

const HEAD_BYTES = 8;
const STDOUT = 1;
const STDERR = 2;

export class AttachedStream extends Duplex {
  readonly #socket: Socket;
  readonly #stderr: (bytes: Buffer) => void;
  #head: Buffer = Buffer.alloc(0);
  #kind = 0;
  /** Bytes of the current frame that have still to come. */
  #left = 0;

  /** `first`: what has come with the answer to the request. */
  constructor(socket: Socket, first: Buffer, stderr: (bytes: Buffer) => void) {
    super();
    this.#socket = socket;
    this.#stderr = stderr;
    socket.setTimeout(0);
    socket.setNoDelay(true);
    if (first.length > 0) socket.unshift(first);
    socket.on('data', (chunk: Buffer) => this.#feed(chunk));
    socket.on('end', () => this.push(null));
    socket.on('error', (error) => this.destroy(error));
    socket.on('close', () => this.destroy());
    socket.pause();
  }

  override _read(): void {
    this.#socket.resume();
  }

  override _write(chunk: Buffer, _encoding: BufferEncoding, done: (error?: Error | null) => void): void {
    this.#socket.write(chunk, done);
  }

  /** Head and body of a frame in one write of the system. */
  override _writev(chunks: { readonly chunk: Buffer }[], done: (error?: Error | null) => void): void {
    this.#socket.write(Buffer.concat(chunks.map(({ chunk }) => chunk)), done);
  }

  override _final(done: (error?: Error | null) => void): void {
    this.#socket.end(done);
  }

  override _destroy(error: Error | null, done: (error?: Error | null) => void): void {
    this.#socket.destroy();
    done(error);
  }

  #feed(chunk: Buffer): void {
    let data = this.#head.length === 0 ? chunk : Buffer.concat([this.#head, chunk]);
    this.#head = data.subarray(0, 0);
    for (;;) {
      if (this.#left === 0) {
        if (data.length < HEAD_BYTES) break;
        this.#kind = data.readUInt8(0);
        this.#left = data.readUInt32BE(4);
        data = data.subarray(HEAD_BYTES);
        if (this.#kind > STDERR) return void this.destroy(new Error('the engine sent output without frames'));
        continue;
      }
      if (data.length === 0) return;
      const piece = data.subarray(0, this.#left);
      this.#left -= piece.length;
      data = data.subarray(piece.length);
      if (this.#kind === STDERR) this.#stderr(piece);
      else if (this.#kind === STDOUT && !this.push(piece)) this.#socket.pause();
    }
    this.#head = data;
  }
}

/**
 * Bytes on their way to one socket: small things are copied together, large payloads are passed on as they are, and one turn of the
 * event loop makes one write. Not here: when to flush (broker.ts), what the bytes mean (client.ts).
 */
import { Buffer } from 'node:buffer';
import type { Duplex } from 'node:stream';

/** From this size on a payload isn't copied. */
const COPY_BELOW = 16_384;
const SMALLEST = 512;
const LARGEST = 65_536;
/** Under this size a loop is quicker than a native copy. */
const LOOP_BELOW = 48;

export class Outbox {
  #buffer: Buffer | undefined;
  #used = 0;
  #full: Uint8Array[] = [];
  #fullBytes = 0;
  #nextSize = SMALLEST;

  /** Bytes not yet given to the socket. */
  get bytes(): number {
    return this.#fullBytes + this.#used;
  }

  text(latin1: string): void {
    const buffer = this.#room(latin1.length);
    buffer.write(latin1, this.#used, 'latin1');
    this.#used += latin1.length;
  }

  /** `line`, the payload at source[start…end), and the line end that closes it. `source` must not change any more. */
  message(line: string, source: Uint8Array, start: number, end: number): void {
    const size = end - start;
    if (size >= COPY_BELOW) {
      this.text(line);
      this.#finish();
      this.#full.push(source.subarray(start, end));
      this.#fullBytes += size;
      this.text('\r\n');
      return;
    }
    const buffer = this.#room(line.length + size + 2);
    let at = this.#used;
    at += buffer.write(line, at, 'latin1');
    if (size < LOOP_BELOW) {
      for (let i = start; i < end; i++) buffer[at++] = source[i] ?? 0;
    } else {
      buffer.set(size === source.length ? source : source.subarray(start, end), at);
      at += size;
    }
    buffer[at] = 13;
    buffer[at + 1] = 10;
    this.#used = at + 2;
  }

  /** Gives everything to the socket in one write. */
  flush(socket: Duplex): void {
    const only = this.#full.length === 0 ? this.#buffer?.subarray(0, this.#used) : undefined;
    this.#nextSize = Math.min(LARGEST, Math.max(SMALLEST, this.bytes * 2));
    if (only !== undefined) {
      this.#buffer = undefined;
      this.#used = 0;
      socket.write(only);
      return;
    }
    this.#finish();
    const chunks = this.#full;
    this.#full = [];
    this.#fullBytes = 0;
    socket.cork();
    for (const chunk of chunks) socket.write(chunk);
    socket.uncork();
  }

  #room(bytes: number): Buffer {
    if (this.#buffer !== undefined) {
      if (this.#buffer.length - this.#used >= bytes) return this.#buffer;
      this.#finish();
      this.#nextSize = Math.min(LARGEST, this.#nextSize * 2);
    }
    this.#buffer = Buffer.allocUnsafe(Math.max(this.#nextSize, bytes));
    return this.#buffer;
  }

  #finish(): void {
    if (this.#buffer !== undefined && this.#used > 0) {
      this.#full.push(this.#buffer.subarray(0, this.#used));
      this.#fullBytes += this.#used;
    }
    this.#buffer = undefined;
    this.#used = 0;
  }
}

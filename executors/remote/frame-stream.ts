/**
 * Frames on a duplex byte stream, with back-pressure: `send` says when the other side is slow, `room` resolves when it has caught up.
 * Not here: what the frames mean (bridge.ts, bridge-link.ts), and how the stream comes about.
 */
import type { Duplex } from 'node:stream';
import { PolaronError } from '../../model/errors.ts';
import { encodeControl, FRAME, HEAD_BYTES, LONGEST_FRAME, PIECE_BYTES, type FrameKind } from './wire.ts';

/** Beside it only errors and environments are long. */
const LONGEST_CONTROL = 16 * 1024 * 1024;

export interface FrameListener {
  /** `payload` is a view, valid during the call. What it raises ends the stream. */
  frame(kind: number, number: number, payload: Buffer): void;
  /** The stream has ended, or brought what is no frame. Once, and nothing follows. */
  ended(error: Error | undefined): void;
}

export class FrameStream {
  readonly #stream: Duplex;
  readonly #listener: FrameListener;
  #parts: Buffer[] = [];
  #bytes = 0;
  #need = HEAD_BYTES;
  #over = false;
  #waiting: (() => void)[] = [];

  constructor(stream: Duplex, listener: FrameListener) {
    this.#stream = stream;
    this.#listener = listener;
    stream.on('data', (chunk: Buffer) => this.#feed(chunk));
    stream.on('drain', () => this.#wake());
    stream.on('error', (error) => this.#end(error));
    stream.on('end', () => this.#end(undefined));
    stream.on('close', () => this.#end(undefined));
  }

  get over(): boolean {
    return this.#over;
  }

  /** False: what was sent waits here; go on after `room`. */
  send(kind: FrameKind, number: number, payload: Uint8Array): boolean {
    if (this.#over) return true;
    let free = true;
    this.#stream.cork();
    for (let at = 0; at < Math.max(1, payload.length); at += PIECE_BYTES) {
      const piece = payload.subarray(at, at + PIECE_BYTES);
      const head = Buffer.allocUnsafe(HEAD_BYTES);
      head.writeUInt8(kind, 0);
      head.writeUInt32BE(number, 1);
      head.writeUInt32BE(piece.length, 5);
      this.#stream.write(head);
      free = this.#stream.write(piece);
    }
    process.nextTick(() => this.#stream.uncork());
    return free;
  }

  /** A control message; it isn't cut. */
  tell(message: Parameters<typeof encodeControl>[0]): void {
    const body = encodeControl(message);
    if (this.#over) return;
    const head = Buffer.allocUnsafe(HEAD_BYTES);
    head.writeUInt8(FRAME.control, 0);
    head.writeUInt32BE(0, 1);
    head.writeUInt32BE(body.length, 5);
    this.#stream.cork();
    this.#stream.write(head);
    this.#stream.write(body);
    process.nextTick(() => this.#stream.uncork());
  }

  get full(): boolean {
    return !this.#over && this.#stream.writableNeedDrain;
  }

  /** Resolves when there is room to send, or the stream is over. */
  room(): Promise<void> {
    if (!this.full) return Promise.resolve();
    return new Promise((resolve) => this.#waiting.push(resolve));
  }

  /** Sends what is under way, then ends. */
  close(): void {
    this.#stream.end();
  }

  destroy(): void {
    this.#stream.destroy();
  }

  #feed(chunk: Buffer): void {
    this.#parts.push(chunk);
    this.#bytes += chunk.length;
    if (this.#bytes < this.#need || this.#over) return;
    const data = this.#parts.length === 1 ? chunk : Buffer.concat(this.#parts, this.#bytes);
    let at = 0;
    this.#need = HEAD_BYTES;
    while (data.length - at >= HEAD_BYTES) {
      const length = data.readUInt32BE(at + 5);
      const kind = data.readUInt8(at);
      const most = kind === FRAME.control ? LONGEST_CONTROL : LONGEST_FRAME;
      if (length > most)
        return this.#end(new PolaronError('BAD_MESSAGE', `a frame of ${length} bytes came; at most ${most} are sent`));
      const end = at + HEAD_BYTES + length;
      if (data.length < end) {
        this.#need = end - at;
        break;
      }
      try {
        this.#listener.frame(kind, data.readUInt32BE(at + 1), data.subarray(at + HEAD_BYTES, end));
      } catch (error) {
        return this.#end(error instanceof Error ? error : new Error(String(error)));
      }
      if (this.#over) return;
      at = end;
    }
    const rest = data.subarray(at);
    this.#parts = rest.length === 0 ? [] : [rest];
    this.#bytes = rest.length;
  }

  #wake(): void {
    for (const resolve of this.#waiting.splice(0)) resolve();
  }

  #end(error: Error | undefined): void {
    if (this.#over) return;
    this.#over = true;
    this.#wake();
    this.#stream.destroy();
    this.#listener.ended(error);
  }
}

/** Records on a connection that may break: a byte for the type, a length, the bytes. Not here: what survives a break (resumable-stream.ts). */
import type { Duplex } from 'node:stream';

export const RECORD = {
  /** Agent → daemon, first: which session, and how far it has come. */
  attach: 1,
  /** Daemon → agent, first: the same from its side, or why not. */
  attached: 2,
  data: 3,
  /** How many bytes of data have come in all. */
  ack: 4,
  /** No more data will come. */
  end: 5,
} as const;
export type RecordType = (typeof RECORD)[keyof typeof RECORD];

const HEAD_BYTES = 5;
const LONGEST = 1024 * 1024;

export class Records {
  readonly #stream: Duplex;
  #parts: Buffer[] = [];
  #bytes = 0;
  #over = false;
  #reading = false;
  /** Who gets what comes; views that stay valid. Nothing is read while it is undefined. */
  #each: ((type: number, payload: Buffer) => void) | undefined;
  readonly #closed: (() => void)[] = [];

  constructor(stream: Duplex) {
    this.#stream = stream;
    stream.on('data', (chunk: Buffer) => {
      this.#parts.push(chunk);
      this.#bytes += chunk.length;
      this.#read();
    });
    const close = (): void => this.destroy();
    stream.on('error', close);
    stream.on('end', close);
    stream.on('close', close);
  }

  get over(): boolean {
    return this.#over;
  }

  onRecord(each: (type: number, payload: Buffer) => void): void {
    this.#each = each;
    this.#read();
  }

  /** What comes next waits for the next `onRecord`. */
  hold(): void {
    this.#each = undefined;
  }

  /** Called once, at once when it is over. */
  onClose(closed: () => void): void {
    if (this.#over) closed();
    else this.#closed.push(closed);
  }

  send(type: RecordType, payload: Uint8Array): void {
    if (this.#over) return;
    const head = Buffer.allocUnsafe(HEAD_BYTES);
    head.writeUInt8(type, 0);
    head.writeUInt32BE(payload.length, 1);
    this.#stream.cork();
    this.#stream.write(head);
    if (payload.length > 0) this.#stream.write(payload);
    process.nextTick(() => this.#stream.uncork());
  }

  pause(): void {
    this.#stream.pause();
  }

  resume(): void {
    if (!this.#over) this.#stream.resume();
  }

  destroy(): void {
    if (this.#over) return;
    this.#over = true;
    this.#stream.destroy();
    for (const closed of this.#closed.splice(0)) closed();
  }

  /** Sends what is under way first. */
  end(): void {
    this.#stream.end();
  }

  /** What is called may lead back here. */
  #read(): void {
    if (this.#reading || this.#each === undefined) return;
    this.#reading = true;
    while (!this.#over && this.#each !== undefined && this.#bytes >= HEAD_BYTES) {
      const data = this.#whole();
      const length = data.readUInt32BE(1);
      if (length > LONGEST) {
        this.destroy();
        break;
      }
      const end = HEAD_BYTES + length;
      if (data.length < end) break;
      this.#parts = [data.subarray(end)];
      this.#bytes = data.length - end;
      this.#each(data.readUInt8(0), data.subarray(HEAD_BYTES, end));
    }
    this.#reading = false;
  }

  #whole(): Buffer {
    const [first] = this.#parts;
    if (first !== undefined && this.#parts.length === 1) return first;
    const whole = Buffer.concat(this.#parts, this.#bytes);
    this.#parts = [whole];
    return whole;
  }
}

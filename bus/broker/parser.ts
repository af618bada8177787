/**
 * Cuts a byte stream into NATS client operations. It holds at most one control line and one payload, copies a payload only when it arrived
 * in pieces, and then once, as they arrive. Text is latin1, so that any bytes in a subject come out as they went in.
 * Not here: what an operation means (client.ts), whether it is allowed (permission-check.ts).
 *
 * P1. After an error or `stop` nothing more is read.
 * P2. What is emitted depends on the bytes only, never on how they were cut into chunks.
 */
import { Buffer } from 'node:buffer';

/** What the parser found. `buffer` may be kept but not changed; a payload with headers has them in its first `headerBytes`. */
export interface OperationSink {
  connect(json: string): void;
  publish(subject: string, reply: string, headerBytes: number, buffer: Buffer, start: number, end: number): void;
  subscribe(subject: string, queue: string, sid: string): void;
  /** `max` 0: now. */
  unsubscribe(sid: string, max: number): void;
  ping(): void;
  pong(): void;
}

export interface ParserLimits {
  readonly maxPayload: number;
  readonly maxControlLine: number;
}

const SPACE = 32;
const TAB = 9;
const CR = 13;
const LF = 10;
/** CONNECT may carry long tokens; other lines keep to `maxControlLine`. */
const MAX_CONNECT_LINE = 16_384;

export class Parser {
  readonly #sink: OperationSink;
  readonly #limits: ParserLimits;
  #line: Buffer | undefined;
  #error: string | undefined;
  #stopped = false;

  // The publish whose payload is awaited; #need < 0: none.
  #need = -1;
  #have = 0;
  #whole: Buffer | undefined;
  #subject = '';
  #reply = '';
  #headerBytes = -1;

  // Where the arguments of the current line begin and end.
  readonly #from = new Int32Array(6);
  readonly #to = new Int32Array(6);

  constructor(sink: OperationSink, limits: ParserLimits) {
    this.#sink = sink;
    this.#limits = limits;
  }

  /** Reads a chunk. Returns the text of a protocol error, after which the connection has to be closed. */
  feed(chunk: Buffer): string | undefined {
    let at = 0;
    while (at < chunk.length && !this.#stopped) {
      at = this.#need >= 0 ? this.#payload(chunk, at) : this.#control(chunk, at);
    }
    return this.#error;
  }

  /** Reads nothing more, not even the rest of the chunk at hand. */
  stop(): void {
    this.#stopped = true;
    this.#line = undefined;
    this.#whole = undefined;
  }

  #fail(error: string): number {
    this.#error = error;
    this.stop();
    return 0;
  }

  #control(chunk: Buffer, at: number): number {
    const newline = chunk.indexOf(LF, at);
    const held = this.#line;
    const end = newline < 0 ? chunk.length : newline;
    const length = (held?.length ?? 0) + end - at;
    if (length > this.#limits.maxControlLine && !this.#mayBeLong(held, chunk, at, length)) {
      return this.#fail('Maximum Control Line Exceeded');
    }
    if (newline < 0) {
      const rest = chunk.subarray(at);
      this.#line = held === undefined ? rest : Buffer.concat([held, rest]);
      return chunk.length;
    }
    if (held === undefined) {
      this.#operation(chunk, at, newline);
    } else {
      this.#line = undefined;
      const whole = Buffer.concat([held, chunk.subarray(at, newline)]);
      this.#operation(whole, 0, whole.length);
    }
    return newline + 1;
  }

  #mayBeLong(held: Buffer | undefined, chunk: Buffer, at: number, length: number): boolean {
    const first = held === undefined ? chunk[at] : held[0];
    return first !== undefined && (first | 32) === 99 && length <= MAX_CONNECT_LINE;
  }

  #operation(line: Buffer, start: number, lineEnd: number): void {
    const end = lineEnd > start && line[lineEnd - 1] === CR ? lineEnd - 1 : lineEnd;
    let wordEnd = start;
    let word = 0;
    // Up to four letters as one number; all operations differ in them but for CONNECT and UNSUB, checked below.
    while (wordEnd < end) {
      const byte = line[wordEnd] ?? 0;
      if (byte === SPACE || byte === TAB) break;
      if (wordEnd - start < 4) word = (word << 8) | (byte | 32);
      wordEnd++;
    }
    const letters = wordEnd - start;
    switch (word) {
      case 0x707562:
        return this.#publishLine(line, wordEnd, end, false);
      case 0x68707562:
        if (letters === 4) return this.#publishLine(line, wordEnd, end, true);
        break;
      case 0x737562:
        return this.#subscribeLine(line, wordEnd, end);
      case 0x756e7375:
        if (letters === 5 && ((line[start + 4] ?? 0) | 32) === 98) return this.#unsubscribeLine(line, wordEnd, end);
        break;
      case 0x70696e67:
        if (letters === 4) return this.#sink.ping();
        break;
      case 0x706f6e67:
        if (letters === 4) return this.#sink.pong();
        break;
      case 0x636f6e6e:
        if (line.toString('latin1', start, wordEnd).toLowerCase() === 'connect') {
          return this.#sink.connect(line.toString('utf8', wordEnd, end).trim());
        }
        break;
      case 0x2b6f6b: // +OK and -ERR from a client say nothing to a server.
        return;
      case 0x2d657272:
        if (letters === 4) return;
        break;
      default:
    }
    this.#fail('Unknown Protocol Operation');
  }

  /** Splits at spaces and tabs into #from and #to; more than five count as six. */
  #split(line: Buffer, start: number, end: number): number {
    let count = 0;
    let at = start;
    while (at < end && count < 6) {
      while (at < end && (line[at] === SPACE || line[at] === TAB)) at++;
      if (at >= end) break;
      this.#from[count] = at;
      while (at < end && line[at] !== SPACE && line[at] !== TAB) at++;
      this.#to[count] = at;
      count++;
    }
    return count;
  }

  #text(line: Buffer, index: number): string {
    return line.toString('latin1', this.#from[index], this.#to[index]);
  }

  /** A decimal number of at most nine digits, else -1. */
  #number(line: Buffer, index: number): number {
    const from = this.#from[index] ?? 0;
    const to = this.#to[index] ?? 0;
    if (to - from < 1 || to - from > 9) return -1;
    let value = 0;
    for (let i = from; i < to; i++) {
      const digit = (line[i] ?? 0) - 48;
      if (digit < 0 || digit > 9) return -1;
      value = value * 10 + digit;
    }
    return value;
  }

  #publishLine(line: Buffer, at: number, end: number, headers: boolean): void {
    const count = this.#split(line, at, end);
    const numbers = headers ? 2 : 1;
    if (count !== numbers + 1 && count !== numbers + 2) return void this.#fail('Parser Error');
    const size = this.#number(line, count - 1);
    const headerBytes = headers ? this.#number(line, count - 2) : -1;
    if (size < 0 || headerBytes > size || (headers && headerBytes < 0)) return void this.#fail('Parser Error');
    if (size > this.#limits.maxPayload) return void this.#fail('Maximum Payload Violation');
    this.#subject = this.#text(line, 0);
    this.#reply = count === numbers + 2 ? this.#text(line, 1) : '';
    this.#headerBytes = headerBytes;
    this.#need = size + 2;
    this.#have = 0;
  }

  #payload(chunk: Buffer, at: number): number {
    const need = this.#need;
    const left = chunk.length - at;
    if (this.#have === 0 && left >= need) {
      this.#publish(chunk, at, at + need);
      return at + need;
    }
    const take = Math.min(need - this.#have, left);
    const whole = this.#whole ?? Buffer.allocUnsafeSlow(need);
    this.#whole = whole;
    chunk.copy(whole, this.#have, at, at + take);
    this.#have += take;
    if (this.#have === need) {
      this.#whole = undefined;
      this.#publish(whole, 0, need);
    }
    return at + take;
  }

  #publish(buffer: Buffer, start: number, end: number): void {
    this.#need = -1;
    if (buffer[end - 2] !== CR || buffer[end - 1] !== LF) return void this.#fail('Parser Error');
    this.#sink.publish(this.#subject, this.#reply, this.#headerBytes, buffer, start, end - 2);
  }

  #subscribeLine(line: Buffer, at: number, end: number): void {
    const count = this.#split(line, at, end);
    if (count !== 2 && count !== 3) return void this.#fail('Parser Error');
    this.#sink.subscribe(this.#text(line, 0), count === 3 ? this.#text(line, 1) : '', this.#text(line, count - 1));
  }

  #unsubscribeLine(line: Buffer, at: number, end: number): void {
    const count = this.#split(line, at, end);
    const max = count === 2 ? this.#number(line, 1) : 0;
    if ((count !== 1 && count !== 2) || max < 0) return void this.#fail('Parser Error');
    this.#sink.unsubscribe(this.#text(line, 0), max);
  }
}

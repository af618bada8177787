/**
 * A byte stream that outlives its connections. Both sides count the bytes that they have sent and received, keep what the other hasn't acknowledged, and send it again on the next connection.
 * Invariants: S1 every byte arrives once and in order, whatever connection it takes; S2 at most WINDOW_BYTES wait for their acknowledgement, then writing waits;
 * S3 after `detach` nothing of that connection is heard any more, so `received` is what the next one begins with. Not here: making connections (ssh/ssh-host.ts, ssh/daemon.ts).
 */
import { Duplex } from 'node:stream';
import { RECORD, type Records } from './records.ts';

const WINDOW_BYTES = 8 * 1024 * 1024;
const PIECE_BYTES = 256 * 1024;
const ACK_BYTES = 256 * 1024;
const ACK_MS = 25;
const ACK_LENGTH = 8;

export class ResumableStream extends Duplex {
  #carrier: Records | undefined;
  /** Not acknowledged; its first byte is number `#acked` of all. */
  #unacked: Buffer[] = [];
  #unackedBytes = 0;
  #acked = 0;
  #received = 0;
  /** Of `received`, what the other side knows of. */
  #told = 0;
  #ackTimer: NodeJS.Timeout | undefined;
  #waiting: (() => void) | undefined;
  #full = false;
  #finished = false;
  #ended = false;
  #heardAt = performance.now();

  /** Bytes that have come, over all connections. */
  get received(): number {
    return this.#received;
  }

  get attached(): boolean {
    return this.#carrier !== undefined;
  }

  /** When something came last, ms of `performance.now()`. */
  get heardAt(): number {
    return this.#heardAt;
  }

  /** Goes on with this connection; `theirs`: what the other side has received. `lost` is called when it breaks. False: the other side can't have received that. */
  attach(carrier: Records, theirs: number, lost: () => void): boolean {
    if (this.destroyed || theirs < this.#acked || theirs > this.#acked + this.#unackedBytes) return false;
    this.detach();
    // what may be written again because of it must not overtake what is sent again
    this.#acknowledge(theirs);
    this.#carrier = carrier;
    this.#told = this.#received;
    for (const piece of this.#unacked) carrier.send(RECORD.data, piece);
    if (this.#finished) carrier.send(RECORD.end, new Uint8Array());
    carrier.onClose(() => {
      if (this.#carrier !== carrier) return;
      this.#carrier = undefined;
      lost();
    });
    if (this.#full) carrier.pause();
    carrier.onRecord((type, payload) => {
      if (this.#carrier === carrier) this.#record(type, payload);
    });
    return true;
  }

  /** Lets go of the connection; the stream waits for the next one. */
  detach(): void {
    const carrier = this.#carrier;
    this.#carrier = undefined;
    carrier?.destroy();
  }

  override _write(chunk: Buffer, _encoding: BufferEncoding, done: () => void): void {
    this.#send(chunk);
    this.#whenRoom(done);
  }

  override _writev(chunks: { readonly chunk: Buffer }[], done: () => void): void {
    this.#send(Buffer.concat(chunks.map(({ chunk }) => chunk)));
    this.#whenRoom(done);
  }

  /** Finished is what the other side has acknowledged. */
  override _final(done: () => void): void {
    this.#finished = true;
    this.#carrier?.send(RECORD.end, new Uint8Array());
    if (this.#unackedBytes === 0) done();
    else this.#waiting = done;
  }

  override _read(): void {
    if (!this.#full) return;
    this.#full = false;
    this.#carrier?.resume();
  }

  override _destroy(error: Error | null, done: (error: Error | null) => void): void {
    clearTimeout(this.#ackTimer);
    // the other side may still have to hear the end
    const carrier = this.#carrier;
    this.#carrier = undefined;
    carrier?.end();
    this.#unacked = [];
    done(error);
  }

  #send(data: Buffer): void {
    for (let at = 0; at < data.length; at += PIECE_BYTES) {
      const piece = data.subarray(at, at + PIECE_BYTES);
      this.#unacked.push(piece);
      this.#unackedBytes += piece.length;
      this.#carrier?.send(RECORD.data, piece);
    }
  }

  #whenRoom(done: () => void): void {
    if (this.#unackedBytes < WINDOW_BYTES) done();
    else this.#waiting = done;
  }

  #record(type: number, payload: Buffer): void {
    this.#heardAt = performance.now();
    if (type === RECORD.data) {
      this.#received += payload.length;
      if (!this.push(payload)) {
        this.#full = true;
        this.#carrier?.pause();
      }
      if (this.#received - this.#told >= ACK_BYTES) this.#tell();
      else this.#ackTimer ??= setTimeout(() => this.#tell(), ACK_MS).unref();
    } else if (type === RECORD.ack && payload.length === ACK_LENGTH) {
      const to = payload.readDoubleBE(0);
      if (to <= this.#acked + this.#unackedBytes) this.#acknowledge(to);
    } else if (type === RECORD.end && !this.#ended) {
      this.#ended = true;
      this.push(null);
    }
  }

  #tell(): void {
    clearTimeout(this.#ackTimer);
    this.#ackTimer = undefined;
    if (this.#carrier === undefined || this.#told === this.#received) return;
    this.#told = this.#received;
    const count = Buffer.allocUnsafe(ACK_LENGTH);
    count.writeDoubleBE(this.#received, 0);
    this.#carrier.send(RECORD.ack, count);
  }

  #acknowledge(to: number): void {
    let left = to - this.#acked;
    if (!(left > 0)) return;
    this.#acked = to;
    this.#unackedBytes -= left;
    let whole = 0;
    for (const piece of this.#unacked) {
      if (piece.length > left) break;
      left -= piece.length;
      whole++;
    }
    this.#unacked.splice(0, whole);
    const [first] = this.#unacked;
    if (left > 0 && first !== undefined) this.#unacked[0] = first.subarray(left);
    const enough = this.#finished ? this.#unackedBytes === 0 : this.#unackedBytes < WINDOW_BYTES;
    if (!enough || this.#waiting === undefined) return;
    const go = this.#waiting;
    this.#waiting = undefined;
    go();
  }
}

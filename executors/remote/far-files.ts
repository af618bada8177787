/**
 * Files of this machine that a bridge has, too: sent when a runner over there needs them, once each, kept while somebody uses them and as long after that as there is room.
 * A file is told by its path, size and time of change. Not here: results, which come the other way (incoming-results.ts).
 */
import { statSync } from 'node:fs';
import { open } from 'node:fs/promises';
import { extname } from 'node:path';
import { deferred, type Deferred } from '../../model/deferred.ts';
import { PolaronError, asPolaronError } from '../../model/errors.ts';
import type { FrameStream } from './frame-stream.ts';
import { FRAME, PIECE_BYTES, type FromBridge } from './wire.ts';

/** What lies over there without a user. */
const KEPT_BYTES = 4 * 1024 ** 3;
/** Files on their way at once. */
const AT_ONCE = 4;

interface FarFile {
  readonly key: string;
  readonly id: number;
  readonly bytes: number;
  readonly there: Deferred<string>;
  /** Its path over there, once it is there. */
  path: string | undefined;
  users: number;
}

/** A file over there, until it is given back. */
export interface LentFarFile {
  readonly path: string;
  giveBack(): void;
}

export class FarFiles {
  readonly #stream: FrameStream;
  /** Least recently used first. */
  readonly #byKey = new Map<string, FarFile>();
  readonly #coming = new Map<number, FarFile>();
  readonly #keptBytes: number;
  #ids = 0;
  #bytes = 0;
  #sending = 0;
  readonly #queue: (() => void)[] = [];

  constructor(stream: FrameStream, keptBytes = KEPT_BYTES) {
    this.#stream = stream;
    this.#keptBytes = keptBytes;
  }

  /** `code`: a bundle, which lies where modules are looked for. Rejects with DISK_FULL (there), VALUE_MISSING (here), and what `end` is told. */
  async lend(file: string, code: boolean): Promise<LentFarFile> {
    const far = this.#find(file, code);
    far.users++;
    let lent = true;
    const giveBack = (): void => {
      if (lent) far.users--;
      lent = false;
    };
    try {
      return { path: far.path ?? (await far.there.promise), giveBack };
    } catch (error) {
      giveBack();
      throw error;
    }
  }

  answered(message: Extract<FromBridge, { type: 'kept' | 'not-kept' }>): void {
    const far = this.#coming.get(message.file);
    if (far === undefined) return;
    this.#coming.delete(message.file);
    if (message.type === 'kept') {
      far.path = message.path;
      far.there.resolve(message.path);
      return;
    }
    this.#forget(far);
    const what = `${far.bytes} bytes can't be kept there: ${message.error.message}`;
    far.there.reject(new PolaronError('DISK_FULL', what));
  }

  /** Nothing comes over any more. */
  end(error: Error): void {
    for (const far of this.#coming.values()) far.there.reject(error);
    this.#coming.clear();
    this.#byKey.clear();
  }

  #find(file: string, code: boolean): FarFile {
    const { size, mtimeMs, ino } = statSync(file);
    const key = `${file}|${size}|${mtimeMs}|${ino}`;
    const known = this.#byKey.get(key);
    if (known !== undefined) {
      this.#byKey.delete(key);
      this.#byKey.set(key, known);
      return known;
    }
    const far: FarFile = { key, id: ++this.#ids, bytes: size, there: deferred<string>(), path: undefined, users: 0 };
    // whoever waits for it hears of it
    far.there.promise.catch(() => undefined);
    this.#byKey.set(key, far);
    this.#coming.set(far.id, far);
    this.#bytes += size;
    this.#makeRoom();
    void this.#send(far, file, code);
    return far;
  }

  async #send(far: FarFile, file: string, code: boolean): Promise<void> {
    if (this.#sending >= AT_ONCE) await new Promise<void>((resolve) => this.#queue.push(resolve));
    this.#sending++;
    try {
      const from = await open(file, 'r');
      try {
        this.#stream.tell({ type: 'file', file: far.id, ending: extname(file), code });
        const piece = Buffer.allocUnsafe(PIECE_BYTES);
        for (let at = 0; at < far.bytes && !this.#stream.over; ) {
          const { bytesRead } = await from.read(piece, 0, PIECE_BYTES, at);
          if (bytesRead === 0) throw new Error(`it ends after ${at} of ${far.bytes} bytes`);
          at += bytesRead;
          this.#stream.send(FRAME.file, far.id, Buffer.from(piece.subarray(0, bytesRead)));
          await this.#stream.room();
        }
        this.#stream.tell({ type: 'file-end', file: far.id });
      } finally {
        await from.close();
      }
    } catch (error) {
      this.#coming.delete(far.id);
      this.#forget(far);
      far.there.reject(asPolaronError(error, 'VALUE_MISSING'));
    } finally {
      this.#sending--;
      this.#queue.shift()?.();
    }
  }

  #makeRoom(): void {
    for (const far of this.#byKey.values()) {
      if (this.#bytes <= this.#keptBytes) return;
      if (far.users > 0 || far.path === undefined) continue;
      this.#forget(far);
      this.#stream.tell({ type: 'drop', file: far.id });
    }
  }

  #forget(far: FarFile): void {
    if (this.#byKey.get(far.key) !== far) return;
    this.#byKey.delete(far.key);
    this.#bytes -= far.bytes;
  }
}

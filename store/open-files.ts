/**
 * Files that are read piece by piece stay open between the pieces: opening and closing for each costs more than the reading. One that nobody reads is closed
 * after a moment, so that a removed file's room is given back. Not here: which files there are (blob-files.ts).
 */
import { open, type FileHandle } from 'node:fs/promises';

const IDLE_MS = 2_000;
/** More are closed as soon as their piece is read. */
const MOST = 64;

interface OpenFile {
  readonly file: Promise<FileHandle>;
  reading: number;
  idle: NodeJS.Timeout | undefined;
}

export class OpenFiles {
  readonly #open = new Map<string, OpenFile>();

  /** Bytes [offset, offset + length), fewer at the file's end. Raises the system's error (ENOENT). */
  async read(path: string, offset: number, length: number): Promise<Uint8Array> {
    const one = this.#take(path);
    try {
      const file = await one.file;
      const wanted = Buffer.allocUnsafe(length);
      let got = 0;
      while (got < length) {
        const { bytesRead } = await file.read(wanted, got, length - got, offset + got);
        if (bytesRead === 0) break;
        got += bytesRead;
      }
      return new Uint8Array(wanted.buffer, wanted.byteOffset, got);
    } finally {
      this.#giveBack(path, one);
    }
  }

  async close(): Promise<void> {
    await Promise.allSettled([...this.#open].map(([path, one]) => this.#drop(path, one)));
  }

  #take(path: string): OpenFile {
    let one = this.#open.get(path);
    if (one === undefined) {
      const file = open(path, 'r');
      one = { file, reading: 0, idle: undefined };
      this.#open.set(path, one);
      file.catch(() => this.#open.delete(path)); // it may be there the next time
    }
    clearTimeout(one.idle);
    one.reading++;
    return one;
  }

  #giveBack(path: string, one: OpenFile): void {
    if (--one.reading > 0 || this.#open.get(path) !== one) return;
    if (this.#open.size > MOST) void this.#drop(path, one);
    else one.idle = setTimeout(() => void this.#drop(path, one), IDLE_MS).unref();
  }

  /** Never rejects. */
  async #drop(path: string, one: OpenFile): Promise<void> {
    clearTimeout(one.idle);
    if (this.#open.get(path) === one) this.#open.delete(path);
    await one.file.then((file) => file.close()).catch(() => undefined);
  }
}

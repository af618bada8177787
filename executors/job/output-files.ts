/**
 * Follows what a job's process writes past its runner, if whoever runs it puts that into two files of the job's folder. Each look comes up to their end: of what has come meanwhile a beginning and an
 * end is read when it is much, as no more than that is kept (log-buffer.ts). Not here: what the electron writes itself (outcome-reader.ts).
 */
import { closeSync, existsSync, fstatSync, openSync, readSync } from 'node:fs';
import { join } from 'node:path';
import { StringDecoder } from 'node:string_decoder';

const CHUNK_BYTES = 64 * 1024;
/** Read at one look: what a loop writes must not hold up the agent. */
const MOST_BYTES = 1024 * 1024;

type Name = 'stdout' | 'stderr';

interface Followed {
  readonly name: Name;
  readonly path: string;
  decoder: StringDecoder;
  at: number;
  /** Not read, before `at`; not told yet. */
  skipped: number;
}

export class OutputFiles {
  readonly #files: readonly Followed[];
  readonly #each: (stream: Name, text: string, skipped: number) => void;

  /** `skipped`: bytes before the text that were not read. */
  constructor(dir: string, each: (stream: Name, text: string, skipped: number) => void) {
    const names: readonly Name[] = ['stdout', 'stderr'];
    this.#files = names.map((name) => ({
      name,
      path: join(dir, name),
      decoder: new StringDecoder('utf8'),
      at: 0,
      skipped: 0,
    }));
    this.#each = each;
  }

  /** Raises the system's error. */
  read(): void {
    for (const file of this.#files) {
      let fd: number;
      // it mostly isn't there, and to be told so by an error takes six times as long
      if (!existsSync(file.path)) continue;
      try {
        fd = openSync(file.path, 'r');
      } catch {
        continue;
      }
      try {
        const { size } = fstatSync(fd);
        if (size - file.at > MOST_BYTES) {
          this.#readTo(file, fd, file.at + MOST_BYTES / 2);
          skipTo(file, fd, size - MOST_BYTES / 2);
        }
        this.#readTo(file, fd, size);
      } finally {
        closeSync(fd);
      }
    }
  }

  #readTo(file: Followed, fd: number, end: number): void {
    if (file.at >= end) return;
    const bytes = Buffer.allocUnsafe(Math.min(CHUNK_BYTES, end - file.at));
    while (file.at < end) {
      const read = readSync(fd, bytes, 0, Math.min(bytes.length, end - file.at), file.at);
      if (read === 0) return;
      file.at += read;
      this.#each(file.name, file.decoder.write(bytes.subarray(0, read)), file.skipped);
      file.skipped = 0;
    }
  }
}

/** To where a character begins. */
function skipTo(file: Followed, fd: number, near: number): void {
  const bytes = Buffer.alloc(4);
  readSync(fd, bytes, 0, bytes.length, near);
  const to = near + Math.max(0, bytes.findIndex(beginsCharacter));
  file.skipped += to - file.at;
  file.at = to;
  file.decoder = new StringDecoder('utf8');
}

/** Of UTF-8. */
const beginsCharacter = (byte: number): boolean => (byte & 0xc0) !== 0x80;

/** Follows what a job's process writes past its runner, if whoever runs it puts that into two files of the job's folder. Not here: what the electron writes itself (outcome-reader.ts). */
import { closeSync, openSync, readSync } from 'node:fs';
import { join } from 'node:path';
import { StringDecoder } from 'node:string_decoder';

const CHUNK_BYTES = 64 * 1024;
/** Read at one look: what a loop writes must not hold up the agent. */
const MOST_BYTES = 1024 * 1024;

type Name = 'stdout' | 'stderr';

export class OutputFiles {
  readonly #files: readonly {
    readonly name: Name;
    readonly path: string;
    readonly decoder: StringDecoder;
    at: number;
  }[];
  readonly #each: (stream: Name, text: string) => void;

  constructor(dir: string, each: (stream: Name, text: string) => void) {
    const names: readonly Name[] = ['stdout', 'stderr'];
    this.#files = names.map((name) => ({ name, path: join(dir, name), decoder: new StringDecoder('utf8'), at: 0 }));
    this.#each = each;
  }

  read(): void {
    for (const file of this.#files) {
      let fd: number;
      try {
        fd = openSync(file.path, 'r');
      } catch {
        continue;
      }
      try {
        const bytes = Buffer.allocUnsafe(CHUNK_BYTES);
        for (let read = -1, all = 0; read !== 0 && all < MOST_BYTES; all += read) {
          read = readSync(fd, bytes, 0, bytes.length, file.at);
          file.at += read;
          if (read > 0) this.#each(file.name, file.decoder.write(bytes.subarray(0, read)));
        }
      } finally {
        closeSync(fd);
      }
    }
  }
}

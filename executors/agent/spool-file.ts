/**
 * The spool's file: bytes that are appended, cut off and replaced. What was appended survives a kill of the process; a power cut may lose any suffix
 * of it. Not here: what the bytes mean (spool.ts).
 */
import {
  closeSync,
  ftruncateSync,
  mkdirSync,
  openSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
  writeSync,
} from 'node:fs';
import { dirname } from 'node:path';

export interface SpoolFile {
  /** For logs. */
  readonly name: string;
  read(): Uint8Array;
  /** Raises the system's error (a full disk). */
  append(bytes: Uint8Array): void;
  truncate(length: number): void;
  /** All of the content at once. Raises the system's error (a full disk); the content is as it was then. */
  replace(bytes: Uint8Array): void;
  close(): void;
}

/** Opens or makes the file. Raises the system's error. */
export function openSpoolFile(path: string): SpoolFile {
  mkdirSync(dirname(path), { recursive: true });
  let fd = openSync(path, 'a+');
  return {
    name: path,
    read: () => readFileSync(path),
    append(bytes) {
      for (let at = 0; at < bytes.length; ) at += writeSync(fd, bytes, at);
    },
    truncate: (length) => ftruncateSync(fd, length),
    replace(bytes) {
      const temporary = `${path}.new`;
      try {
        writeFileSync(temporary, bytes);
        renameSync(temporary, path);
      } catch (error) {
        rmSync(temporary, { force: true });
        throw error;
      }
      closeSync(fd);
      fd = openSync(path, 'a+');
    },
    close: () => closeSync(fd),
  };
}

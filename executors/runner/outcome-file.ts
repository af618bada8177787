/**
 * What a job's runner writes of it, on a disk that may be full. Invariants: U1 the outcome only grows, by whole writes in order: what the disk didn't take is written first when it has room again;
 * U2 the last message has room kept for it, so that an electron which has ended is told of on a full disk, too. Not here: what the messages say (job-link.ts), who reads them (job/outcome-reader.ts).
 */
import { randomFillSync } from 'node:crypto';
import { fsyncSync, ftruncateSync, openSync, renameSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { isDiskFull } from '../disk-full.ts';
import { END_FILE, OUTCOME_FILE, SETTINGS_FILE, SPARE_BYTES, SPARE_FILE } from './job-files.ts';

export class OutcomeFile {
  readonly #folder: string;
  readonly #outcome: number;
  readonly #spare: number;
  /** What the disk didn't take. */
  #rest: Uint8Array[] = [];

  /** Raises the system's error: when there is no room for an end, nothing should begin. The spare file is short then. */
  constructor(folder: string) {
    this.#folder = folder;
    this.#spare = openSpare(folder);
    try {
      this.#outcome = openSync(join(folder, OUTCOME_FILE), 'a', 0o600);
      // nothing that a file system could make smaller; a disk behind a network says only when it is flushed that it has no room
      writeAnew(this.#spare, [randomFillSync(Buffer.alloc(SPARE_BYTES))]);
      fsyncSync(this.#spare);
    } catch (error) {
      if (isDiskFull(error)) ftruncateSync(this.#spare);
      throw error;
    }
  }

  /** The disk takes nothing more at the moment. */
  get full(): boolean {
    return this.#rest.length > 0;
  }

  /** Raises the system's error, but not for a full disk. */
  write(parts: readonly Uint8Array[]): void {
    this.#rest.push(...parts);
    try {
      for (let part = this.#rest[0]; part !== undefined; part = this.#rest[0]) {
        const written = writeSync(this.#outcome, part);
        if (written < part.length) this.#rest[0] = part.subarray(written);
        else this.#rest.shift();
      }
    } catch (error) {
      if (!isDiskFull(error)) throw error;
    }
  }

  /** Writes the last parts, or `last` alone where the spare file is. Raises the system's error; for a full disk the spare file is short then. */
  end(parts: readonly Uint8Array[], last: () => readonly Uint8Array[]): void {
    this.write(parts);
    if (this.full || !this.#flushed()) this.#useSpare(last());
  }

  /** In place: room that is given back first may be a neighbour's before it is written. */
  #useSpare(last: readonly Uint8Array[]): void {
    for (let again = true; ; again = false)
      try {
        ftruncateSync(this.#spare, writeAnew(this.#spare, last));
        fsyncSync(this.#spare);
        break;
      } catch (error) {
        if (!isDiskFull(error)) throw error;
        // a file system that never writes in place has no other room; and it tells that there was none
        ftruncateSync(this.#spare);
        if (!again) throw error;
      }
    renameSync(join(this.#folder, SPARE_FILE), join(this.#folder, END_FILE));
  }

  #flushed(): boolean {
    try {
      fsyncSync(this.#outcome);
      return true;
    } catch (error) {
      // a disk behind a network says only now that it has no room
      if (isDiskFull(error)) return false;
      throw error;
    }
  }
}

/** On a disk that takes no new file another one, which was read already, is put in its place: it is short. */
function openSpare(folder: string): number {
  const path = join(folder, SPARE_FILE);
  try {
    return openSync(path, 'w', 0o600);
  } catch (error) {
    if (isDiskFull(error)) renameSync(join(folder, SETTINGS_FILE), path);
    throw error;
  }
}

/** From its beginning on; gives how much that is. */
function writeAnew(file: number, parts: readonly Uint8Array[]): number {
  let position = 0;
  for (const part of parts)
    for (let at = 0; at < part.length; ) {
      const written = writeSync(file, part, at, part.length - at, position);
      at += written;
      position += written;
    }
  return position;
}

/** Writes a tar archive (POSIX.1-1988, "ustar"), as much of it as container engines need: folders and files with short names, owned by root. */
import { createReadStream, statSync } from 'node:fs';

export interface TarEntry {
  /** At most 100 bytes; a folder's ends with a slash. */
  readonly path: string;
  readonly mode: number;
  /** Absent for a folder. */
  readonly content?: Buffer | { readonly file: string };
}

const BLOCK_BYTES = 512;
const LONGEST_NAME = 100;

/** Yields the archive piece by piece; files are read as it goes. Raises the system's error when one can't be. */
export async function* tarOf(entries: readonly TarEntry[]): AsyncGenerator<Buffer, void, undefined> {
  for (const { path, mode, content } of entries) {
    const size = content === undefined ? 0 : 'file' in content ? statSync(content.file).size : content.length;
    yield header(path, mode, size, content === undefined);
    if (content === undefined) continue;
    if ('file' in content) yield* fileOf(content.file, size);
    else yield content;
    yield Buffer.alloc((BLOCK_BYTES - (size % BLOCK_BYTES)) % BLOCK_BYTES);
  }
  yield Buffer.alloc(2 * BLOCK_BYTES);
}

async function* fileOf(file: string, size: number): AsyncGenerator<Buffer, void, undefined> {
  if (size === 0) return;
  let read = 0;
  for await (const chunk of createReadStream(file, { end: size - 1, highWaterMark: 1024 * 1024 })) {
    const bytes = Buffer.from(chunk);
    read += bytes.length;
    yield bytes;
  }
  if (read !== size) throw new Error(`${file} ends after ${read} of ${size} bytes`);
}

function header(path: string, mode: number, size: number, folder: boolean): Buffer {
  if (Buffer.byteLength(path) > LONGEST_NAME) throw new RangeError(`${path} is too long a name for this archive`);
  const block = Buffer.alloc(BLOCK_BYTES);
  const octal = (value: number, digits: number): string => `${value.toString(8).padStart(digits, '0')}\0`;
  block.write(path, 0);
  block.write(octal(mode, 7), 100);
  block.write(octal(0, 7), 108);
  block.write(octal(0, 7), 116);
  block.write(octal(size, 11), 124);
  block.write(octal(0, 11), 136);
  block.write(' '.repeat(8), 148);
  block.write(folder ? '5' : '0', 156);
  block.write('ustar\x0000', 257);
  let sum = 0;
  for (const byte of block) sum += byte;
  block.write(`${sum.toString(8).padStart(6, '0')}\0 `, 148);
  return block;
}

/**
 * Bytes that are pulled over the bus in chunks: several are asked for at once, and they are given in order. Whoever takes them sets the pace: what was asked
 * for and not yet taken is never more than the window. Not here: asking again for what was lost, checking the digest.
 */
import type { Bus } from './bus.ts';

const CHUNK_BYTES = 256 * 1024;
/** 2 MiB under way: enough for a fast disk behind a bus on one machine, and little enough that a message between them isn't late. */
const WINDOW = 8;
/** Subjects and headers of a message around a chunk. */
const HEAD_BYTES = 1024;

/** The chunks of bytes [from, size); each is as long as was asked for, but for what `read` gives. Raises what `read` raises. */
export async function* chunksOf(
  bus: Pick<Bus, 'maxPayload'>,
  from: number,
  size: number,
  read: (offset: number, length: number) => Promise<Uint8Array>,
): AsyncGenerator<{ readonly bytes: Uint8Array; readonly wanted: number }, void> {
  const chunk = Math.max(HEAD_BYTES, Math.min(CHUNK_BYTES, bus.maxPayload - HEAD_BYTES));
  const asked: { readonly bytes: Promise<Uint8Array>; readonly wanted: number }[] = [];
  for (let next = from; ; ) {
    while (asked.length < WINDOW && next < size) {
      const wanted = Math.min(chunk, size - next);
      const bytes = read(next, wanted);
      bytes.catch(() => undefined); // awaited below, in order
      asked.push({ bytes, wanted });
      next += wanted;
    }
    const first = asked.shift();
    if (first === undefined) return;
    yield { bytes: await first.bytes, wanted: first.wanted };
  }
}

/**
 * Pulls a value from the agent that made it: in chunks, several under way, verified by digest.
 * Not here: what is done when the agent doesn't have it (the electron's), and what agents and users pull from here (blob-service.ts).
 */
import type { Bus } from '../../bus/bus.ts';
import { chunksOf } from '../../bus/chunks.ts';
import { encodeEnvelope } from '../../bus/codec.ts';
import type { Subjects } from '../../bus/subjects.ts';
import { digestOf } from '../../bus/value/digest.ts';
import type { Clock } from '../../model/clock.ts';
import { asPolaronError, PolaronError } from '../../model/errors.ts';
import type { AgentKey, Digest } from '../../model/ids.ts';
import { INLINE_VALUE_BYTES, type Store } from '../../store/store.ts';

/** Chunks that wait for the disk while further ones are pulled. */
const MOST_WRITING = 8;
const CHUNK_TIMEOUT_MS = 10_000;
const CHUNK_TRIES = 5;
/** Before the second try; doubled before each further one. In all longer than an agent takes to dial again. */
const FIRST_PAUSE_MS = 200;

export interface PullOptions {
  readonly bus: Bus;
  readonly subjects: Subjects;
  readonly by: string;
  readonly clock: Clock;
}

/**
 * False when the agent doesn't have it or it isn't what it said.
 * Raises what the bus raises when the agent can't be reached for some seconds, STORE_FAILED, DISK_FULL.
 */
export async function pullFromAgent(
  store: Store,
  o: PullOptions,
  agent: AgentKey,
  digest: Digest,
  size: number,
): Promise<boolean> {
  if (store.hasValue(digest)) return true;
  const [site = '', name = ''] = agent.split('.');
  const subject = o.subjects.down(site, name, 'blob');
  const read = (offset: number, length: number): Promise<Uint8Array> =>
    requestChunk(o, subject, encodeEnvelope(o.by, { digest, offset, length }));
  if (size <= INLINE_VALUE_BYTES) {
    const bytes = size === 0 ? new Uint8Array() : await read(0, size);
    if (digestOf(bytes) !== digest) return false;
    store.pin(digest);
    await store.write([{ op: 'value', digest, bytes }]);
    return true;
  }
  const writer = await store.openBlob(digest, size, { resume: true });
  const writing: Promise<void>[] = [];
  try {
    for await (const { bytes } of chunksOf(o.bus, writer.received, size, read)) {
      if (bytes.byteLength === 0) {
        await writer.abort();
        return false;
      }
      const write = writer.write(bytes);
      write.catch(() => undefined); // awaited below, in order
      writing.push(write);
      if (writing.length >= MOST_WRITING) await writing.shift();
    }
    await Promise.all(writing);
    await writer.finish();
    return true;
  } catch (error) {
    await writer.abort();
    if (error instanceof PolaronError && error.code === 'BAD_MESSAGE') return false;
    throw error;
  }
}

/** An agent that is dialling again answers nobody for a moment: what may succeed later is tried again, after a pause. */
async function requestChunk(o: PullOptions, subject: string, request: Uint8Array): Promise<Uint8Array> {
  for (let tries = 1; ; tries++) {
    try {
      return (await o.bus.request(subject, request, { timeoutMs: CHUNK_TIMEOUT_MS })).data;
    } catch (error) {
      if (tries >= CHUNK_TRIES || !asPolaronError(error, 'BUS_DISCONNECTED').retryable) throw error;
      await new Promise<void>((resolve) => {
        o.clock.after(FIRST_PAUSE_MS * 2 ** (tries - 1), resolve);
      });
    }
  }
}

/**
 * Large values between this process and the hub: which it has, uploads of what it lacks, downloads, all in chunks.
 * Not here: encoding of values (bus/value/), what they are for.
 *
 * B1. Chunks are at most 256 KiB, four under way at once; the hub's answer says where to go on, so an upload resumes over outages.
 * B2. A digest that the hub had, or got, is not asked about again for 50 minutes: the hub pins it for an hour.
 * B3. One upload per digest at a time, whoever asks.
 * B4. A download is verified by its digest.
 * B5. What an earlier process made is believed to be there, once: a submit that names it says when it isn't, and saves a question when it is.
 */
import { encodeEnvelope } from '../../bus/codec.ts';
import type { BlobHas, BlobPut, BlobPutReply } from '../../bus/protocol/api.ts';
import type { BlobRead } from '../../bus/protocol/agent.ts';
import { parseBlobHasReply, parseBlobPutReply, parseReply } from '../../bus/protocol/wire-api.ts';
import type { BlobKind } from '../../bus/subjects.ts';
import { digester } from '../../bus/value/digest.ts';
import { PolaronError } from '../../model/errors.ts';
import type { Digest } from '../../model/ids.ts';
import type { ValueInfo } from '../../model/outcome.ts';
import { type ApiClient, type CallOptions, payloadRoom, type Read } from './api.ts';
import type { Line } from './connection.ts';
import { WAITING, withPatience } from './patience.ts';

export const CHUNK_BYTES = 256 * 1024;
const WINDOW = 4;
const UPLOADS_AT_ONCE = 4;
const KNOWN_MS = 50 * 60 * 1_000;
const CHUNK_MS = 10_000;
/** Rounds without progress after which an upload is given up. */
const MOST_STALLS = 8;
const MOST_KNOWN = 100_000;
const HAS_AT_ONCE = 5_000;

export class Blobs {
  readonly #api: ApiClient;
  readonly #known = new Map<Digest, number>();
  readonly #believed = new Set<Digest>();
  readonly #uploads = new Map<Digest, Promise<void>>();

  constructor(api: ApiClient) {
    this.#api = api;
  }

  /** Forgets what the hub is believed to have: it said that something is missing. */
  forget(): void {
    this.#known.clear();
  }

  /** Takes it for known until `forget`, the first time (B5). */
  believe(digest: Digest): void {
    if (this.#believed.has(digest)) return;
    this.#believed.add(digest);
    this.#learn(digest);
  }

  /** Is the hub known to have it (B2)? */
  knows(digest: Digest): boolean {
    return (this.#known.get(digest) ?? 0) > performance.now();
  }

  /** Resolves when the hub has all of them. Raises VALUE_TOO_LARGE, DISK_FULL, NO_HUB. */
  async ensure(values: ReadonlyMap<Digest, Uint8Array>, o: CallOptions = {}): Promise<void> {
    const unsure = [...values.keys()].filter((digest) => !this.knows(digest));
    if (unsure.length === 0) return;
    const asked = unsure.filter((digest) => !this.#uploads.has(digest));
    for (const digest of await this.#has(asked, o)) this.#learn(digest);
    const missing = unsure.filter((digest) => !this.knows(digest));
    await inParallel(missing, UPLOADS_AT_ONCE, async (digest) => {
      const bytes = values.get(digest);
      if (bytes !== undefined) await this.#upload(digest, bytes, o);
    });
  }

  /** A value's bytes. Raises VALUE_MISSING, BAD_MESSAGE when they don't fit the digest. */
  async fetch(info: ValueInfo, o: CallOptions = {}): Promise<Uint8Array> {
    const out = new Uint8Array(info.size);
    const chunks: number[] = [];
    for (let offset = 0; offset < info.size; offset += CHUNK_BYTES) chunks.push(offset);
    await inParallel(chunks, WINDOW, async (start) => {
      const end = Math.min(start + CHUNK_BYTES, info.size);
      for (let offset = start; offset < end; ) {
        const bytes = await this.#get({ digest: info.digest, offset, length: end - offset }, o);
        if (bytes.length === 0 || bytes.length > end - offset) throw missing(info, offset);
        out.set(bytes, offset);
        offset += bytes.length;
      }
    });
    const digest = await sha256(out);
    if (digest !== info.digest) {
      throw new PolaronError(
        'BAD_MESSAGE',
        `value ${info.digest}: the ${out.length} bytes received have digest ${digest}`,
      );
    }
    return out;
  }

  async #has(digests: readonly Digest[], o: CallOptions): Promise<readonly Digest[]> {
    const have: Digest[] = [];
    for (let at = 0; at < digests.length; at += HAS_AT_ONCE) {
      const body: BlobHas = { digests: digests.slice(at, at + HAS_AT_ONCE) };
      have.push(...(await this.#ask('has', body, parseBlobHasReply, o)).have);
    }
    return have;
  }

  #upload(digest: Digest, bytes: Uint8Array, o: CallOptions): Promise<void> {
    const running = this.#uploads.get(digest);
    if (running !== undefined) return running;
    const upload = this.#put(digest, bytes, o)
      .then(() => this.#learn(digest))
      .finally(() => this.#uploads.delete(digest));
    this.#uploads.set(digest, upload);
    return upload;
  }

  /** Rounds of chunks from where the hub is; the first chunk alone tells how far an earlier upload came. */
  async #put(digest: Digest, bytes: Uint8Array, o: CallOptions): Promise<void> {
    let received = 0;
    for (let stalls = 0, probe = true; ; probe = false) {
      const round = await this.#round(digest, bytes, received, probe ? received + 1 : bytes.length, o);
      if (round.done) return;
      stalls = round.received > received ? 0 : stalls + 1;
      received = round.received;
      if (stalls > MOST_STALLS) {
        throw new PolaronError(
          'VALUE_MISSING',
          `upload of value ${digest} (${bytes.length} bytes) stands at ${received}`,
        );
      }
    }
  }

  /** Sends chunks that begin in [from, to), at least one; ends early when the hub is elsewhere. */
  async #round(digest: Digest, bytes: Uint8Array, from: number, to: number, o: CallOptions): Promise<BlobPutReply> {
    let next = from;
    let received = from;
    let done = false;
    let astray = false;
    const worker = async (): Promise<void> => {
      while (!done && !astray && (next < to || next === from)) {
        const offset = next;
        const chunk = bytes.subarray(offset, offset + this.#chunkBytes());
        next += Math.max(1, chunk.length);
        const body: BlobPut = { digest, size: bytes.length, offset, bytes: chunk };
        const reply: BlobPutReply = await this.#ask('put', body, parseBlobPutReply, { timeoutMs: CHUNK_MS, ...o });
        done ||= reply.done;
        astray ||= reply.received < offset;
        received = astray ? reply.received : Math.max(received, reply.received);
      }
    };
    await Promise.all(Array.from({ length: WINDOW }, worker));
    return { received, done };
  }

  #get(body: BlobRead, o: CallOptions): Promise<Uint8Array> {
    return withPatience(this.#api.connection, { ...WAITING, ...o }, async (line) => {
      const answer = await line.bus.request(this.#subject(line, 'get'), encodeEnvelope(line.target.identity, body), {
        timeoutMs: o.timeoutMs ?? CHUNK_MS,
        ...(o.signal === undefined ? {} : { signal: o.signal }),
      });
      this.#api.connection.markContacted();
      return answer.data;
    });
  }

  /** Answers of `has` and `put`: the body, in an ApiReply when there may be an error. */
  #ask<T>(kind: 'has' | 'put', body: unknown, read: Read<T>, o: CallOptions): Promise<T> {
    const reader = parseReply(read);
    return withPatience(this.#api.connection, { outageMs: 30_000, busyMs: Infinity, ...o }, (line) =>
      this.#api.request(line, this.#subject(line, kind), encodeEnvelope(line.target.identity, body), reader, o),
    );
  }

  #subject(line: Line, kind: BlobKind): string {
    return line.subjects.userBlob(line.target.user, kind);
  }

  #chunkBytes(): number {
    const line = this.#api.connection.live();
    return line === undefined ? CHUNK_BYTES : Math.max(1_024, Math.min(CHUNK_BYTES, payloadRoom(line.bus)));
  }

  #learn(digest: Digest): void {
    if (this.#known.size >= MOST_KNOWN) this.#known.clear();
    this.#known.set(digest, performance.now() + KNOWN_MS);
  }
}

const missing = (info: ValueInfo, offset: number): PolaronError =>
  new PolaronError('VALUE_MISSING', `value ${info.digest} (${info.size} bytes) can't be read at ${offset}`);

/** Runs `work` over all items, `width` at once; the first failure ends it. */
export async function inParallel<T>(
  items: readonly T[],
  width: number,
  work: (item: T) => Promise<void>,
): Promise<void> {
  const rest = items.values();
  const worker = async (): Promise<void> => {
    for (const item of rest) await work(item);
  };
  await Promise.all(Array.from({ length: Math.min(width, items.length) }, worker));
}

/** In slices, so that a value of a gigabyte doesn't hold up the user's event loop. */
async function sha256(bytes: Uint8Array): Promise<Digest> {
  const hash = digester();
  const slice = 8 * 1024 * 1024;
  for (let at = 0; at < bytes.length; at += slice) {
    if (at > 0) await new Promise((resolve) => setImmediate(resolve));
    hash.update(bytes.subarray(at, at + slice));
  }
  return hash.digest();
}

/**
 * Values in and out over the bus: `polaron.blob.….get`, `.has`, `.put`, for agents and users. Stateless but for uploads under way.
 * A digest is what gives access: it can't be guessed.
 */
import type { Bus, BusMessage } from '../../bus/bus.ts';
import { decodeBody, decodeEnvelope, encodeEnvelope } from '../../bus/codec.ts';
import type { CountRequest } from '../../bus/micro-service.ts';
import type { ApiReply, BlobHasReply, BlobPut, BlobPutReply } from '../../bus/protocol/api.ts';
import { parseBlobRead } from '../../bus/protocol/wire-agent.ts';
import { parseBlobHas, parseBlobPut } from '../../bus/protocol/wire-api.ts';
import type { BlobKind, Subjects } from '../../bus/subjects.ts';
import { digestOf } from '../../bus/value/digest.ts';
import { asPolaronError, PolaronError } from '../../model/errors.ts';
import type { Digest } from '../../model/ids.ts';
import { throttledLog, type Log } from '../../model/log.ts';
import { INLINE_VALUE_BYTES, type BlobWriter, type Store } from '../../store/store.ts';

export interface BlobServiceOptions {
  readonly bus: Bus;
  readonly subjects: Subjects;
  readonly by: string;
  readonly store: Store;
  readonly log: Log;
  readonly monotonic: () => number;
  /** Absent: nobody counts. */
  readonly count?: CountRequest<BlobKind>;
}

interface Upload {
  readonly writer: Promise<BlobWriter>;
  /** Chunks are written one after another, in order of arrival. */
  last: Promise<unknown>;
}

const MOST_UPLOADS = 256;
const MOST_CHUNK = 1024 * 1024;
/** Bytes of uploads that wait for the disk; more are told HUB_BUSY. */
const MOST_BYTES = 64 * 1024 * 1024;

const isBlobKind = (text: string): text is BlobKind => text === 'get' || text === 'has' || text === 'put';

/** Who may speak on `<prefix>.blob.SITE.AGENT.KIND` or `<prefix>.blob.u.USER.KIND`. */
function speakerOf(subject: string): string {
  const [, , site, name] = subject.split('.');
  return site === 'u' ? `u.${name}` : `a.${site}.${name}`;
}

/** Begins to serve; returns what ends it. */
export function serveBlobs(o: BlobServiceOptions): () => void {
  /** By who uploads what: nobody's bytes depend on another's. */
  const uploads = new Map<string, Upload>();
  const warn = throttledLog(o.log, o.monotonic);
  let dropped = 0;
  let waiting = 0;

  const counted = async (speaker: string, chunk: BlobPut): Promise<BlobPutReply> => {
    const bytes = chunk.bytes.byteLength;
    if (waiting > 0 && waiting + bytes > MOST_BYTES)
      throw new PolaronError('HUB_BUSY', `uploads of ${waiting} bytes wait for the hub's disk`);
    waiting += bytes;
    try {
      return await put(speaker, chunk);
    } finally {
      waiting -= bytes;
    }
  };
  const put = async (speaker: string, { digest, size, offset, bytes }: BlobPut): Promise<BlobPutReply> => {
    if (o.store.hasValue(digest)) return { received: size, done: true };
    if (size <= INLINE_VALUE_BYTES) {
      if (bytes.byteLength !== size || digestOf(bytes) !== digest)
        throw new PolaronError('BAD_MESSAGE', `the bytes are not those of ${digest}`);
      o.store.pin(digest);
      await o.store.write([{ op: 'value', digest, bytes }]);
      return { received: size, done: true };
    }
    const name = `${speaker} ${digest}`;
    let upload = uploads.get(name);
    if (upload === undefined) {
      for (const [oldest, stale] of uploads) {
        if (uploads.size < MOST_UPLOADS) break;
        uploads.delete(oldest);
        void stale.writer.then((writer) => writer.abort()).catch(() => undefined); // it was never finished: nothing is lost
      }
      const writer = o.store.openBlob(digest, size, { resume: true });
      upload = { writer, last: writer };
      uploads.set(name, upload);
      writer.catch(() => uploads.delete(name));
    }
    const { writer } = upload;
    const step = upload.last.then(async (): Promise<BlobPutReply> => {
      if (o.store.hasValue(digest)) return { received: size, done: true };
      const open = await writer;
      if (offset === open.received) await open.write(bytes);
      if (open.received < size) return { received: open.received, done: false };
      await open.finish();
      uploads.delete(name);
      return { received: size, done: true };
    });
    upload.last = step.catch(async () => {
      uploads.delete(name);
      await writer.then((open) => open.abort()).catch(() => undefined);
    });
    return step;
  };

  const respond = <T>(message: BusMessage, work: Promise<T>, count: (error?: unknown) => void): void => {
    work.then(
      (body) => {
        count();
        message.respond(encodeEnvelope(o.by, { ok: true, body } satisfies ApiReply<T>));
      },
      (error: unknown) => {
        count(error);
        const { code, message: text, help, details } = asPolaronError(error, 'STORE_FAILED');
        message.respond(
          encodeEnvelope(o.by, { ok: false, error: { code, message: text, help, details } } satisfies ApiReply<T>),
        );
      },
    );
  };

  const has = (digests: readonly Digest[]): BlobHasReply => ({
    have: digests.filter((digest) => o.store.hasValue(digest)),
  });

  const subscription = o.bus.subscribe(o.subjects.allBlob, (message) => {
    const kind = message.subject.slice(message.subject.lastIndexOf('.') + 1);
    const began = o.monotonic();
    const count = (error?: unknown): void => {
      if (isBlobKind(kind)) o.count?.(kind, o.monotonic() - began, error);
    };
    try {
      const envelope = decodeEnvelope(message.data);
      if (envelope.by !== speakerOf(message.subject))
        throw new PolaronError(
          'NOT_ALLOWED',
          `the message says it is from ${JSON.stringify(envelope.by.slice(0, 80))}`,
        );
      const body = decodeBody(envelope.body);
      if (kind === 'get') {
        const { digest, offset, length } = parseBlobRead(body);
        o.store.pin(digest); // what is being pulled stays
        const size = o.store.valueSize(digest) ?? 0;
        const bytes =
          offset >= size
            ? Promise.resolve(new Uint8Array())
            : o.store.readValue(digest, offset, Math.min(length, MOST_CHUNK, size - offset));
        bytes.then(
          (chunk) => {
            count();
            message.respond(chunk);
          },
          (error: unknown) => {
            count(error);
            message.respond(new Uint8Array());
          },
        );
      } else if (kind === 'has') respond(message, Promise.resolve(has(parseBlobHas(body).digests)), count);
      else if (kind === 'put') respond(message, counted(envelope.by, parseBlobPut(body)), count);
    } catch (error) {
      count(error);
      const failure = asPolaronError(error, 'BAD_MESSAGE');
      warn(`blob:${failure.code}`, 'warn', `dropped a message on ${message.subject}: ${failure.message}`, {
        code: failure.code,
        dropped: ++dropped,
      });
    }
  });
  return () => subscription.unsubscribe();
}

/**
 * Pulls a stored value or bundle from the hub: chunks by digest and offset, a few at a time, verified at the end.
 * A lost chunk is asked for again until the signal says to give up. Not here: keeping what was pulled (blob-cache.ts).
 */
import type { Bus } from '../../bus/bus.ts';
import { encodeEnvelope } from '../../bus/codec.ts';
import { digestOf } from '../../bus/value/digest.ts';
import type { Clock } from '../../model/clock.ts';
import { PolaronError } from '../../model/errors.ts';
import type { ValueInfo } from '../../model/outcome.ts';

const CHUNK_BYTES = 256 * 1024;
const WINDOW = 4;
const TIMEOUT_MS = 5_000;
const RETRY_MS = 250;
const LONGEST_RETRY_MS = 5_000;
/** Bytes that don't fit the digest are pulled again so many times. */
const TRIES = 3;

export interface PullOptions {
  readonly bus: Bus;
  /** `polaron.blob.SITE.AGENT.get` */
  readonly subject: string;
  readonly by: string;
  readonly clock: Clock;
  readonly maxBytes: number;
}

/** The bytes of a value. Raises VALUE_MISSING (the hub has it not, or other bytes), VALUE_TOO_LARGE, or the signal's reason. */
export async function pull(options: PullOptions, info: ValueInfo, signal: AbortSignal): Promise<Uint8Array> {
  if (info.size > options.maxBytes) {
    throw new PolaronError(
      'VALUE_TOO_LARGE',
      `value ${info.digest} has ${info.size} bytes; this agent takes at most ${options.maxBytes}`,
    );
  }
  for (let attempt = 1; ; attempt++) {
    const bytes = await pullOnce(options, info, signal);
    if (digestOf(bytes) === info.digest) return bytes;
    if (attempt === TRIES) throw missing(info, 'the bytes that came have another digest');
  }
}

async function pullOnce(options: PullOptions, info: ValueInfo, signal: AbortSignal): Promise<Uint8Array> {
  const bytes = new Uint8Array(info.size);
  const chunk = Math.max(1024, Math.min(CHUNK_BYTES, options.bus.maxPayload - 1024));
  let next = 0;
  const worker = async (): Promise<void> => {
    while (next < info.size) {
      const offset = next;
      const length = Math.min(chunk, info.size - offset);
      next += length;
      const part = await chunkOf(options, info, offset, length, signal);
      if (part.length !== length) throw missing(info, `${part.length} bytes came at ${offset} instead of ${length}`);
      bytes.set(part, offset);
    }
  };
  await Promise.all(Array.from({ length: WINDOW }, worker));
  return bytes;
}

async function chunkOf(
  options: PullOptions,
  info: ValueInfo,
  offset: number,
  length: number,
  signal: AbortSignal,
): Promise<Uint8Array> {
  const { bus, subject, by, clock } = options;
  const request = encodeEnvelope(by, { digest: info.digest, offset, length });
  for (let wait = RETRY_MS; ; wait = Math.min(wait * 2, LONGEST_RETRY_MS)) {
    signal.throwIfAborted();
    try {
      return (await bus.request(subject, request, { timeoutMs: TIMEOUT_MS, signal })).data;
    } catch (error) {
      signal.throwIfAborted();
      if (!(error instanceof PolaronError) || !error.retryable) throw error;
    }
    await pause(clock, wait, signal);
  }
}

function pause(clock: Clock, ms: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const timer = clock.after(ms, () => {
      signal.removeEventListener('abort', end);
      resolve();
    });
    const end = (): void => {
      timer.cancel();
      resolve();
    };
    signal.addEventListener('abort', end, { once: true });
  });
}

const missing = (info: ValueInfo, reason: string): PolaronError =>
  new PolaronError(
    'VALUE_MISSING',
    `value ${info.digest} of ${info.size} bytes can't be fetched from the hub: ${reason}`,
    {
      details: { digest: info.digest, size: info.size },
    },
  );

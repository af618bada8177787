/**
 * Pulls a stored value or bundle from the hub: chunks by digest and offset, a few at a time, verified at the end, into memory or on to where they are taken.
 * A lost chunk is asked for again until the signal says to give up. Not here: keeping what was pulled (blob-cache.ts).
 */
import type { Bus } from '../../bus/bus.ts';
import { chunksOf } from '../../bus/chunks.ts';
import { encodeEnvelope } from '../../bus/codec.ts';
import { digester } from '../../bus/value/digest.ts';
import type { Clock } from '../../model/clock.ts';
import { PolaronError } from '../../model/errors.ts';
import type { Digest } from '../../model/ids.ts';
import type { ValueInfo } from '../../model/outcome.ts';

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

/** Takes a value's bytes in order, from the beginning. */
export interface Taker {
  /** Before the first byte; what it had is of no use. */
  begin(): void | Promise<void>;
  take(bytes: Uint8Array, offset: number): void | Promise<void>;
}

/** The bytes of a value. Raises VALUE_MISSING (the hub has it not, or other bytes), VALUE_TOO_LARGE, or the signal's reason. */
export async function pull(options: PullOptions, info: ValueInfo, signal: AbortSignal): Promise<Uint8Array> {
  const whole = new Uint8Array(Math.min(info.size, options.maxBytes));
  await pullTo(options, info, { begin: () => undefined, take: (bytes, offset) => whole.set(bytes, offset) }, signal);
  return whole;
}

/** The same into other hands, which may be given all of it again when what came has another digest. Raises what they raise, too. */
export async function pullTo(options: PullOptions, info: ValueInfo, to: Taker, signal: AbortSignal): Promise<void> {
  if (info.size > options.maxBytes) {
    throw new PolaronError(
      'VALUE_TOO_LARGE',
      `value ${info.digest} has ${info.size} bytes; this agent takes at most ${options.maxBytes}: POLARON_MAX_VALUE_BYTES sets it, where the agent is started`,
    );
  }
  for (let attempt = 1; (await pullOnce(options, info, to, signal)) !== info.digest; attempt++)
    if (attempt === TRIES) throw missing(info, 'the bytes that came have another digest');
}

/** Returns the digest of what came. */
async function pullOnce(options: PullOptions, info: ValueInfo, to: Taker, signal: AbortSignal): Promise<Digest> {
  const { update, digest } = digester();
  await to.begin();
  let at = 0;
  const read = (offset: number, length: number): Promise<Uint8Array> => chunkOf(options, info, offset, length, signal);
  for await (const { bytes, wanted } of chunksOf(options.bus, 0, info.size, read)) {
    if (bytes.length !== wanted) throw missing(info, `${bytes.length} bytes came at ${at} instead of ${wanted}`);
    update(bytes);
    await to.take(bytes, at);
    at += wanted;
  }
  return digest();
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

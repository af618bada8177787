/**
 * Sends a job and gives the answer.
 *
 * P1. A job is sent again only when it is known that nobody has begun it: no connection came about, or the service said 429. Everything else may have run it, and is the attempt's end.
 * P2. Each request has a connection of its own: one that was kept may break just when the request is under way, and then nobody knows.
 * P3. Redirects aren't followed: they could lead to where the agent may not call.
 * Not here: which URL and with which credentials (allowed.ts).
 */
import { request as plainRequest, type IncomingMessage } from 'node:http';
import { request as tlsRequest } from 'node:https';
import type { Clock } from '../../model/clock.ts';
import { PolaronError } from '../../model/errors.ts';

/** How long one is sent again that nobody has begun. */
const PATIENCE_MS = 60_000;
const FIRST_PAUSE_MS = 250;
const LONGEST_PAUSE_MS = 10_000;
/** Of an answer that is an error. */
const MOST_ERROR_BYTES = 64 * 1024;
const SHOWN_CHARS = 500;
const KEEP_ALIVE_MS = 30_000;

export interface Post {
  readonly url: URL;
  /** Made for each request: a signature holds for minutes. */
  readonly headers: () => Readonly<Record<string, string>>;
  readonly body: Uint8Array;
  readonly signal: AbortSignal;
  /** Longest time without a byte, ms. */
  readonly waitMs: number;
  readonly clock: Clock;
  readonly random: () => number;
  /** Something to tell the operator. */
  readonly log: (message: string) => void;
  /** The job may run from now. */
  readonly sent: () => void;
}

/** The answer's headers are there. */
export interface Reply {
  readonly headers: IncomingMessage['headers'];
  /** Rejects with HTTP_UNREACHABLE when it breaks off. */
  readonly body: AsyncIterable<Uint8Array>;
}

/** Nobody has begun it (P1). */
interface NotBegun {
  readonly error: PolaronError;
  /** When the service says that it should come again, ms from now. */
  readonly afterMs?: number;
}

/** Raises HTTP_UNREACHABLE, HTTP_THROTTLED, HTTP_REFUSED and HTTP_STATUS. */
export async function post(o: Post): Promise<Reply> {
  const until = o.clock.monotonic() + PATIENCE_MS;
  for (let pause = FIRST_PAUSE_MS; ; pause = Math.min(2 * pause, LONGEST_PAUSE_MS)) {
    const result = await once(o);
    if (!('error' in result)) return result;
    const { error, afterMs = pause * (0.5 + o.random()) } = result;
    if (o.clock.monotonic() + afterMs > until) throw error;
    o.log(`${error.message}; it is sent again in ${Math.round(afterMs)} ms`);
    await paused(o, afterMs);
  }
}

async function once(o: Post): Promise<Reply | NotBegun> {
  const { url } = o;
  const of = `${url.href}: `;
  let connected = false;
  let response: IncomingMessage;
  try {
    response = await answered(o, () => (connected = true));
  } catch (cause) {
    o.signal.throwIfAborted();
    const { message } = cause instanceof Error ? cause : new Error(String(cause));
    const when = connected ? 'the connection broke before its answer' : 'no connection';
    const error = new PolaronError('HTTP_UNREACHABLE', `${of}${when}: ${message}`, { cause });
    if (connected) throw error;
    return { error };
  }
  const { statusCode = 0, headers } = response;
  if (statusCode === 200) return { headers, body: whole(response, of) };
  const said = `${of}status ${statusCode}${await shown(response)}`;
  if (statusCode === 429) {
    const afterMs = retryAfter(headers['retry-after'], o.clock.now());
    const error = new PolaronError('HTTP_THROTTLED', said);
    return afterMs === undefined ? { error } : { error, afterMs };
  }
  throw new PolaronError(statusCode >= 500 || statusCode === 408 ? 'HTTP_STATUS' : 'HTTP_REFUSED', said);
}

/** Resolves with the head of the answer. */
function answered(o: Post, connected: () => void): Promise<IncomingMessage> {
  const { url, body, signal, waitMs } = o;
  const isTls = url.protocol === 'https:';
  return new Promise((resolve, reject) => {
    const headers = { ...o.headers(), 'content-length': String(body.length) };
    let response: IncomingMessage | undefined;
    const send = isTls ? tlsRequest : plainRequest;
    const request = send(url, { method: 'POST', headers, signal, agent: false }, (head) => {
      response = head;
      resolve(head);
    });
    request.on('socket', (socket) => {
      socket.setKeepAlive(true, KEEP_ALIVE_MS);
      socket.once(isTls ? 'secureConnect' : 'connect', () => {
        connected();
        o.sent();
      });
    });
    request.setTimeout(waitMs, () => (response ?? request).destroy(new Error(`nothing came for ${waitMs} ms`)));
    request.on('error', reject);
    request.end(body);
  });
}

/** Its bytes; the reason when they break off. */
async function* whole(response: IncomingMessage, of: string): AsyncGenerator<Uint8Array> {
  try {
    for await (const chunk of response) yield Buffer.from(chunk);
  } catch (cause) {
    const { message } = cause instanceof Error ? cause : new Error(String(cause));
    throw new PolaronError('HTTP_UNREACHABLE', `${of}the connection broke in the middle of its answer: ${message}`, {
      cause,
    });
  }
}

/** What stands in an answer that is an error, as far as it is of use in a message. */
async function shown(response: IncomingMessage): Promise<string> {
  let text = '';
  try {
    for await (const chunk of response) {
      text += Buffer.from(chunk).toString('utf8');
      if (text.length > MOST_ERROR_BYTES) break;
    }
  } catch {
    // what came is enough
  }
  response.destroy();
  const short = text.trim().replace(/\s+/g, ' ').slice(0, SHOWN_CHARS);
  return short === '' ? '' : `: ${short}`;
}

/** Seconds or a date (RFC 9110, 10.2.3), as ms from now; undefined: it says nothing that can be read. */
function retryAfter(value: string | undefined, now: number): number | undefined {
  if (value === undefined) return undefined;
  if (/^\d{1,9}$/.test(value)) return Number(value) * 1_000;
  const at = Date.parse(value);
  return Number.isNaN(at) ? undefined : Math.max(0, at - now);
}

/** Raises the signal's reason. */
function paused({ clock, signal }: Post, ms: number): Promise<void> {
  return new Promise((resolve, reject) => {
    const stop = (): void => {
      timer.cancel();
      reject(signal.reason);
    };
    const timer = clock.after(ms, () => {
      signal.removeEventListener('abort', stop);
      resolve();
    });
    if (signal.aborted) stop();
    else signal.addEventListener('abort', stop, { once: true });
  });
}

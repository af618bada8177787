/** A function as a web server has it: takes packed jobs over HTTP, answers while they run, stops one whose caller is gone. Not here: running it (run-packed.ts). */
import { createHash, timingSafeEqual } from 'node:crypto';
import type { IncomingMessage, RequestListener } from 'node:http';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { PolaronError } from '../../model/errors.ts';
import { runPacked } from './run-packed.ts';

const MOST_REQUEST_BYTES = 1024 * 1024 * 1024;

/** Who may have jobs run, how many at once, and with which environment. */
export interface HttpHandlerOptions {
  /** What callers have to know, as `Authorization: Bearer …`; `null` where whoever reaches this server may run code on it. */
  readonly token: string | null;
  /** Jobs at once; more are told 429. @default 1 */
  readonly slots?: number;
  /** Environment of user code. @default this process's, without POLARON_* */
  readonly env?: Readonly<Record<string, string | undefined>>;
}

/**
 * Serves the executor `http`: `createServer(httpHandler({ token })).listen(8080)`. Whoever may call it runs code of their own here.
 *
 * Raises USAGE when the token is empty.
 */
export function httpHandler({ token, slots = 1, env }: HttpHandlerOptions): RequestListener {
  if (token === '')
    throw new PolaronError('USAGE', 'httpHandler: token is empty; give a secret, or null to let in everybody');
  let running = 0;
  return (request, response) => {
    const refuse = (status: number, text: string, headers: Readonly<Record<string, string>> = {}): void => {
      request.resume();
      response.writeHead(status, { 'content-type': 'text/plain', ...headers }).end(`${text}\n`);
    };
    if (request.method !== 'POST') return refuse(405, 'POST a packed job', { allow: 'POST' });
    if (token !== null && !isSame(request.headers.authorization ?? '', `Bearer ${token}`))
      return refuse(401, 'the token is missing or wrong', { 'www-authenticate': 'Bearer' });
    if (running >= slots) return refuse(429, `${running} jobs are running`, { 'retry-after': '1' });
    running++;
    const gone = new AbortController();
    response.on('close', () => gone.abort());
    const serve = async (): Promise<void> => {
      const packed = await bodyOf(request);
      response.writeHead(200, { 'content-type': 'application/x-polaron-outcome', 'cache-control': 'no-store' });
      const options = env === undefined ? { signal: gone.signal } : { signal: gone.signal, env };
      await pipeline(Readable.from(runPacked(packed, options), { objectMode: false }), response);
    };
    serve()
      // its caller is gone, or sent too much: nobody is left to be told
      .catch(() => response.destroy())
      .finally(() => running--);
  };
}

/** In a time that doesn't tell where they differ. */
function isSame(a: string, b: string): boolean {
  const hash = (text: string): Buffer => createHash('sha256').update(text).digest();
  return timingSafeEqual(hash(a), hash(b));
}

async function bodyOf(request: IncomingMessage): Promise<Buffer> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of request) {
    const part = Buffer.from(chunk);
    bytes += part.length;
    if (bytes > MOST_REQUEST_BYTES)
      throw new PolaronError('PAYLOAD_TOO_LARGE', `a request of more than ${MOST_REQUEST_BYTES} bytes`);
    chunks.push(part);
  }
  return Buffer.concat(chunks);
}

/**
 * The part of the Docker Engine API that the executor needs, over HTTP on a socket; Podman answers it as well. Paths bear no version, so that each engine speaks its own.
 * Not here: which requests make a container for an electron (container.ts).
 */
import { request, type IncomingMessage, type RequestOptions } from 'node:http';
import { Socket } from 'node:net';
import { createInterface } from 'node:readline';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { PolaronError, type ErrorCode } from '../../model/errors.ts';
import { AttachedStream } from './attached-stream.ts';
import type { EngineAddress } from './engine-address.ts';
import { readJson, textIn } from './engine-json.ts';

/** No byte for so long: the engine hangs. */
const SILENCE_MS = 120_000;
/** A pull may unpack a large layer without a word. */
const PULL_SILENCE_MS = 30 * 60_000;

export interface EngineAnswer {
  readonly status: number;
  /** As it was sent. */
  readonly body: string;
}

export interface EngineAsk {
  readonly body?: object;
  readonly archive?: AsyncIterable<Buffer>;
  readonly signal?: AbortSignal;
  readonly silenceMs?: number;
}

export class Engine {
  readonly address: EngineAddress;

  constructor(address: EngineAddress) {
    this.address = address;
  }

  /** Rejects with EXECUTOR_FAILED when the engine can't be reached; what it refuses is an answer like any other. */
  async ask(method: string, path: string, ask: EngineAsk = {}): Promise<EngineAnswer> {
    const response = await this.#send(method, path, ask);
    try {
      return { status: response.statusCode ?? 0, body: await bodyOf(response) };
    } catch (cause) {
      throw this.#unreachable(cause);
    }
  }

  /** The answer as JSON. Rejects with EXECUTOR_FAILED, or DISK_FULL, in the engine's words; `refused` gives another code for a status below 500. */
  async call(
    what: string,
    method: string,
    path: string,
    ask: EngineAsk & { readonly refused?: ErrorCode } = {},
  ): Promise<unknown> {
    const answer = await this.ask(method, path, ask);
    if (answer.status < 400) return readJson(answer.body);
    throw engineRefusal(what, answer, ask.refused);
  }

  /** Rejects with CONTAINER_IMAGE or DISK_FULL: the engine answers 200 at once and tells of what goes wrong in its stream. */
  async pull(image: string, signal: AbortSignal): Promise<void> {
    const path = `/images/create?fromImage=${encodeURIComponent(image)}`;
    const what = `image "${image}" can't be pulled`;
    const response = await this.#send('POST', path, { signal, silenceMs: PULL_SILENCE_MS });
    const { statusCode = 0 } = response;
    let said = '';
    try {
      // its progress, a line for each step
      for await (const line of createInterface({ input: response })) {
        if (statusCode >= 400) said += line;
        const error = textIn(readJson(line), 'error');
        if (error !== undefined) said = JSON.stringify({ message: error });
      }
    } catch (cause) {
      throw this.#unreachable(cause);
    }
    if (said !== '' || statusCode >= 400) throw engineRefusal(what, { status: 400, body: said }, 'CONTAINER_IMAGE');
  }

  /** Its input and output, for as long as the stream lasts; its input ends with it. */
  attach(id: string, stderr: (bytes: Buffer) => void): Promise<AttachedStream> {
    const path = `/containers/${id}/attach?stream=1&stdin=1&stdout=1&stderr=1`;
    return new Promise((resolve, reject) => {
      const asked = request({
        ...this.#options('POST', path, SILENCE_MS),
        headers: { connection: 'Upgrade', upgrade: 'tcp' },
      });
      asked.on('upgrade', (_response, socket, first) => {
        if (socket instanceof Socket) resolve(new AttachedStream(socket, first, stderr));
        else reject(this.#unreachable('it did not give its connection'));
      });
      asked.on('response', (response) => {
        void bodyOf(response).then(
          (body) =>
            reject(engineRefusal("its container can't be attached to", { status: response.statusCode ?? 0, body })),
          (error: unknown) => reject(this.#unreachable(error)),
        );
      });
      asked.on('timeout', () => asked.destroy(new Error(`it was silent for ${SILENCE_MS} ms`)));
      asked.on('error', (error) => reject(this.#unreachable(error)));
      asked.end();
    });
  }

  #send(method: string, path: string, ask: EngineAsk): Promise<IncomingMessage> {
    const { body, archive, signal, silenceMs = SILENCE_MS } = ask;
    const type = archive === undefined ? 'application/json' : 'application/x-tar';
    return new Promise((resolve, reject) => {
      const asked = request({
        ...this.#options(method, path, silenceMs),
        ...(signal === undefined ? {} : { signal }),
        headers: body === undefined && archive === undefined ? {} : { 'content-type': type },
      });
      const fail = (cause: unknown): void => reject(this.#unreachable(cause));
      asked.on('response', resolve);
      asked.on('timeout', () => asked.destroy(new Error(`it was silent for ${silenceMs} ms`)));
      asked.on('error', fail);
      if (archive === undefined) asked.end(body === undefined ? undefined : JSON.stringify(body));
      // an engine that refuses early answers before it has read all of it
      else pipeline(Readable.from(archive), asked).catch(fail);
    });
  }

  #options(method: string, path: string, timeout: number): RequestOptions {
    return { ...this.address.dial, method, path, timeout, agent: false };
  }

  #unreachable(cause: unknown): PolaronError {
    const why = cause instanceof Error ? cause.message : String(cause);
    return new PolaronError('EXECUTOR_FAILED', `the container engine at ${this.address.text} can't be used: ${why}`);
  }
}

async function bodyOf(response: IncomingMessage): Promise<string> {
  const parts: Buffer[] = [];
  for await (const part of response) parts.push(Buffer.from(part));
  return Buffer.concat(parts).toString('utf8');
}

const FULL = /no space left on device|disk quota exceeded/i;

/** What the engine said, as an error: `refused` when the request itself is to blame. */
export function engineRefusal(
  what: string,
  { status, body }: EngineAnswer,
  refused: ErrorCode = 'EXECUTOR_FAILED',
): PolaronError {
  const said = (textIn(readJson(body), 'message') ?? body).trim();
  const code = FULL.test(said) ? 'DISK_FULL' : status < 500 ? refused : 'EXECUTOR_FAILED';
  return new PolaronError(code, `${what}: the container engine says: ${said === '' ? `status ${status}` : said}`);
}

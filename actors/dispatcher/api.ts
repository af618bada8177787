/**
 * `polaron.api.USER.VERB` at the edge: decodes an envelope or JSON, answers in the same, turns failures into coded errors. Decides nothing.
 * The first byte tells which of the two came: our own clients send no header, since those are dear. One that sends a header gets it back.
 */
import type { Bus, BusMessage } from '../../bus/bus.ts';
import { decodeBody, decodeEnvelope, encodeEnvelope } from '../../bus/codec.ts';
import type { CountRequest } from '../../bus/micro-service.ts';
import { isPrivateReply } from '../../bus/reply.ts';
import type { ApiReply } from '../../bus/protocol/api.ts';
import { apiVerbs, type ApiVerb, type Subjects } from '../../bus/subjects.ts';
import { asPolaronError, PolaronError } from '../../model/errors.ts';
import { isToken } from '../../model/ids.ts';
import { throttledLog, type Log } from '../../model/log.ts';
import { requestByHand } from './by-hand.ts';

export interface ApiOptions {
  readonly bus: Bus;
  readonly subjects: Subjects;
  readonly by: string;
  readonly log: Log;
  readonly monotonic: () => number;
  readonly handle: (user: string, verb: ApiVerb, body: unknown) => Promise<unknown>;
  /** Absent: nobody counts. */
  readonly count?: CountRequest<ApiVerb>;
}

/** Requests that are being answered at once, and waits, which take long and cost little. More are told HUB_BUSY before they are read. */
export const MOST_REQUESTS = 10_000;
export const MOST_WAITS = 100_000;
/** Of hubs that share a bus, one answers. */
export const API_QUEUE = 'dispatchers';
const MSGPACK = 'application/msgpack';
/** An envelope is a MessagePack map of three to five fields; no JSON begins so. */
const isEnvelope = (data: Uint8Array): boolean => (data[0] ?? 0) >> 4 === 8;
const isVerb = (text: string | undefined): text is ApiVerb => apiVerbs.some((verb) => verb === text);

/** Begins to answer; returns what ends it. */
export function serveApi(o: ApiOptions): () => void {
  const warn = throttledLog(o.log, o.monotonic);
  let refused = 0;
  const [waits, requests] = [new Gauge(MOST_WAITS), new Gauge(MOST_REQUESTS)];
  const subscription = o.bus.subscribe(
    o.subjects.allApi,
    (message) => {
      const named = message.header('content-type') === MSGPACK;
      const binary = named || isEnvelope(message.data);
      const say = (reply: ApiReply<unknown>): void => respond(o, message, { binary, named }, reply);
      const verb = message.subject.slice(message.subject.lastIndexOf('.') + 1);
      const began = o.monotonic();
      const count = (error?: unknown): void => {
        if (isVerb(verb)) o.count?.(verb, o.monotonic() - began, error);
      };
      const gauge = message.subject.endsWith('.wait') ? waits : requests;
      gauge
        .count(() => answer(o, message, binary))
        .then(
          (body) => {
            count();
            say({ ok: true, body });
          },
          (error: unknown) => {
            count(error);
            const { code, message: text, help, details } = asPolaronError(error, 'BAD_REQUEST');
            if (code === 'BAD_MESSAGE' || code === 'WRONG_VERSION' || code === 'NOT_ALLOWED')
              warn(`api:${code}`, 'warn', `a request on ${message.subject} was refused: ${text}`, {
                code,
                refused: ++refused,
              });
            say({ ok: false, error: { code, message: text, help, details } });
          },
        );
    },
    { queue: API_QUEUE },
  );
  return () => subscription.unsubscribe();
}

class Gauge {
  readonly #most: number;
  #open = 0;

  constructor(most: number) {
    this.#most = most;
  }

  /** Raises HUB_BUSY. */
  async count<T>(work: () => Promise<T>): Promise<T> {
    if (this.#open >= this.#most)
      throw new PolaronError('HUB_BUSY', `the hub is answering ${this.#open} requests of this kind already`);
    this.#open++;
    try {
      return await work();
    } finally {
      this.#open--;
    }
  }
}

async function answer(o: ApiOptions, message: BusMessage, binary: boolean): Promise<unknown> {
  const [, , user, verb] = message.subject.split('.');
  if (!isToken(user)) throw new PolaronError('BAD_REQUEST', `${message.subject} names no user`);
  if (!isVerb(verb))
    throw new PolaronError(
      'BAD_REQUEST',
      `there is no verb ${JSON.stringify(verb)}; expected one of ${apiVerbs.join(', ')}`,
    );
  return o.handle(user, verb, binary ? unwrap(message, user) : requestByHand(verb, message.data));
}

function unwrap(message: BusMessage, user: string): unknown {
  const envelope = decodeEnvelope(message.data);
  if (envelope.by !== `u.${user}`)
    throw new PolaronError(
      'NOT_ALLOWED',
      `the message says it is from ${JSON.stringify(envelope.by.slice(0, 80))}, its subject from ${JSON.stringify(user)}`,
    );
  return decodeBody(envelope.body);
}

interface Form {
  readonly binary: boolean;
  /** The request named its form in a header. */
  readonly named: boolean;
}

/** Who asked hears also that an answer can't be sent: it would wait, and ask again in vain. */
function respond(o: ApiOptions, message: BusMessage, form: Form, reply: ApiReply<unknown>): void {
  const failure = sent(o, message, form, reply);
  if (failure === undefined) return;
  const { code, details } = failure;
  o.log('warn', `an answer on ${message.subject} could not be sent: ${failure.message}`, { code });
  const text = `the answer to ${message.subject.split('.')[3]} can't be sent: ${failure.message}`;
  const help =
    code === 'PAYLOAD_TOO_LARGE' ? 'Ask for less: a smaller `limit`, `brief`, or one electron.' : failure.help;
  sent(o, message, form, { ok: false, error: { code, message: text, help, details } });
}

/** Undefined, or why it was not. */
function sent(
  o: ApiOptions,
  message: BusMessage,
  { binary, named }: Form,
  reply: ApiReply<unknown>,
): PolaronError | undefined {
  try {
    if (binary) message.respond(encodeEnvelope(o.by, reply), named ? { 'content-type': MSGPACK } : undefined);
    else if (isPrivateReply(message.reply, o.subjects.prefix))
      message.respond(Buffer.from(JSON.stringify(inBase64(reply))));
    return undefined;
  } catch (error) {
    return asPolaronError(error, 'PAYLOAD_TOO_LARGE');
  }
}

/** Bytes as base64. Not by JSON.stringify's replacer: a Buffer has made an object of itself before that sees it. */
function inBase64(x: unknown): unknown {
  if (x instanceof Uint8Array) return Buffer.from(x.buffer, x.byteOffset, x.byteLength).toString('base64');
  if (Array.isArray(x)) return x.map(inBase64);
  if (typeof x !== 'object' || x === null) return x;
  return Object.fromEntries(Object.entries(x).map(([key, value]) => [key, inBase64(value)]));
}

/** A received message as the bus contract has it: everything is read on demand. */
import type { MsgHdrs } from '@nats-io/transport-node';
import { Match, MsgHdrsImpl } from '@nats-io/transport-node';
import { PolaronError } from '../../model/errors.ts';
import type { BusMessage, Headers } from '../bus.ts';
import type { Delivery } from './link.ts';

/** Sends an answer; what the bus's `publish` does. */
export type Respond = (subject: string, data: Uint8Array, headers: Headers | undefined) => void;

export class NatsMessage implements BusMessage {
  readonly reply?: string;
  readonly #message: Delivery;
  readonly #respond: Respond;
  #data: Uint8Array | undefined;

  constructor(message: Delivery, respond: Respond) {
    this.#message = message;
    this.#respond = respond;
    const { reply } = message;
    if (reply !== undefined && reply !== '') this.reply = reply;
  }

  get subject(): string {
    return this.#message.subject;
  }

  /** A plain Uint8Array: a Buffer's `slice` would share memory where a Uint8Array's copies. */
  get data(): Uint8Array {
    if (this.#data === undefined) {
      const { data } = this.#message;
      this.#data = Buffer.isBuffer(data) ? new Uint8Array(data.buffer, data.byteOffset, data.byteLength) : data;
    }
    return this.#data;
  }

  header(name: string): string | undefined {
    const { headers } = this.#message;
    if (headers === undefined) return undefined;
    const values = headers.values(name, Match.IgnoreCase);
    return values[0];
  }

  respond(data: Uint8Array, headers?: Headers): void {
    if (this.reply !== undefined) this.#respond(this.reply, data, headers);
  }
}

/** Is it a server's word that nobody listens on the subject asked? */
export function isNoResponders(message: Delivery): boolean {
  return message.data.length === 0 && message.headers?.code === 503;
}

/** Headers as nats.js takes them, and how many bytes they add to a payload. Raises BAD_MESSAGE for names or values that can't be written. */
export function encodeHeaders(headers: Headers): { readonly headers: MsgHdrs; readonly bytes: number } {
  const made = new MsgHdrsImpl();
  try {
    for (const [name, value] of Object.entries(headers)) made.set(name, value, Match.Exact);
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    throw new PolaronError('BAD_MESSAGE', `message headers can't be written: ${why}`, { cause: error });
  }
  return { headers: made, bytes: made.encode().length };
}

/**
 * Actor messages over the bus: one wildcard subscription per process, large messages in parts, and the mirror for `--trace-actors`.
 * A message for an actor of this node that isn't there is answered `actor.missing`, since silence would only mean that the node is gone.
 */
import type { Bus } from '../bus/bus.ts';
import { decodeBody, decodeEnvelope, encodeBody, encodeEnvelope } from '../bus/codec.ts';
import type { Subjects } from '../bus/subjects.ts';
import type { Log } from '../model/log.ts';
import type { ActorSystem, Address, Message, Remote } from './system.ts';

export interface RemoteOptions {
  readonly bus: Bus;
  readonly subjects: Subjects;
  readonly by: string;
  readonly log: Log;
}

interface Assembly {
  readonly parts: (Uint8Array | undefined)[];
  left: number;
}

const ADDRESS = /^[a-z0-9_-]+\.[a-z0-9_-]+\.[a-z0-9_-]+$/;
const isAddress = (text: unknown): text is Address => typeof text === 'string' && ADDRESS.test(text);
const isCount = (x: unknown): x is number => typeof x === 'number' && Number.isSafeInteger(x) && x >= 0;
const isMessage = (x: unknown): x is Message =>
  typeof x === 'object' && x !== null && 'type' in x && typeof x.type === 'string';

export class RemoteDelivery implements Remote {
  readonly #o: RemoteOptions;
  readonly #assemblies = new Map<string, Assembly>();
  #next = 0;

  constructor(options: RemoteOptions) {
    this.#o = options;
  }

  send(to: Address, message: Message, from: Address): void {
    const body = encodeBody({ from, message });
    const room = Math.max(64 * 1024, this.#o.bus.maxPayload - 2_048);
    const parts = Math.ceil(body.byteLength / room);
    const id = `${from}#${this.#next++}`;
    for (let part = 0; part < parts; part++) {
      const bytes = body.subarray(part * room, (part + 1) * room);
      this.#publish(to, parts === 1 ? { body } : { id, part, parts, body: bytes });
    }
  }

  /** Shows a local delivery on the receiver's subject to whoever looks on. */
  readonly mirror = (to: Address, message: Message, from: Address): void => {
    this.#publish(to, { mirror: true, from, message });
  };

  /** Hands what arrives for this node to the system; returns what ends it. */
  listen(system: ActorSystem): () => void {
    const subscription = this.#o.bus.subscribe(this.#o.subjects.actorsOf(system.node), (incoming) => {
      const to = incoming.subject.split('.').slice(2).join('.');
      const envelope = decodeEnvelope(incoming.data);
      const frame = decodeBody(envelope.body);
      if (typeof frame !== 'object' || frame === null || 'mirror' in frame || !isAddress(to)) return;
      const body = this.#assemble(frame);
      if (body === undefined) return;
      const inner = decodeBody(body);
      if (
        typeof inner !== 'object' ||
        inner === null ||
        !('from' in inner) ||
        !('message' in inner) ||
        !isAddress(inner.from) ||
        !isMessage(inner.message)
      )
        return;
      if (!system.has(to) && inner.message.type !== 'actor.missing')
        this.send(inner.from, { type: 'actor.missing' }, to);
      system.send(to, inner.message, inner.from);
    });
    return () => subscription.unsubscribe();
  }

  #publish(to: Address, frame: object): void {
    const subject = `${this.#o.subjects.prefix}.actor.${to}`;
    if (!this.#o.bus.publish(subject, encodeEnvelope(this.#o.by, frame)))
      this.#o.log('debug', 'actor message not sent: the bus is not connected', { to });
  }

  #assemble(frame: object): Uint8Array | undefined {
    if (!('body' in frame) || !(frame.body instanceof Uint8Array)) return undefined;
    if (!('id' in frame) || !('part' in frame) || !('parts' in frame)) return frame.body;
    const { id, part, parts } = frame;
    if (typeof id !== 'string' || !isCount(part) || !isCount(parts) || part >= parts || parts > 65_536)
      return undefined;
    let assembly = this.#assemblies.get(id);
    if (assembly === undefined) {
      assembly = { parts: Array.from({ length: parts }, () => undefined), left: parts };
      this.#assemblies.set(id, assembly);
      // Parts of a message that lost one would stay for ever: the oldest go.
      for (const oldest of this.#assemblies.keys()) if (this.#assemblies.size > 64) this.#assemblies.delete(oldest);
    }
    if (part < assembly.parts.length && assembly.parts[part] === undefined) {
      assembly.parts[part] = frame.body;
      assembly.left--;
    }
    if (assembly.left > 0) return undefined;
    this.#assemblies.delete(id);
    return Buffer.concat(assembly.parts.filter((bytes) => bytes !== undefined));
  }
}

/**
 * Takes a message from one member to all that want it: matching, queue groups, echo, denied subjects, "no responders", faults.
 * Not here: what a client may publish (client.ts checks before), writing bytes (outbox.ts).
 */
import { Buffer } from 'node:buffer';
import type { Clock } from '../../model/clock.ts';
import type { Member, MemberSubscription } from './member.ts';
import type { FaultHook } from './faults.ts';
import { Sublist } from './sublist.ts';

const NO_RESPONDERS = Buffer.from('NATS/1.0 503\r\n\r\n', 'latin1');

export interface RouterStats {
  inMessages: number;
  inBytes: number;
  outMessages: number;
  outBytes: number;
  /** Dropped by a fault or a partition. */
  dropped: number;
}

export interface RouterOptions {
  readonly clock: Clock;
  readonly faults: FaultHook | undefined;
  /** Is this client cut off silently? Its messages vanish. */
  isSilenced(client: Member): boolean;
}

export class Router {
  readonly sublist = new Sublist<MemberSubscription>();
  readonly stats: RouterStats = { inMessages: 0, inBytes: 0, outMessages: 0, outBytes: 0, dropped: 0 };
  /** Set while anyone is partitioned: otherwise nothing is asked per message. */
  partitions = false;
  readonly #options: RouterOptions;
  #random = 0x9e3779b9;

  constructor(options: RouterOptions) {
    this.#options = options;
  }

  publish(
    from: Member,
    subject: string,
    reply: string,
    headerBytes: number,
    buffer: Uint8Array,
    start: number,
    end: number,
  ): void {
    const { stats } = this;
    stats.inMessages++;
    stats.inBytes += end - start;
    if (this.partitions && this.#options.isSilenced(from)) {
      stats.dropped++;
      return;
    }
    const match = this.sublist.match(subject);
    let found = false;
    for (const subscription of match.plain) {
      if (this.#offer(subscription, from, subject, reply, headerBytes, buffer, start, end)) found = true;
    }
    for (const members of match.queues) {
      const first = members.length === 1 ? 0 : this.#pick(members.length);
      for (let i = 0; i < members.length; i++) {
        const member = members[(first + i) % members.length];
        if (member === undefined || !this.#offer(member, from, subject, reply, headerBytes, buffer, start, end))
          continue;
        found = true;
        break;
      }
    }
    if (!found && reply !== '' && from.noResponders) this.#noResponders(from, reply);
  }

  /** False when this subscription can't have the message, so that it doesn't count as a responder. */
  #offer(
    to: MemberSubscription,
    from: Member,
    subject: string,
    reply: string,
    headerBytes: number,
    buffer: Uint8Array,
    start: number,
    end: number,
  ): boolean {
    const client = to.member;
    if (to.closed || (client === from && !from.echo)) return false;
    if (to.partlyDenied && client.permissions?.mayReceive(subject) === false) return false;
    const { faults } = this.#options;
    if (client.congested) from.stall();
    if (faults === undefined && !this.partitions) {
      this.#deliver(to, subject, reply, headerBytes, buffer, start, end);
      return true;
    }
    if (this.partitions && this.#options.isSilenced(client)) {
      this.stats.dropped++;
      return true;
    }
    const fault =
      faults?.onDeliver({
        from: from.name === '' ? from.identity : from.name,
        to: client.name === '' ? client.identity : client.name,
        fromIdentity: from.identity,
        toIdentity: client.identity,
        subject,
        payloadBytes: end - start,
      }) ?? 'deliver';
    if (fault === 'drop') {
      this.stats.dropped++;
      return true;
    }
    if (typeof fault === 'object') {
      this.#options.clock.after(fault.delayMs, () => {
        if (this.partitions && this.#options.isSilenced(client)) this.stats.dropped++;
        else this.#deliver(to, subject, reply, headerBytes, buffer, start, end);
      });
      return true;
    }
    this.#deliver(to, subject, reply, headerBytes, buffer, start, end);
    if (fault === 'duplicate') this.#deliver(to, subject, reply, headerBytes, buffer, start, end);
    return true;
  }

  #deliver(
    to: MemberSubscription,
    subject: string,
    reply: string,
    headerBytes: number,
    buffer: Uint8Array,
    start: number,
    end: number,
  ): void {
    if (to.closed) return;
    to.delivered++;
    this.stats.outMessages++;
    this.stats.outBytes += end - start;
    if (reply !== '') to.member.permissions?.received(reply);
    to.member.deliver(to.sid, subject, reply, headerBytes, buffer, start, end);
    if (to.max > 0 && to.delivered >= to.max) to.member.drop(to);
  }

  /** Tells a requester that nobody listens, if it listens for the reply itself. */
  #noResponders(from: Member, reply: string): void {
    const { plain, queues } = this.sublist.match(reply);
    const to = [...plain, ...queues.flat()].find((subscription) => subscription.member === from);
    if (to !== undefined) this.#deliver(to, reply, '', NO_RESPONDERS.length, NO_RESPONDERS, 0, NO_RESPONDERS.length);
  }

  /** Which member of a queue group: xorshift32, evenly and without regard to what came before. */
  #pick(length: number): number {
    let x = this.#random;
    x ^= x << 13;
    x ^= x >>> 17;
    x ^= x << 5;
    this.#random = x >>> 0;
    return this.#random % length;
  }
}

/**
 * Who takes part in a broker's traffic, as the router sees it: a client over a socket (client.ts), or the process that the broker lives in (local-link.ts).
 */
import type { PermissionCheck } from './permission-check.ts';
import type { Entry } from './sublist.ts';

export interface MemberSubscription extends Entry {
  readonly member: Member;
  readonly sid: string;
  readonly partlyDenied: boolean;
  delivered: number;
  /** 0: no limit. */
  max: number;
  closed: boolean;
}

export interface Member {
  readonly name: string;
  readonly identity: string;
  /** Does it get what it publishes? */
  readonly echo: boolean;
  /** Is it told when nobody listens? */
  readonly noResponders: boolean;
  /** Undefined: it may do everything. */
  readonly permissions: PermissionCheck | undefined;
  /** So much waits for it that those who send to it are slowed down. */
  readonly congested: boolean;
  /** A message for one of its subscriptions; its headers are the first `headerBytes` of it, -1: none. `buffer` may be kept but not changed. */
  deliver(
    sid: string,
    subject: string,
    reply: string,
    headerBytes: number,
    buffer: Uint8Array,
    start: number,
    end: number,
  ): void;
  /** Takes a subscription away from it and from the broker. */
  drop(subscription: MemberSubscription): void;
  /** It sends too fast for somebody. */
  stall(): void;
}

/** What members tell the broker. */
export interface Traffic {
  published(
    from: Member,
    subject: string,
    reply: string,
    headerBytes: number,
    buffer: Uint8Array,
    start: number,
    end: number,
  ): void;
  subscribed(subscription: MemberSubscription): void;
  unsubscribed(subscription: MemberSubscription): void;
  /** Might anybody get a message on a subject that begins with `prefix` and a dot? */
  reaches(prefix: string): boolean;
}

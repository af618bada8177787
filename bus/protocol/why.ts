/** Why electrons don't run yet, or ran though they need not have: what `why` asks and is answered, with the readers. Decides nothing. */
import { electronStatuses, type ElectronStatus } from '../../model/lifecycle.ts';
import {
  aText,
  array,
  field,
  int,
  misfit,
  number,
  object,
  oneOf,
  optional,
  parser,
  text,
  type Reader,
} from './shape.ts';
import { whyReuse, type WhyReuse } from './why-reuse.ts';

/** What an electron waits for, or why it was taken over or not. */
export type Why =
  | WhyReuse
  /** Another node that has not ended. */
  | { readonly kind: 'parent'; readonly node: number; readonly name: string; readonly status: ElectronStatus }
  /** A map of which no more items may be begun at once. */
  | { readonly kind: 'map'; readonly node: number; readonly name: string; readonly limit: number }
  /** No agent that is there offers all of it; of the nearest, what it lacks. `most`: of the amounts that none offers, the largest that one does; where none offers its like, and of labels, what one offers under the name, as NAME=VALUE: `as` says which it is. */
  | {
      readonly kind: 'capability';
      readonly needs: readonly string[];
      readonly nearest?: { readonly agent: string; readonly lacks: readonly string[] };
      readonly most?: readonly OfferedInstead[];
    }
  /**
   * All agents that offer it are full; `ahead`: other dispatches of its priority or a higher one that want the same. `taken`: there are free slots, and of the agent
   * that has most left, how much of these amounts is in use.
   */
  | {
      readonly kind: 'slot';
      readonly needs: readonly string[];
      readonly agents: number;
      readonly slots: number;
      readonly ahead: number;
      readonly taken?: readonly AmountInUse[];
    }
  /** Others hold its concurrency key: how many of how many, and the first of them as DISPATCH_NODE. */
  | {
      readonly kind: 'key';
      readonly key: string;
      readonly limit: number;
      readonly held: number;
      readonly holders: readonly string[];
    }
  /** It is exclusive, and an older attempt of it may still run. */
  | { readonly kind: 'attempt' }
  /** The hub has restarted, and waits for its agents to tell what they have. */
  | { readonly kind: 'restart' }
  /** The pause before its next attempt; `attempt`: the one that failed. */
  | { readonly kind: 'back-off'; readonly until: number; readonly attempt: number; readonly code: string }
  /** Its dispatch has not begun, since so many others wait for the same. */
  | { readonly kind: 'room'; readonly ahead: number }
  /** An agent has it, and has not begun. */
  | { readonly kind: 'agent'; readonly agent: string };

export interface OfferedInstead {
  readonly need: string;
  /** As the agent offers it; the largest amount without its name. */
  readonly offers: string;
  readonly agent: string;
  /** Absent in answers of earlier hubs. */
  readonly as?: (typeof offerKinds)[number];
}
/** The largest amount of the unit that is asked for; or something else under its name. */
const offerKinds = ['largest', 'instead'] as const;

/** `used` and `has` as an agent would offer it: `48GiB`. */
export interface AmountInUse {
  readonly need: string;
  readonly agent: string;
  readonly used: string;
  readonly has: string;
}

/** Electrons of one dispatch that wait for the same: how many, and the first of them. */
export interface WhyGroup {
  readonly why: Why;
  readonly electrons: number;
  readonly first: readonly { readonly node: number; readonly name: string }[];
}

export interface WhyRequest {
  readonly id: string;
  /** Node id or name; absent: all. */
  readonly electron?: number | string;
}
export interface WhyReply {
  readonly reasons: readonly WhyGroup[];
  /** Reasons that did not fit into the answer. */
  readonly more?: number;
}

/** How many of a group are named. */
export const NAMED = 5;

export const parseWhy: Reader<WhyRequest> = parser(
  'why',
  object((o) => ({
    id: text(o, 'id'),
    ...optional(o, 'electron', (from, key) => (typeof from[key] === 'number' ? int(from, key) : text(from, key, 300))),
  })),
);

const why: Reader<Why> = object((o): Why => {
  switch (o['kind']) {
    case 'parent':
      return {
        kind: 'parent',
        node: int(o, 'node'),
        name: text(o, 'name', 300),
        status: oneOf(o, 'status', electronStatuses),
      };
    case 'map':
      return { kind: 'map', node: int(o, 'node'), name: text(o, 'name', 300), limit: int(o, 'limit') };
    case 'capability':
      return {
        kind: 'capability',
        needs: array(o, 'needs', 1_000, aText()),
        ...optional(o, 'nearest', (from, key) => field(from, key, nearest)),
        ...optional(o, 'most', (from, key) => array(from, key, 1_000, most)),
      };
    case 'slot':
      return {
        kind: 'slot',
        needs: array(o, 'needs', 1_000, aText()),
        agents: int(o, 'agents'),
        slots: int(o, 'slots'),
        ahead: int(o, 'ahead'),
        ...optional(o, 'taken', (from, key) => array(from, key, 1_000, inUse)),
      };
    case 'key':
      return {
        kind: 'key',
        key: text(o, 'key', 300),
        limit: int(o, 'limit'),
        held: int(o, 'held'),
        holders: array(o, 'holders', NAMED, aText(300)),
      };
    case 'attempt':
      return { kind: 'attempt' };
    case 'restart':
      return { kind: 'restart' };
    case 'back-off':
      return { kind: 'back-off', until: number(o, 'until'), attempt: int(o, 'attempt'), code: text(o, 'code') };
    case 'room':
      return { kind: 'room', ahead: int(o, 'ahead') };
    case 'agent':
      return { kind: 'agent', agent: text(o, 'agent') };
    default: {
      const reuse = whyReuse(o);
      if (reuse === undefined) throw misfit('a reason that this version knows', o['kind'], 'kind');
      return reuse;
    }
  }
});
const nearest = object((o) => ({ agent: text(o, 'agent'), lacks: array(o, 'lacks', 1_000, aText()) }));
const most: Reader<OfferedInstead> = object((o) => ({
  need: text(o, 'need'),
  offers: text(o, 'offers'),
  agent: text(o, 'agent'),
  ...optional(o, 'as', (from, key) => oneOf(from, key, offerKinds)),
}));
const inUse: Reader<AmountInUse> = object((o) => ({
  need: text(o, 'need'),
  agent: text(o, 'agent'),
  used: text(o, 'used'),
  has: text(o, 'has'),
}));
const named = object((o) => ({ node: int(o, 'node'), name: text(o, 'name', 300) }));

export const parseWhyReply: Reader<WhyReply> = parser(
  'why reply',
  object((o) => ({
    reasons: array(
      o,
      'reasons',
      10_000,
      object((group) => ({
        why: field(group, 'why', why),
        electrons: int(group, 'electrons'),
        first: array(group, 'first', NAMED, named),
      })),
    ),
    ...optional(o, 'more', int),
  })),
);

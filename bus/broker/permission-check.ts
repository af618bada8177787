/** Decides whether a client may publish to or subscribe to a subject. Rules come compiled from permissions.ts; the semantics are nats-server's. */
import type { Permissions, SubjectRules } from '../permissions.ts';
import type { Matcher } from './subject.ts';
import { makeMatcher, patternsOverlap } from './subject.ts';

const MAX_REPLIES = 65_536;

interface Answer {
  left: number;
  readonly expiresAt: number;
}

export class PermissionCheck {
  readonly #publish: (subject: string) => boolean;
  readonly #subscribe: (subject: string) => boolean;
  readonly #queues: readonly string[] | undefined;
  readonly #denied: readonly string[];
  readonly #deniedMatchers: readonly Matcher[];
  readonly #answers: { readonly max: number; readonly expiresMs: number } | undefined;
  readonly #replies = new Map<string, Answer>();
  readonly #monotonic: () => number;

  constructor(permissions: Permissions, monotonic: () => number) {
    this.#publish = compile(permissions.publish);
    this.#subscribe = compile(permissions.subscribe);
    this.#queues = permissions.queues;
    this.#denied = permissions.subscribe.deny ?? [];
    this.#deniedMatchers = this.#denied.map(makeMatcher);
    this.#answers = permissions.allowResponses;
    this.#monotonic = monotonic;
  }

  /** Counts a use of `allowResponses` when nothing else allows it. */
  mayPublish(subject: string): boolean {
    if (this.#publish(subject)) return true;
    const answer = this.#replies.get(subject);
    if (answer === undefined) return false;
    answer.left--;
    const inTime = answer.expiresAt > this.#monotonic();
    if (answer.left <= 0 || !inTime) this.#replies.delete(subject);
    return inTime;
  }

  /** `queue`: '' for none. */
  maySubscribe(pattern: string, queue: string): boolean {
    return (queue === '' || this.#queues?.includes(queue) !== false) && this.#subscribe(pattern);
  }

  /** Messages of this subscription need a look at each delivery: a part of what it matches is denied. */
  isPartlyDenied(pattern: string): boolean {
    return this.#denied.some((denied) => patternsOverlap(denied, pattern));
  }

  mayReceive(subject: string): boolean {
    return !this.#deniedMatchers.some((matches) => matches(subject));
  }

  /** The client got a message that asks for an answer. */
  received(reply: string): void {
    const answers = this.#answers;
    if (answers === undefined) return;
    if (this.#replies.size >= MAX_REPLIES) this.#prune();
    this.#replies.set(reply, { left: answers.max, expiresAt: this.#monotonic() + answers.expiresMs });
  }

  /** Forgets what expired, and at least one half: the oldest come first in a Map. */
  #prune(): void {
    const now = this.#monotonic();
    let toDrop = MAX_REPLIES / 2;
    for (const [reply, answer] of this.#replies) {
      if (toDrop <= 0 && answer.expiresAt > now) break;
      this.#replies.delete(reply);
      toDrop--;
    }
  }
}

function compile(rules: SubjectRules): (subject: string) => boolean {
  const allow = rules.allow?.map(makeMatcher);
  const deny = rules.deny?.map(makeMatcher) ?? [];
  const any = (matchers: readonly Matcher[], subject: string): boolean => {
    for (const matches of matchers) if (matches(subject)) return true;
    return false;
  };
  return (subject) => (allow === undefined || any(allow, subject)) && (deny.length === 0 || !any(deny, subject));
}

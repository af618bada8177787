/**
 * Who has subscribed to what: a tree of subject tokens, with a cache of results for the subjects that are used again and again.
 * Not here: choosing a member of a queue group, delivering (router.ts).
 *
 * S1. A returned Match is never changed afterwards; a change of subscriptions makes new ones.
 */
import { hasWildcard } from './subject.ts';

export interface Entry {
  readonly subject: string;
  /** Empty: none. */
  readonly queue: string;
}

export interface Match<E> {
  readonly plain: readonly E[];
  /** One array of members per queue name, over all patterns that match. */
  readonly queues: readonly (readonly E[])[];
}

interface Node<E> {
  readonly children: Map<string, Node<E>>;
  readonly plain: Set<E>;
  readonly queues: Map<string, Set<E>>;
}

const CACHE_ENTRIES = 8_192;
/** Reply subjects are used once: they would only push others out of the cache. */
const REPLY = '_INBOX.';

const makeNode = <E>(): Node<E> => ({ children: new Map(), plain: new Set(), queues: new Map() });

export class Sublist<E extends Entry> {
  readonly #root: Node<E> = makeNode();
  readonly #cache = new Map<string, Match<E>>();
  /** Answers of `reaches`, for a few prefixes. */
  readonly #reached = new Map<string, boolean>();
  #size = 0;

  /** Number of subscriptions. */
  get size(): number {
    return this.#size;
  }

  add(entry: E): void {
    let node = this.#root;
    for (const token of entry.subject.split('.')) {
      let child = node.children.get(token);
      if (child === undefined) {
        child = makeNode();
        node.children.set(token, child);
      }
      node = child;
    }
    if (entry.queue === '') {
      node.plain.add(entry);
    } else {
      const members = node.queues.get(entry.queue);
      if (members === undefined) node.queues.set(entry.queue, new Set([entry]));
      else members.add(entry);
    }
    this.#size++;
    this.#forget(entry.subject);
  }

  remove(entry: E): void {
    const tokens = entry.subject.split('.');
    const path: Node<E>[] = [this.#root];
    for (const token of tokens) {
      const child = path[path.length - 1]?.children.get(token);
      if (child === undefined) return;
      path.push(child);
    }
    const last = path[path.length - 1];
    if (last === undefined || !this.#drop(last, entry)) return;
    this.#size--;
    for (let i = tokens.length; i > 0; i--) {
      const node = path[i];
      if (node === undefined || node.children.size > 0 || node.plain.size > 0 || node.queues.size > 0) break;
      path[i - 1]?.children.delete(tokens[i - 1] ?? '');
    }
    this.#forget(entry.subject);
  }

  #drop(node: Node<E>, entry: E): boolean {
    if (entry.queue === '') return node.plain.delete(entry);
    const members = node.queues.get(entry.queue);
    if (members?.delete(entry) !== true) return false;
    if (members.size === 0) node.queues.delete(entry.queue);
    return true;
  }

  #forget(subject: string): void {
    this.#reached.clear();
    if (hasWildcard(subject)) this.#cache.clear();
    else this.#cache.delete(subject);
  }

  /** All subscriptions for a message to `subject`. */
  match(subject: string): Match<E> {
    const known = this.#cache.get(subject);
    if (known !== undefined) return known;
    const plain: E[] = [];
    const groups = new Map<string, E[]>();
    this.#collect(this.#root, subject, 0, plain, groups);
    const result: Match<E> = { plain, queues: groups.size === 0 ? [] : [...groups.values()] };
    if (!subject.startsWith(REPLY)) {
      if (this.#cache.size >= CACHE_ENTRIES) this.#cache.clear();
      this.#cache.set(subject, result);
    }
    return result;
  }

  /** Is there a subscription that may match a subject which begins with `prefix` and a dot? */
  reaches(prefix: string): boolean {
    const known = this.#reached.get(prefix);
    if (known !== undefined) return known;
    let nodes = [this.#root];
    let found = false;
    for (const token of prefix.split('.')) {
      found ||= nodes.some(({ children }) => children.has('>'));
      nodes = nodes.flatMap(({ children }) =>
        [children.get(token), children.get('*')].filter((node) => node !== undefined),
      );
    }
    found ||= nodes.some(({ children }) => children.size > 0);
    this.#reached.set(prefix, found);
    return found;
  }

  #collect(node: Node<E>, subject: string, at: number, plain: E[], groups: Map<string, E[]>): void {
    const rest = node.children.get('>');
    if (rest !== undefined) gather(rest, plain, groups);
    const dot = subject.indexOf('.', at);
    const token = dot < 0 ? subject.slice(at) : subject.slice(at, dot);
    const any = node.children.get('*');
    // A token `*` or `>` in a message's subject is no pattern: it matches wildcards only.
    const same = token === '*' || token === '>' ? undefined : node.children.get(token);
    if (dot < 0) {
      if (any !== undefined) gather(any, plain, groups);
      if (same !== undefined) gather(same, plain, groups);
    } else {
      if (any !== undefined) this.#collect(any, subject, dot + 1, plain, groups);
      if (same !== undefined) this.#collect(same, subject, dot + 1, plain, groups);
    }
  }
}

function gather<E>(node: Node<E>, plain: E[], groups: Map<string, E[]>): void {
  for (const entry of node.plain) plain.push(entry);
  for (const [queue, members] of node.queues) {
    const group = groups.get(queue);
    if (group === undefined) groups.set(queue, [...members]);
    else group.push(...members);
  }
}

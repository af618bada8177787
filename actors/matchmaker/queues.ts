/**
 * Ready electrons waiting for an agent, by requirement class. Classes of one priority take turns; whose turn it is in a class says turns.ts. Pure.
 * Costs O(1) per electron whatever waits, withdrawn ones included: those are taken out together, before anything is added to their dispatch, taken or told.
 */
import type { Requirement } from '../../bus/protocol/actors.ts';
import type { DispatchId } from '../../model/ids.ts';
import { priorityOf, Turns, type Lane, type Waiter } from './turns.ts';

interface ClassQueue {
  readonly requirement: Requirement;
  readonly turns: Turns;
  readonly byDispatch: Map<DispatchId, Lane>;
  waiting: number;
  /** Grows with each turn of any class. */
  servedAt: number;
}

/** How many nodes of one dispatch are taken before the next has its turn. */
const TURN = 64;

export class ReadyQueues {
  readonly #classes = new Map<string, ClassQueue>();
  #waiting = 0;
  #served = 0;
  /** Still in their lanes. */
  readonly #withdrawn = new Map<DispatchId, Set<number>>();
  /** By class and priority: dispatches that wait. */
  readonly #ahead = new Map<string, Map<number, number>>();

  /** Perhaps only what was withdrawn since. */
  get any(): boolean {
    return this.#waiting > 0;
  }

  get waiting(): number {
    this.#sweep();
    return this.#waiting;
  }

  /** Classes in which something waits. */
  *classes(): Iterable<{ readonly requirement: Requirement; readonly waiting: number }> {
    this.#sweep();
    for (const queue of this.#classes.values()) if (queue.waiting > 0) yield queue;
  }

  /** The class whose turn it is, but for those that nobody can serve now. */
  next(stuck: ReadonlySet<string>): { readonly requirement: Requirement; readonly waiting: number } | undefined {
    this.#sweep();
    let best: ClassQueue | undefined;
    let highest = 0;
    for (const queue of this.#classes.values()) {
      const front = stuck.has(queue.requirement.key) ? undefined : queue.turns.front;
      if (front === undefined) continue;
      const priority = priorityOf(front);
      const before =
        best === undefined || priority > highest || (priority === highest && queue.servedAt < best.servedAt);
      if (before) [best, highest] = [queue, priority];
    }
    return best;
  }

  /** How many of a dispatch wait in each class. */
  waitingOf(dispatch: DispatchId): readonly { readonly requirement: Requirement; readonly waiting: number }[] {
    this.#sweep();
    return [...this.#classes.values()].flatMap(({ requirement, byDispatch }) => {
      const lane = byDispatch.get(dispatch);
      return lane === undefined ? [] : [{ requirement, waiting: lane.nodes.length - lane.head }];
    });
  }

  /** Dispatches of this priority or a higher one that wait in a class. */
  ahead(key: string, priority: number): number {
    this.#sweep();
    let count = 0;
    for (const [of, dispatches] of this.#ahead.get(key) ?? []) if (of >= priority) count += dispatches;
    return count;
  }

  add(waiter: Waiter, nodes: readonly number[], requirement: Requirement): void {
    const { dispatch } = waiter;
    if (this.#withdrawn.has(dispatch)) this.#sweep();
    let queue = this.#classes.get(requirement.key);
    if (queue === undefined) {
      queue = { requirement, turns: new Turns(), byDispatch: new Map(), waiting: 0, servedAt: this.#served };
      this.#classes.set(requirement.key, queue);
    }
    let lane = queue.byDispatch.get(dispatch);
    if (lane === undefined) {
      lane = queue.turns.enter(waiter);
      queue.byDispatch.set(dispatch, lane);
      this.#count(requirement.key, waiter.priority, 1);
    }
    for (const node of nodes) lane.nodes.push(node);
    queue.waiting += nodes.length;
    this.#waiting += nodes.length;
  }

  /** Takes up to `max` nodes of one dispatch, whose turn it is. */
  take(key: string, max: number): { readonly dispatch: DispatchId; readonly nodes: readonly number[] } | undefined {
    this.#sweep();
    const queue = this.#classes.get(key);
    const lane = queue?.turns.front;
    if (queue === undefined || lane === undefined) return undefined;
    const count = Math.min(max, TURN, lane.nodes.length - lane.head);
    const nodes = lane.nodes.slice(lane.head, lane.head + count);
    lane.head += count;
    queue.waiting -= count;
    this.#waiting -= count;
    queue.servedAt = ++this.#served;
    queue.turns.pass(lane);
    if (lane.head === lane.nodes.length) this.#leave(queue, lane);
    else if (lane.head > 4_096) {
      lane.nodes = lane.nodes.slice(lane.head);
      lane.head = 0;
    }
    return { dispatch: lane.dispatch, nodes };
  }

  /** Forgets a dispatch's nodes, or some of them. */
  withdraw(dispatch: DispatchId, nodes?: ReadonlySet<number>): void {
    if (nodes === undefined) {
      this.#withdrawn.delete(dispatch);
      this.#remove(dispatch, undefined);
      return;
    }
    const known = this.#withdrawn.get(dispatch);
    if (known === undefined) this.#withdrawn.set(dispatch, new Set(nodes));
    else for (const node of nodes) known.add(node);
  }

  #sweep(): void {
    if (this.#withdrawn.size === 0) return;
    for (const [dispatch, nodes] of this.#withdrawn) this.#remove(dispatch, nodes);
    this.#withdrawn.clear();
  }

  #remove(dispatch: DispatchId, nodes: ReadonlySet<number> | undefined): void {
    for (const queue of this.#classes.values()) {
      const lane = queue.byDispatch.get(dispatch);
      if (lane === undefined) continue;
      const before = lane.nodes.length - lane.head;
      lane.nodes = nodes === undefined ? [] : lane.nodes.slice(lane.head).filter((node) => !nodes.has(node));
      lane.head = 0;
      const gone = before - lane.nodes.length;
      queue.waiting -= gone;
      this.#waiting -= gone;
      if (lane.nodes.length === 0) this.#leave(queue, lane);
    }
  }

  #leave(queue: ClassQueue, lane: Lane): void {
    const { key } = queue.requirement;
    queue.turns.leave(lane);
    queue.byDispatch.delete(lane.dispatch);
    this.#count(key, priorityOf(lane), -1);
    if (queue.waiting === 0) this.#classes.delete(key);
  }

  #count(key: string, priority: number, by: 1 | -1): void {
    let counts = this.#ahead.get(key);
    if (counts === undefined) this.#ahead.set(key, (counts = new Map()));
    const count = (counts.get(priority) ?? 0) + by;
    if (count > 0) counts.set(priority, count);
    else if (counts.delete(priority) && counts.size === 0) this.#ahead.delete(key);
  }
}

/**
 * Ready electrons waiting for an agent, by requirement class; within one, higher priority first, then dispatches in turn. Pure.
 * Costs O(1) per electron whatever waits, withdrawn ones included: those are taken out together, before anything is added to their dispatch, taken or told.
 */
import type { Requirement } from '../../bus/protocol/actors.ts';
import type { DispatchId } from '../../model/ids.ts';

interface Lane {
  readonly dispatch: DispatchId;
  readonly priority: number;
  nodes: number[];
  head: number;
}

interface ClassQueue {
  readonly requirement: Requirement;
  /** Highest priority first; lanes of one priority take turns. */
  lanes: Lane[];
  readonly byDispatch: Map<DispatchId, Lane>;
  waiting: number;
}

/** How many nodes of one dispatch are taken before the next has its turn. */
const TURN = 64;

export class ReadyQueues {
  readonly #classes = new Map<string, ClassQueue>();
  #waiting = 0;
  /** Still in their lanes. */
  readonly #withdrawn = new Map<DispatchId, Set<number>>();

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
    const lanes = this.#classes.get(key)?.lanes ?? [];
    let [low, high] = [0, lanes.length];
    while (low < high) {
      const middle = (low + high) >> 1;
      if ((lanes[middle]?.priority ?? 0) >= priority) low = middle + 1;
      else high = middle;
    }
    return low;
  }

  add(dispatch: DispatchId, nodes: readonly number[], requirement: Requirement, priority: number): void {
    if (this.#withdrawn.has(dispatch)) this.#sweep();
    let queue = this.#classes.get(requirement.key);
    if (queue === undefined) {
      queue = { requirement, lanes: [], byDispatch: new Map(), waiting: 0 };
      this.#classes.set(requirement.key, queue);
    }
    let lane = queue.byDispatch.get(dispatch);
    if (lane === undefined) {
      lane = { dispatch, priority, nodes: [], head: 0 };
      queue.byDispatch.set(dispatch, lane);
      insert(queue.lanes, lane);
    }
    for (const node of nodes) lane.nodes.push(node);
    queue.waiting += nodes.length;
    this.#waiting += nodes.length;
  }

  /** Takes up to `max` nodes of one dispatch, whose turn it is. */
  take(key: string, max: number): { readonly dispatch: DispatchId; readonly nodes: readonly number[] } | undefined {
    this.#sweep();
    const queue = this.#classes.get(key);
    const lane = queue?.lanes[0];
    if (queue === undefined || lane === undefined) return undefined;
    const count = Math.min(max, TURN, lane.nodes.length - lane.head);
    const nodes = lane.nodes.slice(lane.head, lane.head + count);
    lane.head += count;
    queue.waiting -= count;
    this.#waiting -= count;
    queue.lanes.shift();
    if (lane.head === lane.nodes.length) {
      queue.byDispatch.delete(lane.dispatch);
      if (queue.waiting === 0) this.#classes.delete(key);
    } else {
      if (lane.head > 4_096) {
        lane.nodes = lane.nodes.slice(lane.head);
        lane.head = 0;
      }
      insert(queue.lanes, lane);
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
    for (const [key, queue] of this.#classes) {
      const lane = queue.byDispatch.get(dispatch);
      if (lane === undefined) continue;
      const before = lane.nodes.length - lane.head;
      lane.nodes = nodes === undefined ? [] : lane.nodes.slice(lane.head).filter((node) => !nodes.has(node));
      lane.head = 0;
      const gone = before - lane.nodes.length;
      queue.waiting -= gone;
      this.#waiting -= gone;
      if (lane.nodes.length > 0) continue;
      queue.byDispatch.delete(dispatch);
      queue.lanes = queue.lanes.filter((other) => other !== lane);
      if (queue.waiting === 0) this.#classes.delete(key);
    }
  }
}

/** Behind all lanes of the same or a higher priority. Nearly always at the end. */
function insert(lanes: Lane[], lane: Lane): void {
  let at = lanes.length;
  while (at > 0 && (lanes[at - 1]?.priority ?? 0) < lane.priority) at--;
  if (at === lanes.length) lanes.push(lane);
  else lanes.splice(at, 0, lane);
}

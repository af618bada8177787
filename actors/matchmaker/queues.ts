/**
 * Ready electrons waiting for an agent, by requirement class. Classes of one priority take turns; whose turn it is in a class says turns.ts. Pure.
 * Costs O(1) per electron whatever waits, withdrawn ones included: those are taken out together, before anything is added to their dispatch, taken or told.
 * What needs a key that has no room stands aside (parked.ts), so that it holds up nobody behind it.
 */
import type { Materials, Requirement } from '../../bus/protocol/actors.ts';
import { taskIdOf, type DispatchId } from '../../model/ids.ts';
import type { ValueInfo } from '../../model/outcome.ts';
import { needOf, ownHold } from '../requirement.ts';
import { Keys } from './keys.ts';
import { Parked } from './parked.ts';
import type { ClassRoom } from './pool.ts';
import { Pools } from './pools.ts';
import { priorityOf, Turns, type Lane, type Waiter } from './turns.ts';

interface ClassQueue {
  readonly requirement: Requirement;
  /** Who can serve it. */
  readonly room: ClassRoom;
  readonly turns: Turns;
  /** Of what takes no keys. */
  readonly plain: Map<DispatchId, Lane>;
  /** Of the others, by what they ask for. */
  readonly limited: Map<DispatchId, Map<string, Lane>>;
  waiting: number;
  /** Grows with each turn of any class. */
  servedAt: number;
}

export interface Taken {
  readonly dispatch: DispatchId;
  readonly nodes: readonly number[];
  /** The keys that each of them takes. */
  readonly limited: Requirement['limited'];
  readonly bundle: ValueInfo | undefined;
  /** Large inputs of those that have any; undefined: none has. */
  readonly large: ReadonlyMap<number, readonly ValueInfo[]> | undefined;
}

export interface Waiting {
  /** Of its class. */
  readonly requirement: Requirement;
  readonly limited: Requirement['limited'];
  readonly priority: number;
  readonly nodes: readonly number[];
}

/** How many nodes of one dispatch are taken before the next has its turn. */
const TURN = 64;
/** Classes that are kept though nothing waits in them: the next electron asks for the same. */
const MOST_IDLE = 512;
/** Where those wait that have no key of their own, while the keys are closed. */
const CLOSED = '';

export class ReadyQueues {
  readonly #classes = new Map<string, ClassQueue>();
  readonly #keys: Keys;
  readonly #pools: Pools;
  readonly #parked = new Parked();
  #waiting = 0;
  #served = 0;
  /** Still in their lanes. */
  readonly #withdrawn = new Map<DispatchId, Set<number>>();
  /** By need and priority: dispatches that wait. */
  readonly #ahead = new Map<string, Map<number, number>>();

  constructor(keys = new Keys(() => undefined), pools = new Pools()) {
    this.#keys = keys;
    this.#pools = pools;
  }

  /** Perhaps only what was withdrawn since. */
  get any(): boolean {
    return this.#waiting > 0;
  }

  get waiting(): number {
    this.#sweep();
    return this.#waiting;
  }

  /** Classes in which something waits. */
  *classes(): Iterable<Pick<ClassQueue, 'requirement' | 'room' | 'waiting'>> {
    this.#sweep();
    for (const queue of this.#classes.values()) if (queue.waiting > 0) yield queue;
  }

  /** The class whose turn it is, of those that can be served now. */
  next(served: (room: ClassRoom) => boolean): Pick<ClassQueue, 'requirement' | 'room' | 'waiting'> | undefined {
    this.#sweep();
    let best: ClassQueue | undefined;
    let highest = 0;
    for (const queue of this.#classes.values()) {
      // Nearly all are told by this: the first was served longer ago than the rest.
      if (best !== undefined && queue.servedAt >= best.servedAt && queue.turns.atMost <= highest) continue;
      const front = served(queue.room) ? queue.turns.front : undefined;
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
    return [...this.#classes.values()].flatMap((queue) => {
      let waiting = 0;
      for (const lane of lanesOf(queue, dispatch)) waiting += lane.nodes.length - lane.head;
      return waiting === 0 ? [] : [{ requirement: queue.requirement, waiting }];
    });
  }

  /** What of a dispatch waits, by what it asks for. */
  *lanesOf(dispatch: DispatchId): Iterable<Waiting> {
    this.#sweep();
    for (const queue of this.#classes.values())
      for (const lane of lanesOf(queue, dispatch)) {
        const { limited, nodes, head } = lane;
        yield { requirement: queue.requirement, limited, priority: priorityOf(lane), nodes: nodes.slice(head) };
      }
  }

  /** Dispatches of this priority or a higher one that wait for the same. */
  ahead(need: string, priority: number): number {
    this.#sweep();
    let count = 0;
    for (const [of, dispatches] of this.#ahead.get(need) ?? []) if (of >= priority) count += dispatches;
    return count;
  }

  add(waiter: Waiter, nodes: readonly number[], requirement: Requirement, { bundle, large }: Materials = {}): void {
    const { dispatch } = waiter;
    if (this.#withdrawn.has(dispatch)) this.#sweep();
    let queue = this.#classes.get(requirement.key);
    if (queue === undefined) {
      queue = {
        requirement,
        room: this.#pools.enter(requirement),
        turns: new Turns(),
        plain: new Map(),
        limited: new Map(),
        waiting: 0,
        servedAt: this.#served,
      };
      this.#classes.set(requirement.key, queue);
    }
    const lane = this.#laneOf(queue, waiter, needOf(requirement), requirement.limited);
    for (const node of nodes) lane.nodes.push(node);
    lane.bundle = bundle;
    if (large !== undefined) {
      lane.large ??= new Map();
      for (const [node, values] of large) lane.large.set(node, values);
    }
    queue.waiting += nodes.length;
    this.#waiting += nodes.length;
  }

  /** Takes up to `max` nodes of one dispatch, whose turn it is. Their keys are to be taken before anything else is. */
  take(key: string, max: number): Taken | undefined {
    this.#sweep();
    const queue = this.#classes.get(key);
    if (queue === undefined) return undefined;
    for (let lane = queue.turns.front; lane !== undefined; lane = queue.turns.front) {
      const taken = this.#turn(queue, lane, max);
      if (taken !== undefined) return taken;
    }
    return undefined;
  }

  /** Undefined: it stands aside now, or what it gave does. */
  #turn(queue: ClassQueue, lane: Lane, max: number): Taken | undefined {
    const { dispatch, limited } = lane;
    let most = Math.min(max, TURN, lane.nodes.length - lane.head);
    if (limited !== undefined) {
      const { key } = limited;
      most = Math.min(most, key === undefined ? (this.#keys.closed ? 0 : most) : this.#keys.room(key));
      if (most === 0) {
        this.#parked.park(key?.key ?? CLOSED, key?.limit ?? 1, queue.turns, lane);
        return undefined;
      }
    }
    let nodes = lane.nodes.slice(lane.head, lane.head + most);
    lane.head += most;
    queue.waiting -= most;
    this.#waiting -= most;
    queue.servedAt = ++this.#served;
    queue.turns.pass(lane);
    if (limited?.exclusive === true) nodes = nodes.filter((node) => !this.#setAside(queue, lane, node));
    const large = takeLarge(lane, nodes);
    if (lane.head === lane.nodes.length) this.#leave(queue, lane);
    else if (lane.head > 4_096) {
      lane.nodes = lane.nodes.slice(lane.head);
      lane.head = 0;
    }
    if (limited?.key !== undefined) this.freed(limited.key.key);
    return nodes.length === 0 ? undefined : { dispatch, nodes, limited, bundle: lane.bundle, large };
  }

  /** A key was given back, or the first who waited for it has come to the turns and left. */
  freed(key: string): void {
    this.#parked.next(key, (limit) => this.#keys.room({ key, limit }) > 0);
  }

  /** The keys are open: all have their turn again. */
  opened(): void {
    this.#parked.wakeAll();
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

  /** True: an older attempt of this exclusive electron may still run. It waits alone. */
  #setAside(queue: ClassQueue, lane: Lane, node: number): boolean {
    const own = ownHold(taskIdOf(lane.dispatch, node));
    if (this.#keys.room(own) > 0) return false;
    const { dispatch, share, need } = lane;
    const waiter = { dispatch, priority: priorityOf(lane), user: share.user.name, root: share.root };
    const alone = this.#laneOf(queue, waiter, `${need} ${node}`, lane.limited);
    alone.nodes.push(node);
    alone.bundle = lane.bundle;
    alone.large = takeLarge(lane, [node]);
    queue.waiting++;
    this.#waiting++;
    this.#parked.park(own.key, own.limit, queue.turns, alone);
    return true;
  }

  #laneOf(queue: ClassQueue, waiter: Waiter, need: string, limited: Requirement['limited']): Lane {
    const { dispatch } = waiter;
    const known = limited === undefined ? queue.plain.get(dispatch) : queue.limited.get(dispatch)?.get(need);
    if (known !== undefined) return known;
    const lane = queue.turns.enter(waiter, need, limited);
    this.#count(need, waiter.priority, 1);
    if (limited === undefined) queue.plain.set(dispatch, lane);
    else {
      const lanes = queue.limited.get(dispatch) ?? new Map<string, Lane>();
      queue.limited.set(dispatch, lanes.set(need, lane));
    }
    return lane;
  }

  #sweep(): void {
    if (this.#withdrawn.size === 0) return;
    for (const [dispatch, nodes] of this.#withdrawn) this.#remove(dispatch, nodes);
    this.#withdrawn.clear();
  }

  #remove(dispatch: DispatchId, nodes: ReadonlySet<number> | undefined): void {
    for (const queue of this.#classes.values()) {
      for (const lane of lanesOf(queue, dispatch)) {
        const before = lane.nodes.length - lane.head;
        if (nodes !== undefined) takeLarge(lane, nodes);
        lane.nodes = nodes === undefined ? [] : lane.nodes.slice(lane.head).filter((node) => !nodes.has(node));
        lane.head = 0;
        const gone = before - lane.nodes.length;
        queue.waiting -= gone;
        this.#waiting -= gone;
        if (lane.nodes.length > 0) continue;
        this.#leave(queue, lane);
        // It may have been the one that was woken for its key.
        if (lane.limited?.key !== undefined) this.freed(lane.limited.key.key);
      }
    }
  }

  #leave(queue: ClassQueue, lane: Lane): void {
    const { dispatch, need, limited } = lane;
    queue.turns.leave(lane);
    if (limited === undefined) queue.plain.delete(dispatch);
    else {
      const lanes = queue.limited.get(dispatch);
      if (lanes?.delete(need) === true && lanes.size === 0) queue.limited.delete(dispatch);
    }
    this.#count(need, priorityOf(lane), -1);
    if (queue.waiting > 0 || this.#classes.size <= MOST_IDLE) return;
    this.#classes.delete(queue.requirement.key);
    this.#pools.leave(queue.room);
  }

  #count(need: string, priority: number, by: 1 | -1): void {
    let counts = this.#ahead.get(need);
    if (counts === undefined) this.#ahead.set(need, (counts = new Map()));
    const count = (counts.get(priority) ?? 0) + by;
    if (count > 0) counts.set(priority, count);
    else if (counts.delete(priority) && counts.size === 0) this.#ahead.delete(need);
  }
}

/** Those of these nodes, which the lane forgets. */
function takeLarge({ large }: Lane, nodes: Iterable<number>): Map<number, readonly ValueInfo[]> | undefined {
  if (large === undefined || large.size === 0) return undefined;
  const taken = new Map<number, readonly ValueInfo[]>();
  for (const node of nodes) {
    const values = large.get(node);
    if (values !== undefined && large.delete(node)) taken.set(node, values);
  }
  return taken.size === 0 ? undefined : taken;
}

function lanesOf({ plain, limited }: ClassQueue, dispatch: DispatchId): readonly Lane[] {
  const lane = plain.get(dispatch);
  return [...(lane === undefined ? [] : [lane]), ...(limited.get(dispatch)?.values() ?? [])];
}

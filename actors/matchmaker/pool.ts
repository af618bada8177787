/** Agents that can serve the same classes now, by their credit. Pure. Not here: which agents those are (pools.ts). */
import type { AgentState } from './agent-state.ts';
import type { Asks } from './asks.ts';
import { Ring, type Seated } from './ring.ts';

/** Of what: free slots, or those and places in agents' queues. */
export type RoomKind = 'free' | 'total';
export const roomKinds: readonly RoomKind[] = ['free', 'total'];

/** A class of electrons, as the agents that can serve it are found. */
export interface ClassRoom {
  readonly key: string;
  readonly asks: Asks;
  /** It takes no amounts. */
  readonly plain: boolean;
  /** It may wait on an agent. What takes amounts gets free slots only: in a queue it would hold back what nobody uses; and so does what isn't a process: it has no queue there. */
  readonly queues: boolean;
  /** Of all that there have been. */
  readonly id: number;
  /** Agents that offer what it asks for, full ones included. */
  able: number;
  /** In which there are, or were, agents that can serve it now. */
  readonly pools: Set<Pool>;
  /** How many of them have somebody with room. */
  readonly open: { free: number; total: number };
}

/** Where an agent sits among those of its credit. */
export interface Seat extends Seated<Seat> {
  readonly agent: AgentState;
  credit: number;
}

/** More credit than this counts as so much: who has most is nothing to tell apart then. */
const MOST = 1_024;

class Credits {
  readonly #rings: (Ring<Seat> | undefined)[] = [];
  top = 0;

  get front(): Seat | undefined {
    return this.#rings[this.top]?.front;
  }

  add(seat: Seat, credit: number): void {
    seat.credit = Math.min(credit, MOST);
    if (seat.credit === 0) return;
    let ring = this.#rings[seat.credit];
    if (ring === undefined) this.#rings[seat.credit] = ring = new Ring();
    ring.add(seat);
    if (seat.credit > this.top) this.top = seat.credit;
  }

  remove(seat: Seat): void {
    if (seat.credit === 0) return;
    this.#rings[seat.credit]?.remove(seat);
    seat.credit = 0;
    while (this.top > 0 && this.#rings[this.top]?.front === undefined) this.top--;
  }
}

export class Pool {
  /** Names the classes. */
  name: string;
  readonly #classes: Set<ClassRoom>;
  /** The same, in the order of their coming. */
  classes: readonly ClassRoom[];
  readonly #credits: Readonly<Record<RoomKind, Credits>> = { free: new Credits(), total: new Credits() };
  /** Of all, full ones included. */
  readonly members = new Set<AgentState>();

  readonly #open: Record<RoomKind, number>;

  /** `open`: counts the pools that have somebody with room. */
  constructor(name: string, classes: readonly ClassRoom[], open: Record<RoomKind, number>) {
    this.name = name;
    this.#open = open;
    this.classes = classes;
    this.#classes = new Set(classes);
    for (const one of this.classes) one.pools.add(this);
  }

  top(kind: RoomKind): number {
    return this.#credits[kind].top;
  }

  /** One of those that have most. */
  front(kind: RoomKind): AgentState | undefined {
    return this.#credits[kind].front?.agent;
  }

  seat(kind: RoomKind, seat: Seat, credit: number): void {
    const credits = this.#credits[kind];
    const before = credits.top;
    if (seat.credit === Math.min(credit, MOST)) return;
    credits.remove(seat);
    credits.add(seat, credit);
    this.#opened(kind, before, credits.top);
  }

  serves(one: ClassRoom): boolean {
    return this.#classes.has(one);
  }

  /** A class that came after all of its own. */
  serve(one: ClassRoom): void {
    this.classes = [...this.classes, one];
    this.#classes.add(one);
    one.pools.add(this);
    this.#count(one, 1);
  }

  unserve(one: ClassRoom): void {
    if (!this.#classes.delete(one)) return;
    this.classes = this.classes.filter((other) => other !== one);
    one.pools.delete(this);
    this.#count(one, -1);
  }

  #count(one: ClassRoom, by: 1 | -1): void {
    if (this.top('free') > 0) one.open.free += by;
    if (this.top('total') > 0 && one.queues) one.open.total += by;
  }

  #opened(kind: RoomKind, before: number, after: number): void {
    if (before > 0 === after > 0) return;
    const by = after > 0 ? 1 : -1;
    this.#open[kind] += by;
    if (kind === 'free') for (const one of this.classes) one.open.free += by;
    else for (const one of this.classes) if (one.queues) one.open.total += by;
  }
}

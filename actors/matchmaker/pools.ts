/**
 * Finds an agent for a class of electrons without a look at all of them. Agents that can serve the same classes now are one pool, in which they lie by their credit. Pure.
 * Not here: which class has its turn (queues.ts), what an agent has (agent-state.ts).
 *
 * P1. What an agent does or loses marks it, and no more; it is looked at again before the next match. So a sync costs the same with ten agents and with ten thousand.
 * P2. A match costs O(pools of its class), and as much as there are classes; a new class costs O(agents), once.
 * P3. Time passes unmarked: who has fallen silent is found out when it would be chosen.
 */
import { DEFAULT_EXECUTOR } from '../../model/executor-choice.ts';
import type { Requirement } from '../../bus/protocol/actors.ts';
import type { AgentState } from './agent-state.ts';
import { asksOf } from './asks.ts';
import { Pool, roomKinds, type ClassRoom, type RoomKind, type Seat } from './pool.ts';

interface Place {
  readonly agent: AgentState;
  pool: Pool | undefined;
  readonly seats: Readonly<Record<RoomKind, Seat>>;
  /** Classes that take amounts, of which it offers enough. */
  taking: ClassRoom[];
  /** Versions of what it offers and of what is taken of it, by which it has its pool. */
  offers: number;
  amounts: number;
  marked: boolean;
}

const MOST_EMPTY = 256;
const NONE: ReadonlySet<Pool> = new Set();

export class Pools {
  readonly #classes = new Map<string, ClassRoom>();
  readonly #places = new Map<AgentState, Place>();
  readonly #pools = new Map<string, Pool>();
  /** Some of those without members: an agent whose amounts are taken and given back comes and goes between the same few. */
  readonly #empty = new Set<Pool>();
  #marked: Place[] = [];
  #ids = 0;
  /** Pools that have somebody with room. */
  readonly open: Record<RoomKind, number> = { free: 0, total: 0 };

  add(agent: AgentState): void {
    const seat = (): Seat => ({ agent, credit: 0, before: undefined, behind: undefined });
    const seats = { free: seat(), total: seat() };
    const place: Place = { agent, pool: undefined, seats, taking: [], offers: -1, amounts: -1, marked: false };
    this.#places.set(agent, place);
    agent.onChange = () => this.#mark(place);
    this.#mark(place);
  }

  /** It is gone, and what it offered with it. */
  remove(agent: AgentState): void {
    const place = this.#places.get(agent);
    if (place === undefined) return;
    this.#unseat(place);
    agent.onChange = () => undefined;
    this.#places.delete(agent);
  }

  /** A class that something waits in. */
  enter({ key, capabilities }: Requirement): ClassRoom {
    const known = this.#classes.get(key);
    if (known !== undefined) return known;
    const asks = asksOf({ capabilities });
    const plain = asks.takes === undefined;
    const queues = plain && capabilities.includes(DEFAULT_EXECUTOR);
    const open = { free: 0, total: 0 };
    const one: ClassRoom = { key, asks, plain, queues, id: ++this.#ids, able: 0, pools: new Set(), open };
    this.#classes.set(key, one);
    for (const pool of [...this.#pools.values()]) this.#divide(pool, one);
    return one;
  }

  /** Nothing waits in it, and it is forgotten. */
  leave(one: ClassRoom): void {
    this.#classes.delete(one.key);
    for (const pool of [...one.pools]) {
      pool.unserve(one);
      this.#rename(pool);
    }
    if (one.plain) return;
    for (const place of this.#places.values())
      if (place.taking.includes(one)) place.taking = place.taking.filter((other) => other !== one);
  }

  /** What has changed since counts from now on. `at`: monotonic, ms. */
  settle(at: number): void {
    if (this.#marked.length === 0) return;
    const marked = this.#marked;
    this.#marked = [];
    for (const place of marked) {
      place.marked = false;
      this.#refresh(place, at);
    }
  }

  /** Who has most room for this class, and how much. */
  best(
    one: ClassRoom,
    kind: RoomKind,
    at: number,
    but = NONE,
  ): { readonly agent: AgentState; readonly room: number } | undefined {
    for (;;) {
      this.settle(at);
      let most = 0;
      let agent: AgentState | undefined;
      for (const pool of one.pools)
        if (pool.top(kind) > most && !but.has(pool)) [most, agent] = [pool.top(kind), pool.front(kind)];
      if (agent === undefined) return undefined;
      const room = this.roomOf(agent, one, kind, at);
      if (room > 0) return { agent, room };
      // P3: it isn't what it was when it was looked at.
      const place = this.#places.get(agent);
      if (place === undefined) return undefined;
      this.#refresh(place, at);
      if (place.seats[kind].credit > 0 && place.pool?.serves(one) === true) return undefined;
    }
  }

  /** How many electrons of this class it takes now; 0 if it can't serve it, or is in one of the pools `but`. */
  roomOf(agent: AgentState, one: ClassRoom, kind: RoomKind, at: number, but = NONE): number {
    const pool = this.#places.get(agent)?.pool;
    if (pool?.serves(one) !== true || but.has(pool)) return 0;
    const credit = agent.credit(at)[kind];
    const { takes } = one.asks;
    return takes === undefined || credit === 0 ? credit : agent.amounts.room(takes, credit);
  }

  #mark(place: Place): void {
    if (place.marked) return;
    place.marked = true;
    this.#marked.push(place);
  }

  #refresh(place: Place, at: number): void {
    const { agent } = place;
    if (agent.last === undefined) return this.#unseat(place);
    if (place.offers !== agent.offersVersion) this.#sort(place);
    else if (place.amounts !== agent.amounts.version) this.#weigh(place);
    const credit = agent.credit(at);
    for (const kind of roomKinds) place.pool?.seat(kind, place.seats[kind], credit[kind]);
  }

  /** What it offers is new. */
  #sort(place: Place): void {
    this.#unseat(place);
    const { agent } = place;
    place.offers = agent.offersVersion;
    place.amounts = agent.amounts.version;
    const able = [...this.#classes.values()].filter((one) => agent.offers(one.asks.needs, one.key));
    for (const one of able) one.able++;
    place.taking = able.filter(({ plain }) => !plain);
    const served = able.filter((one) => fits(agent, one));
    this.#sit(place, nameOf(served), () => served);
  }

  /** More or less of its amounts is taken. */
  #weigh(place: Place): void {
    const { agent, pool, taking } = place;
    place.amounts = agent.amounts.version;
    if (pool === undefined) return;
    let same = true;
    let served = '';
    for (const one of taking) {
      const fit = fits(agent, one);
      if (fit) served += `,${one.id}`;
      if (fit !== pool.serves(one)) same = false;
    }
    if (same) return;
    this.#rise(place, pool);
    const name = `${pool.name.slice(0, pool.name.indexOf(TAKING))}${TAKING}${served}`;
    this.#sit(place, name, () => [
      ...pool.classes.filter((one) => one.plain),
      ...taking.filter((one) => fits(agent, one)),
    ]);
  }

  #unseat(place: Place): void {
    const { pool } = place;
    if (pool === undefined) return;
    for (const one of pool.classes) if (one.plain) one.able--;
    for (const one of place.taking) one.able--;
    place.taking = [];
    place.offers = -1;
    this.#rise(place, pool);
  }

  #rise(place: Place, pool: Pool): void {
    for (const kind of roomKinds) pool.seat(kind, place.seats[kind], 0);
    pool.members.delete(place.agent);
    place.pool = undefined;
    if (pool.members.size > 0) return;
    this.#empty.add(pool);
    for (const oldest of this.#empty) {
      if (this.#empty.size <= MOST_EMPTY) return;
      if (this.#pools.get(oldest.name) === oldest) this.#pools.delete(oldest.name);
      this.#close(oldest);
    }
  }

  /** `classes`: what it is named after, in the order of their coming. */
  #sit(place: Place, name: string, classes: () => readonly ClassRoom[]): void {
    let pool = this.#pools.get(name);
    if (pool === undefined) this.#pools.set(name, (pool = new Pool(name, classes(), this.open)));
    pool.members.add(place.agent);
    this.#empty.delete(pool);
    place.pool = pool;
  }

  #close(pool: Pool): void {
    this.#empty.delete(pool);
    for (const one of pool.classes) pool.unserve(one);
  }

  /** Those of its members that can serve the new class are a pool of their own. */
  #divide(pool: Pool, one: ClassRoom): void {
    const serving: Place[] = [];
    for (const agent of pool.members) {
      const place = agent.offers(one.asks.needs, one.key) ? this.#places.get(agent) : undefined;
      if (place === undefined) continue;
      one.able++;
      if (!one.plain) place.taking.push(one);
      if (fits(agent, one)) serving.push(place);
    }
    if (serving.length === 0) return;
    if (serving.length === pool.members.size) {
      pool.serve(one);
      return this.#rename(pool);
    }
    const classes = [...pool.classes, one];
    const name = nameOf(classes);
    for (const place of serving) this.#change(place, pool, () => this.#sit(place, name, () => classes));
  }

  /** Its classes are others: it is one with the pool that has the same. */
  #rename(pool: Pool): void {
    this.#pools.delete(pool.name);
    pool.name = nameOf(pool.classes);
    const same = this.#pools.get(pool.name);
    if (same === undefined) {
      this.#pools.set(pool.name, pool);
      return;
    }
    const { name, classes } = pool;
    for (const agent of [...pool.members]) {
      const place = this.#places.get(agent);
      if (place !== undefined) this.#change(place, pool, () => this.#sit(place, name, () => classes));
    }
    this.#close(pool);
  }

  /** To another pool, with the credit that it has. */
  #change(place: Place, from: Pool, sit: () => void): void {
    const { free, total } = place.seats;
    const credit = { free: free.credit, total: total.credit };
    this.#rise(place, from);
    sit();
    for (const kind of roomKinds) place.pool?.seat(kind, place.seats[kind], credit[kind]);
  }
}

const fits = (agent: AgentState, { asks: { takes } }: ClassRoom): boolean =>
  takes === undefined || agent.amounts.room(takes, 1) > 0;

/** Between the classes that take nothing and those that do. */
const TAKING = '/';
function nameOf(classes: readonly ClassRoom[]): string {
  const ids = (plain: boolean): string => classes.map((one) => (one.plain === plain ? `,${one.id}` : '')).join('');
  return `${ids(true)}${TAKING}${ids(false)}`;
}

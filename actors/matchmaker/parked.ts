/**
 * Lanes that wait for a key: of one kind of agent and one limit the highest priority first, then in the order of their coming. When the key is given back the first of
 * each comes to the turns again, since nobody knows which kind of agent has room next. So an electron costs O(1), however many wait for its key. Pure.
 */
import { priorityOf, type Lane, type Turns } from './turns.ts';

interface Line {
  readonly turns: Turns;
  readonly limit: number;
  lanes: Lane[];
  head: number;
}

export class Parked {
  readonly #lines = new Map<string, Line[]>();

  park(key: string, limit: number, turns: Turns, lane: Lane): void {
    turns.rest(lane);
    let lines = this.#lines.get(key);
    if (lines === undefined) this.#lines.set(key, (lines = []));
    let line = lines.find((one) => one.turns === turns && one.limit === limit);
    if (line === undefined) lines.push((line = { turns, limit, lanes: [], head: 0 }));
    insert(line, lane);
  }

  /** The key may have room for this limit again. */
  next(key: string, hasRoom: (limit: number) => boolean): void {
    const lines = this.#lines.get(key);
    if (lines === undefined) return;
    for (const line of lines) if (hasRoom(line.limit)) wake(line);
    const left = lines.filter(({ lanes, head }) => head < lanes.length);
    if (left.length === 0) this.#lines.delete(key);
    else if (left.length < lines.length) this.#lines.set(key, left);
  }

  /** All come to the turns again. */
  wakeAll(): void {
    for (const lines of this.#lines.values()) for (const line of lines) while (wake(line));
    this.#lines.clear();
  }
}

const isEmpty = ({ nodes, head }: Lane): boolean => head === nodes.length;

/** False: none is left. */
function wake(line: Line): boolean {
  for (let lane = line.lanes[line.head]; lane !== undefined; lane = line.lanes[line.head]) {
    line.head++;
    if (line.head > 1_024 && line.head * 2 > line.lanes.length) {
      line.lanes = line.lanes.slice(line.head);
      line.head = 0;
    }
    if (isEmpty(lane)) continue; // withdrawn meanwhile
    line.turns.rejoin(lane);
    return true;
  }
  return false;
}

/** Behind all of the same or a higher priority. Nearly always at the end. */
function insert({ lanes, head }: Line, lane: Lane): void {
  const priority = priorityOf(lane);
  let at = lanes.length;
  for (let last = lanes[at - 1]; at > head && last !== undefined && priorityOf(last) < priority; last = lanes[at - 1])
    at--;
  lanes.splice(at, 0, lane);
}

/**
 * Whose turn it is among the lanes of one kind of agent: the highest priority first; in it users take turns, of a user's dispatches each one after the other,
 * and of one dispatch its lanes. Dispatches of one root count as one. Every step is O(1), but for a search among the priorities. Pure.
 * Not here: how many nodes a turn gives (queues.ts).
 */
import type { Requirement } from '../../bus/protocol/actors.ts';
import type { DispatchId } from '../../model/ids.ts';
import type { ValueInfo } from '../../model/outcome.ts';
import { Ring, type Seated } from './ring.ts';

/** Nodes of one dispatch that ask for the same, in their order. Those before `head` are given out. */
export interface Lane extends Seated<Lane> {
  readonly dispatch: DispatchId;
  readonly share: Share;
  readonly need: string;
  readonly limited: Requirement['limited'];
  nodes: number[];
  head: number;
  /** The code that they need. */
  bundle: ValueInfo | undefined;
  /** Large inputs of those that have any. */
  large: Map<number, readonly ValueInfo[]> | undefined;
}

interface Share extends Seated<Share> {
  readonly root: DispatchId;
  readonly user: User;
  /** Those that can be served. */
  readonly lanes: Ring<Lane>;
  /** Resting ones included. */
  count: number;
}

interface User extends Seated<User> {
  readonly name: string;
  readonly rank: Rank;
  readonly shares: Ring<Share>;
  readonly byRoot: Map<DispatchId, Share>;
}

interface Rank {
  readonly priority: number;
  readonly users: Ring<User>;
  readonly byName: Map<string, User>;
}

/** Who waits: `root` is the outermost dispatch. */
export interface Waiter {
  readonly dispatch: DispatchId;
  readonly priority: number;
  readonly user: string;
  readonly root: DispatchId;
}

export class Turns {
  /** Highest priority first. */
  readonly #ranks: Rank[] = [];

  /** A new lane, last in turn of its own. */
  enter({ dispatch, priority, user, root }: Waiter, need: string, limited: Requirement['limited']): Lane {
    const share = shareOf(userOf(this.#rankOf(priority), user), root);
    share.count++;
    const seat = { before: undefined, behind: undefined };
    const lane: Lane = {
      dispatch,
      share,
      need,
      limited,
      nodes: [],
      head: 0,
      bundle: undefined,
      large: undefined,
      ...seat,
    };
    this.rejoin(lane);
    return lane;
  }

  /** No lane has a higher priority than this. */
  get atMost(): number {
    return this.#ranks[0]?.priority ?? Number.NEGATIVE_INFINITY;
  }

  /** Whose turn it is. */
  get front(): Lane | undefined {
    for (const { users } of this.#ranks) {
      const lane = users.front?.shares.front?.lanes.front;
      if (lane !== undefined) return lane;
    }
    return undefined;
  }

  /** The one in front has had its turn. */
  pass({ share }: Lane): void {
    share.lanes.turn();
    share.user.shares.turn();
    share.user.rank.users.turn();
  }

  /** It can't be served for now. */
  rest(lane: Lane): void {
    const { share } = lane;
    const { user } = share;
    if (share.lanes.remove(lane) && user.shares.remove(share)) user.rank.users.remove(user);
  }

  rejoin(lane: Lane): void {
    const { share } = lane;
    share.lanes.add(lane);
    share.user.shares.add(share);
    share.user.rank.users.add(share.user);
  }

  /** It is gone for good. */
  leave(lane: Lane): void {
    this.rest(lane);
    const { share } = lane;
    if (--share.count > 0) return;
    const { user } = share;
    user.byRoot.delete(share.root);
    if (user.byRoot.size > 0) return;
    user.rank.byName.delete(user.name);
    if (user.rank.byName.size === 0) this.#ranks.splice(this.#ranks.indexOf(user.rank), 1);
  }

  #rankOf(priority: number): Rank {
    let [low, high] = [0, this.#ranks.length];
    while (low < high) {
      const middle = (low + high) >> 1;
      if ((this.#ranks[middle]?.priority ?? 0) > priority) low = middle + 1;
      else high = middle;
    }
    const known = this.#ranks[low];
    if (known?.priority === priority) return known;
    const rank: Rank = { priority, users: new Ring(), byName: new Map() };
    this.#ranks.splice(low, 0, rank);
    return rank;
  }
}

export const priorityOf = ({ share }: Lane): number => share.user.rank.priority;

function userOf(rank: Rank, name: string): User {
  let user = rank.byName.get(name);
  if (user === undefined) {
    user = { name, rank, shares: new Ring(), byRoot: new Map(), before: undefined, behind: undefined };
    rank.byName.set(name, user);
  }
  return user;
}

function shareOf(user: User, root: DispatchId): Share {
  let share = user.byRoot.get(root);
  if (share === undefined) {
    share = { root, user, lanes: new Ring(), count: 0, before: undefined, behind: undefined };
    user.byRoot.set(root, share);
  }
  return share;
}

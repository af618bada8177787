/**
 * One scope of a trace, the lattice or a map's body: its nodes, and what a Ref means when it is used in it.
 * Not here: making nodes (trace.ts).
 */
import { PolaronError } from '../model/errors.ts';
import type { ElectronNode, Input, LatticeNode, MapNode } from '../model/graph.ts';
import { errorSite } from './call-site.ts';
import type { RefMeta } from './refs.ts';

/** An electron's node whose value may yet turn out to be mapped over. */
export type DraftElectron = { -readonly [K in keyof ElectronNode]: ElectronNode[K] };
export type DraftNode = DraftElectron | MapNode | LatticeNode;

const NONE: readonly number[] = [];

export class Scope {
  readonly parent: Scope | undefined;
  readonly nodes: DraftNode[] = [];
  /** Nodes that a new node must wait for: those of every `after` under way in this scope. */
  waiting: readonly number[] = NONE;
  /** Nodes of the enclosing scope that the map itself must wait for, because `after` named them inside the body. */
  mapWaits: Set<number> | undefined;

  /** This scope and those around it, innermost first. */
  readonly #chain: readonly Scope[];

  constructor(parent?: Scope) {
    this.parent = parent;
    this.#chain = parent === undefined ? [this] : [this, ...parent.#chain];
  }

  /** How many scopes further out `scope` is; undefined when it doesn't enclose this one. */
  distanceTo(scope: object): number | undefined {
    if (scope === this) return 0;
    const up = this.#chain.findIndex((enclosing) => enclosing === scope);
    return up < 0 ? undefined : up;
  }

  /** `scope`, if it is this one or encloses it. */
  enclosing(scope: object): Scope | undefined {
    return this.#chain.find((enclosing) => enclosing === scope);
  }

  /** What `ref`'s origin is, seen from here. Raises FOREIGN_REF. */
  inputOf(ref: RefMeta): Input {
    const up = this.distanceTo(ref.scope);
    if (up === undefined) throw foreign(ref);
    if (ref.origin === 'item') return { item: up };
    if (ref.origin === 'index') return { index: up };
    return up === 0 ? ref.origin : { up, node: ref.origin };
  }
}

/** The error for a Ref that means nothing where it is used. */
export function foreign(ref: RefMeta): PolaronError {
  return new PolaronError(
    'FOREIGN_REF',
    `Ref<${ref.label}> was used where its value can't be known (${errorSite().at}): it belongs to another lattice or to another .map callback. Pass the value as an argument, or return it from the callback.`,
    { details: { ref: ref.label } },
  );
}

/** Up to here a search through the list is quicker than a map. */
const FEW = 8;
const keyOf = (input: Input): string | number => (typeof input === 'number' ? input : JSON.stringify(input));

/** The inputs of one node: each origin once, in the order of first use. */
export class Inputs {
  readonly list: Input[] = [];
  /** A Ref that means nothing in the node's scope, if one was met. */
  foreign: RefMeta | undefined;
  #positions: Map<string | number, number> | undefined;

  /** The position of `input`, added if it is new. */
  add(input: Input): number {
    const { length } = this.list;
    if (typeof input === 'number' && length < FEW && this.#positions === undefined) {
      const at = this.list.indexOf(input);
      return at < 0 ? this.list.push(input) - 1 : at;
    }
    const key = keyOf(input);
    this.#positions ??= new Map(this.list.map((known, i) => [keyOf(known), i]));
    const known = this.#positions.get(key);
    if (known !== undefined) return known;
    this.#positions.set(key, this.list.length);
    return this.list.push(input) - 1;
  }
}

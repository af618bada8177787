/** `graphOf`: the transport graph of a lattice, with questions and assertions for tests of any framework. Traces only; nothing runs. Not here: drawing (sdk/draw.ts). */
import { AssertionError } from 'node:assert';
import { PolaronError } from '../model/errors.ts';
import { DRAWING } from '../model/graph.ts';
import { nearest } from '../sdk/near-match.ts';
import type { Graph, GraphNode, Lattice } from '../sdk/types.ts';

/** A node of a graph. */
export interface TestNode {
  /** Of the electron; of a map `map NAME`. */
  readonly name: string;
  /** The name where there is one node of it, else `NAME#1`, `NAME#2` in the order of the lattice's calls. */
  readonly label: string;
  /** What it is. */
  readonly kind: GraphNode['kind'];
  /** Resolved: `executor`, `needs`, `retries`, `timeouts` with their defaults, or of a map `concurrency`, `onItemError`. */
  readonly options: unknown;
  /** With a `{ $ref, path }` for each Ref, as in `lattice.graph()`. */
  readonly args: unknown;
  /** Labels of the nodes whose value it takes, or that it runs after. Of an item of a map: those of the array, too. */
  readonly parents: readonly string[];
}

/** The graph of a lattice. Where a name is asked for, a label does as well; a name stands for all nodes of it. All raise USAGE for one that isn't there, with near matches. */
export interface TestGraph {
  /** All, or those of a name, in the order of the lattice's calls; those of a map's body follow it. */
  nodes(name?: string): readonly TestNode[];
  /** The only one. Raises AssertionError when there are several. */
  node(name: string): TestNode;
  /** Labels, each once. */
  parentsOf(name: string): readonly string[];
  /** Labels of those that take its value, or run after it. */
  childrenOf(name: string): readonly string[];
  /** Every `earlier` has ended before any `later` begins. Raises AssertionError. */
  assertBefore(earlier: string, later: string): void;
  /** Neither waits for the other. Raises AssertionError. */
  assertBeside(one: string, other: string): void;
  /** How many nodes each name has: all names, no others. Raises AssertionError. */
  assertCounts(expected: Readonly<Record<string, number>>): void;
  /** A line for each node, `label <- parents`; what a map runs for each item is indented below it. Raises AssertionError when it isn't this; indentation as a whole doesn't count. */
  assertText(expected: string): void;
  /** The text that `assertText` compares. */
  toString(): string;
}

/** The graph that `lattice` draws for these arguments. Raises what tracing raises. */
export const graphOf = <A extends readonly unknown[], R>(lattice: Lattice<A, R>, ...args: A): TestGraph =>
  new Drawn(lattice.latticeName, lattice.graph(...args));

interface Placed extends TestNode {
  readonly depth: number;
  /** As `parents`; the item of a map as `item`. */
  readonly shown: readonly string[];
  /** Places of what must have ended before it begins. */
  readonly waits: readonly number[];
}

/** A scope while it is read: what each of its nodes stands for. */
interface Scope {
  readonly outer: Scope | undefined;
  readonly places: readonly (readonly Target[])[];
}

interface Reference {
  readonly $ref: number | 'item' | 'index';
  readonly up?: number;
}

class Drawn implements TestGraph {
  readonly #lattice: string;
  readonly #nodes: readonly Placed[];

  constructor(lattice: string, graph: Graph) {
    this.#lattice = lattice;
    this.#nodes = place(graph);
  }

  nodes(name?: string): readonly TestNode[] {
    return name === undefined ? this.#nodes : this.#named(name);
  }

  node(name: string): TestNode {
    const [only, ...others] = this.#named(name);
    if (only !== undefined && others.length === 0) return only;
    throw this.#wrong(`${others.length + 1} nodes are called "${name}"; name one by its label`, others.length + 1, 1);
  }

  parentsOf(name: string): readonly string[] {
    return [...new Set(this.#named(name).flatMap(({ parents }) => parents))];
  }

  childrenOf(name: string): readonly string[] {
    const labels = new Set(this.#named(name).map(({ label }) => label));
    return this.#nodes.filter(({ parents }) => parents.some((parent) => labels.has(parent))).map(({ label }) => label);
  }

  assertBefore(earlier: string, later: string): void {
    for (const first of this.#named(earlier))
      for (const second of this.#named(later)) {
        if (this.#reaches(first, second)) continue;
        const how = this.#reaches(second, first)
          ? `waits for "${second.label}"`
          : `and "${second.label}" don't wait for each other`;
        throw this.#wrong(`"${first.label}" is not before "${second.label}": "${first.label}" ${how}`);
      }
  }

  assertBeside(one: string, other: string): void {
    for (const left of this.#named(one))
      for (const right of this.#named(other)) {
        if (left === right) continue;
        const [first, second] = this.#reaches(left, right) ? [left, right] : [right, left];
        if (this.#reaches(first, second)) throw this.#wrong(`"${second.label}" waits for "${first.label}"`);
      }
  }

  assertCounts(expected: Readonly<Record<string, number>>): void {
    const actual: Record<string, number> = {};
    for (const { name } of this.#nodes) actual[name] = (actual[name] ?? 0) + 1;
    const names = [...new Set([...Object.keys(expected), ...Object.keys(actual)])];
    const wrong = names.filter((name) => (expected[name] ?? 0) !== (actual[name] ?? 0));
    if (wrong.length === 0) return;
    const texts = wrong.map((name) => `${actual[name] ?? 0} of "${name}", not ${expected[name] ?? 0}`);
    throw this.#wrong(`there are ${texts.join('; ')}`, actual, expected);
  }

  assertText(expected: string): void {
    const [actual, wanted] = [this.toString(), unindented(expected)];
    if (actual !== wanted) throw this.#wrong(`it was expected to be\n${wanted}\nbut it`, actual, wanted);
  }

  toString(): string {
    return this.#nodes
      .map(
        ({ label, depth, shown }) => '  '.repeat(depth) + label + (shown.length === 0 ? '' : ` <- ${shown.join(', ')}`),
      )
      .join('\n');
  }

  #named(name: string): readonly Placed[] {
    const found = this.#nodes.filter((node) => node.name === name || node.label === name);
    if (found.length > 0) return found;
    const near = nearest(
      name,
      this.#nodes.map((node) => node.name),
    ).map((one) => `"${one}"`);
    throw new PolaronError('USAGE', `the graph of lattice "${this.#lattice}" has no node "${name}"`, {
      help: near.length > 0 ? `Did you mean ${near.join(' or ')}?` : `It has:\n${this.toString()}`,
    });
  }

  #reaches(from: Placed, to: Placed): boolean {
    const seen = new Set<number>();
    const ahead = [...to.waits];
    for (let place = ahead.pop(); place !== undefined; place = ahead.pop()) {
      const node = this.#nodes[place];
      if (node === from) return true;
      if (node === undefined || seen.has(place)) continue;
      seen.add(place);
      ahead.push(...node.waits);
    }
    return false;
  }

  #wrong(what: string, actual?: unknown, expected?: unknown): AssertionError {
    const message = `lattice "${this.#lattice}": ${what}; the graph is\n${this.toString()}`;
    return new AssertionError({ message, actual, expected, operator: 'graph' });
  }
}

/** What a reference leads to: nodes by their places, or `item` and `index` of a map. */
type Target = number | 'item' | 'index';

/** All nodes in one list: a map, then its body. What draws a lattice on an agent is no node of its own: the lattice is. */
function place(graph: Graph): readonly Placed[] {
  const list: (Omit<Placed, 'label' | 'parents' | 'shown'> & { readonly targets: readonly Target[] })[] = [];
  const read = (
    nodes: readonly GraphNode[],
    depth: number,
    outer: Scope | undefined,
    over: readonly number[],
  ): Scope => {
    const scope: { outer: Scope | undefined; places: (readonly Target[])[] } = { outer, places: [] };
    for (const { name, kind, options, args, after, body } of nodes) {
      const named = references(args).flatMap((ref) => targetsOf(ref, scope));
      const targets = [...new Set([...named, ...after.flatMap((id) => scope.places[id] ?? [])])];
      if (name.startsWith(DRAWING)) {
        scope.places.push(targets);
        continue;
      }
      const waits = [...new Set([...targets.flatMap((one) => (typeof one === 'number' ? one : over)), ...over])];
      const at = list.length;
      scope.places.push([at]);
      const node = { name: kind === 'map' ? `map ${name}` : name, kind, options, args, depth, waits, targets };
      list.push(node);
      if (body === undefined) continue;
      const inner = read(body.nodes, depth + 1, scope, waits)
        .places.flat()
        .filter((one) => typeof one === 'number');
      list[at] = { ...node, waits: [...waits, ...inner] };
    }
    return scope;
  };
  read(graph.nodes, 0, undefined, []);
  const labels = labelsOf(list.map(({ name }) => name));
  const labelOf = (one: Target): string => (typeof one === 'number' ? (labels[one] ?? '') : one);
  return list.map(({ targets, ...node }, at) => {
    const parents = targets.flatMap((one) => (typeof one === 'number' ? one : node.waits)).map(labelOf);
    return { ...node, label: labels[at] ?? '', shown: targets.map(labelOf), parents: [...new Set(parents)] };
  });
}

function targetsOf({ $ref, up = 0 }: Reference, scope: Scope): readonly Target[] {
  if (typeof $ref === 'string') return [$ref];
  let at: Scope | undefined = scope;
  for (let i = 0; i < up; i++) at = at?.outer;
  return at?.places[$ref] ?? [];
}

function references(value: unknown): readonly Reference[] {
  if (typeof value !== 'object' || value === null || ArrayBuffer.isView(value)) return [];
  if (isReference(value)) return [value];
  return Object.values(value).flatMap(references);
}

const isReference = (x: object): x is Reference =>
  '$ref' in x && 'path' in x && (typeof x.$ref === 'number' || x.$ref === 'item' || x.$ref === 'index');

function labelsOf(names: readonly string[]): readonly string[] {
  const totals = new Map<string, number>();
  for (const name of names) totals.set(name, (totals.get(name) ?? 0) + 1);
  const counts = new Map<string, number>();
  return names.map((name) => {
    const count = (counts.get(name) ?? 0) + 1;
    counts.set(name, count);
    return totals.get(name) === 1 ? name : `${name}#${count}`;
  });
}

/** Without empty lines at its ends, and without what all lines are indented by. */
function unindented(text: string): string {
  const lines = text
    .replace(/^(\s*\n)+/, '')
    .trimEnd()
    .split('\n');
  const least = Math.min(...lines.map((line) => line.search(/\S|$/)));
  return lines.map((line) => line.slice(least).trimEnd()).join('\n');
}

/**
 * The trace under way: electron calls, `.map` and `after` become nodes of the transport graph.
 *
 * B1. Nodes of a scope stand in the order in which they were made, so edges point back.
 * B2. A value that is mapped over is always whole: `.map` on a path goes through an identity node, and the node that makes the value says `split`.
 * B3. A map's body has one output node; what a callback returns besides one bare Ref goes through an identity node.
 * Not here: starting and ending a trace (trace.ts).
 */
import { registry, type ElectronEntry } from '../bus/protocol/registry.ts';
import { PolaronError } from '../model/errors.ts';
import type { Input, LatticeNode, MapNode, WireNode } from '../model/graph.ts';
import {
  electronInfoOf,
  isAsync,
  latticeInfoOf,
  type Builder,
  type ElectronInfo,
  type LatticeInfo,
} from './builder.ts';
import { errorSite } from './call-site.ts';
import { checkInputs } from './input-schemas.ts';
import { Literals } from './literals.ts';
import { mapPolicy } from './map-options.ts';
import type { Inherited } from './options.ts';
import { holdsRef, RefMeta, refMetaOf, type RefOwner } from './refs.ts';
import { ArgumentEncoder, type Encoded } from './trace-arguments.ts';
import { Definitions } from './trace-definitions.ts';
import { foreign, Scope, type DraftElectron } from './trace-scope.ts';
import { drawnParts, type TraceInner } from './trace-drawn.ts';
import { encodeList } from '../bus/value/list.ts';
import { trusted } from '../model/trusted.ts';

type Callback = (...args: never[]) => unknown;

export class TraceBuilder implements Builder, RefOwner {
  readonly root = new Scope();
  readonly literals = new Literals();
  readonly definitions: Definitions;
  /** Lattices inside this one, by their nodes. */
  readonly inner = new Map<WireNode, unknown>();
  /** What those need of the bundle, beside what this one does. */
  readonly shippedToo: ElectronEntry[] = [];
  readonly #trace: TraceInner;
  readonly #encoder: ArgumentEncoder;
  /** Identity nodes made for paths that are mapped over. */
  #wholes: Map<RefMeta, number> | undefined;
  #scope = this.root;

  constructor(inherited: Inherited, trace: TraceInner) {
    this.#trace = trace;
    this.definitions = new Definitions(inherited);
    this.#encoder = new ArgumentEncoder(this, this.literals);
  }

  callElectron(info: ElectronInfo, args: readonly unknown[]): unknown {
    const scope = this.#scope;
    if (info.schemas !== undefined) {
      checkInputs(
        () => `electron "${info.name}" (${errorSite().at})`,
        info.schemas,
        args,
        (arg) => !holdsRef(arg),
      );
    }
    const electron = this.definitions.indexOf(info);
    const { template, inputs } = this.#encoder.args(scope, 'electron', info.name, args);
    const node: DraftElectron = { kind: 'electron', electron, template, inputs, after: scope.waiting };
    return this.#refOf(scope, scope.nodes.push(node) - 1, info.name);
  }

  callLattice(info: LatticeInfo, args: readonly unknown[]): unknown {
    return args.some((arg) => holdsRef(arg))
      ? this.callUnseen(info, args)
      : this.#lattice(info, this.#drawnHere(info, args));
  }

  /** One that an agent draws. */
  callUnseen(info: LatticeInfo, args: readonly unknown[]): unknown {
    return this.#lattice(info, this.#drawnThere(this.#scope, info, args));
  }

  #lattice(info: LatticeInfo, graph: Input): unknown {
    const scope = this.#scope;
    const node: LatticeNode = { kind: 'lattice', name: info.name, graph, after: scope.waiting };
    this.inner.set(node, info.lattice);
    return this.#refOf(scope, scope.nodes.push(node) - 1, info.name);
  }

  /** One of its arguments isn't known yet: an electron draws it on an agent. */
  #drawnThere(scope: Scope, info: LatticeInfo, args: readonly unknown[]): number {
    const electron = this.definitions.drawing(info);
    const { template, inputs } = this.#encoder.args(scope, 'lattice', info.name, args);
    const after = scope.waiting;
    return scope.nodes.push({ kind: 'electron', electron, template, inputs, after, split: true }) - 1;
  }

  #drawnHere(info: LatticeInfo, args: readonly unknown[]): Input {
    const trace = this.#trace(info.lattice, args);
    this.shippedToo.push(...trace.electronsUsed);
    return { value: this.literals.keepBytes(encodeList(drawnParts(trace, args))) };
  }

  after(parents: unknown, body: unknown): unknown {
    const scope = this.#scope;
    const list: readonly unknown[] = Array.isArray(parents) ? parents : [parents];
    const waits = new Set(scope.waiting);
    for (const [i, parent] of list.entries()) this.#wait(scope, waits, parent, i);
    if (typeof body !== 'function' || refMetaOf(body) !== undefined) {
      throw afterArg(`its second argument is ${describe(body)}; expected a function that calls electrons`);
    }
    const callback = trusted<Callback>(body);
    if (isAsync(callback)) throw asyncBody('the body of after()');
    const before = scope.waiting;
    scope.waiting = [...waits];
    try {
      return sync(Reflect.apply(callback, undefined, []), 'the body of after()');
    } finally {
      scope.waiting = before;
    }
  }

  map(over: RefMeta, [task, options]: readonly unknown[]): unknown {
    if (registry().builder !== this) throw foreign(over);
    const scope = this.#scope;
    const policy = mapPolicy(options);
    const at = errorSite().at.slice(-200);
    const input = this.#whole(scope, over);
    const body = new Scope(scope);
    const item = new RefMeta(this, body, 'item', 'item');
    this.#scope = body;
    let output: number;
    try {
      output = this.#mapBody(body, item, task);
    } finally {
      this.#scope = scope;
    }
    const name = this.#nameOf(body, output, task);
    const after = [...new Set([...scope.waiting, ...(body.mapWaits ?? [])])];
    const node: MapNode = { kind: 'map', name, over: input, after, ...policy, body: { nodes: body.nodes, output }, at };
    return this.#refOf(scope, scope.nodes.push(node) - 1, name);
  }

  /** What the lattice of that name returns, as a Ref to a whole value of an electron. */
  whole(value: unknown, lattice: string): unknown {
    const ref = refMetaOf(value);
    if (ref?.scope === this.root && typeof ref.origin === 'number' && ref.parent === undefined) return value;
    const node = this.#identityNode(this.root, 'result of lattice', lattice, value);
    return this.#refOf(this.root, this.root.nodes.push(node) - 1, 'result');
  }

  /** The lattice's result. */
  output(lattice: string, value: unknown): Encoded {
    return this.#encoder.value(this.root, `result of lattice "${lattice}"`, value);
  }

  #refOf(scope: Scope, id: number, name: string): object {
    return new RefMeta(this, scope, id, name).ref;
  }

  /** `kind` and `name` say in a message what gave the value. */
  #identityNode(scope: Scope, kind: string, name: string, value: unknown): DraftElectron {
    const { template, inputs } = this.#encoder.args(scope, kind, name, [value]);
    return { kind: 'electron', electron: this.definitions.identity(), template, inputs, after: [] };
  }

  #wait(scope: Scope, waits: Set<number>, parent: unknown, position: number): void {
    const ref = refMetaOf(parent);
    if (ref === undefined) throw afterArg(`parent ${position + 1} is ${describe(parent)}; expected a Ref`);
    const up = scope.distanceTo(ref.scope);
    if (ref.owner !== this || up === undefined) throw foreign(ref);
    if (typeof ref.origin !== 'number') return;
    if (up === 0) {
      waits.add(ref.origin);
      return;
    }
    // A parent outside of the map: `after` names nodes of one scope, so the whole map waits for it.
    let inside = scope;
    while (inside.parent !== undefined && inside.parent !== ref.scope) inside = inside.parent;
    inside.mapWaits ??= new Set();
    inside.mapWaits.add(ref.origin);
  }

  /** B2. */
  #whole(scope: Scope, over: RefMeta): Input {
    const input = scope.inputOf(over);
    const home = scope.enclosing(over.scope);
    if (typeof over.origin === 'number' && over.parent === undefined) {
      const node = home?.nodes[over.origin];
      if (node?.kind === 'electron') node.split = true;
      return input;
    }
    if (home === undefined) throw foreign(over);
    let id = this.#wholes?.get(over);
    if (id === undefined) {
      const node = this.#identityNode(home, 'callback of', 'map', over.ref);
      node.split = true;
      id = home.nodes.push(node) - 1;
      this.#wholes ??= new Map();
      this.#wholes.set(over, id);
    }
    return scope.inputOf(new RefMeta(this, home, id, 'identity'));
  }

  /** Traces what is done with one item; the body's output node. */
  #mapBody(body: Scope, item: RefMeta, task: unknown): number {
    const electron = electronInfoOf(task);
    const inner = latticeInfoOf(task);
    if (electron === undefined && (typeof task !== 'function' || refMetaOf(task) !== undefined)) {
      throw new PolaronError(
        'MAP_ARG',
        `.map() got ${describe(task)} (${errorSite().at}); expected an electron, a lattice or a callback`,
      );
    }
    const callback = trusted<Callback>(task);
    if (electron === undefined && inner === undefined && isAsync(callback)) throw asyncBody('the callback of .map()');
    const index = new RefMeta(this, body, 'index', 'index');
    const returned: unknown =
      inner !== undefined
        ? this.callLattice(inner, [item.ref])
        : electron === undefined
          ? sync(Reflect.apply(callback, undefined, [item.ref, index.ref]), 'the callback of .map()')
          : this.callElectron(electron, [item.ref]);
    const ref = refMetaOf(returned);
    if (ref?.scope === body && typeof ref.origin === 'number' && ref.parent === undefined) return ref.origin;
    return body.nodes.push(this.#identityNode(body, 'callback of', 'map', returned)) - 1;
  }

  /** A map is called after what makes its items' values. */
  #nameOf(body: Scope, output: number, task: unknown): string {
    const node = body.nodes[output];
    if (node?.kind === 'map' || node?.kind === 'lattice') return node.name;
    const entry = node === undefined ? undefined : this.definitions.entries[node.electron];
    if (entry !== undefined) return entry.name;
    return typeof task === 'function' && task.name !== '' ? task.name.slice(0, 200) : 'map';
  }
}

const afterArg = (what: string): PolaronError =>
  new PolaronError('AFTER_ARG', `after(parents, body) (${errorSite().at}): ${what}`);

const asyncBody = (what: string, at = errorSite().at): PolaronError =>
  new PolaronError(
    'ASYNC_LATTICE',
    `${what} is async (${at}): a lattice is traced synchronously. Do async work in electrons.`,
  );

/** Refuses a promise, which a function that wasn't declared async may also return. `at`: where that function is, when another line than the one that calls it. */
export function sync(returned: unknown, what: string, at?: string): unknown {
  if (!(returned instanceof Promise)) return returned;
  returned.catch(() => undefined);
  throw asyncBody(what, at);
}

function describe(x: unknown): string {
  if (x === null || x === undefined) return String(x);
  if (refMetaOf(x) !== undefined) return 'a Ref';
  if (Array.isArray(x)) return 'an array';
  return typeof x === 'function' ? 'a function' : `a value of type ${typeof x}`;
}

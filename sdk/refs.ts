/**
 * Refs: placeholders for values that do not exist yet. A Ref is a proxy that grows paths (`ref.a[0].b`) and throws a coded error for
 * everything that would need the value.
 *
 * R1. Whatever `get` returns for a string key is a child Ref, but for `then` and `toJSON`, which engines read by themselves.
 * R2. Children are made when first asked for, and cached: `ref.a === ref.a`.
 * R3. Metadata is read under a well-known symbol, so that all copies of the SDK know each other's Refs.
 * Not here: what a Ref means as an argument (trace-scope.ts).
 */
import { inspect } from 'node:util';
import { PolaronError, type ErrorCode } from '../model/errors.ts';
import { errorSite } from './call-site.ts';

const META = Symbol.for('polaron.ref.v1');
/** More elements than anybody destructures. */
const MAX_ITERATED = 32;

export type Step = string | number;
/** What a Ref comes from: a node of its scope, or the element or position of the map whose body the scope is. */
export type Origin = number | 'item' | 'index';

/** The trace that a Ref belongs to. */
export interface RefOwner {
  map(over: RefMeta, args: readonly unknown[]): unknown;
}

/** Behind a Ref. */
export class RefMeta {
  readonly owner: RefOwner;
  /** The scope in which the origin lives: the lattice, or one map's body; compared by identity. */
  readonly scope: object;
  readonly origin: Origin;
  readonly parent: RefMeta | undefined;
  readonly step: Step;
  readonly #name: string;
  readonly ref: object;
  #children: Map<string, RefMeta> | undefined;
  #path: readonly Step[] | undefined;

  constructor(owner: RefOwner, scope: object, origin: Origin, name: string, parent?: RefMeta, step: Step = '') {
    this.owner = owner;
    this.scope = scope;
    this.origin = origin;
    this.#name = name;
    this.parent = parent;
    this.step = step;
    this.ref = new Proxy(target, new Traps(this));
  }

  /** From the origin's value to this Ref's. */
  get path(): readonly Step[] {
    this.#path ??= this.parent === undefined ? NO_STEPS : [...this.parent.path, this.step];
    return this.#path;
  }

  /** `mk#0.a[0].b`, `item.x`. */
  get label(): string {
    const start = typeof this.origin === 'number' ? `${this.#name}#${this.origin}` : this.origin;
    return start + this.path.map((step) => (typeof step === 'number' ? `[${step}]` : `.${step}`)).join('');
  }

  child(key: string): RefMeta {
    const known = this.#children?.get(key);
    if (known !== undefined) return known;
    const step = INDEX.test(key) ? Number(key) : key;
    const made = new RefMeta(this.owner, this.scope, this.origin, this.#name, this, step);
    this.#children ??= new Map();
    this.#children.set(key, made);
    return made;
  }
}

const NO_STEPS: readonly Step[] = [];
const INDEX = /^(?:0|[1-9]\d{0,14})$/;

/** `inspect` looks past the traps at the target, and calls this with the proxy. */
function show(this: unknown): string {
  return `Ref<${refMetaOf(this)?.label ?? '?'}>`;
}

/** What all Refs are proxies of. A function, so that calling a Ref reaches the `apply` trap, and `new` the `construct` trap. */
const target = Object.assign(function ref() {}, { [inspect.custom]: show });

const NOT_YET = 'its value does not exist while the lattice is traced';

/** The traps of one Ref: on the prototype, so that a Ref costs a proxy and no closures. */
class Traps implements ProxyHandler<() => void> {
  readonly #meta: RefMeta;

  constructor(meta: RefMeta) {
    this.#meta = meta;
  }

  get(_target: unknown, key: string | symbol): unknown {
    if (key === META) return this.#meta;
    if (typeof key === 'string') {
      if (key === 'then') {
        return this.#refuse('REF_AWAITED', 'was awaited', 'nothing runs while a lattice is traced. Remove `await`.');
      }
      if (key === 'toJSON') return this.#asValue('turned into JSON');
      return this.#meta.child(key).ref;
    }
    if (key === Symbol.iterator) return () => this.#elements();
    if (key === Symbol.asyncIterator) {
      return this.#refuse('REF_ITERATED', 'was iterated', 'its length is not known yet. Iterate inside an electron.');
    }
    if (key === Symbol.toPrimitive) return this.#asValue('used as a number or a string');
    return undefined;
  }

  apply(_target: unknown, _self: unknown, args: unknown[]): unknown {
    const { step, parent, owner } = this.#meta;
    if (step === 'map' && parent !== undefined) return owner.map(parent, args);
    return this.#refuse('REF_CALLED', 'was called', `${NOT_YET}. Call methods inside an electron.`);
  }

  construct(): object {
    return this.#refuse('REF_CALLED', 'was called with new', `${NOT_YET}. Do it inside an electron.`);
  }

  has(_target: unknown, key: string | symbol): boolean {
    return this.#asValue(`asked whether it has ${JSON.stringify(String(key))}`);
  }

  getOwnPropertyDescriptor(_target: unknown, key: string | symbol): PropertyDescriptor | undefined {
    return this.#asValue(`asked whether it has ${JSON.stringify(String(key))}`);
  }

  ownKeys(): string[] {
    const remedy = 'its keys are not known yet. Name the properties that you need.';
    return this.#refuse('REF_SPREAD', 'was spread or enumerated', remedy);
  }

  set(_target: unknown, key: string | symbol): boolean {
    return this.#mutated(`${String(key)} was set`);
  }

  defineProperty(_target: unknown, key: string | symbol): boolean {
    return this.#mutated(`${String(key)} was defined`);
  }

  deleteProperty(_target: unknown, key: string | symbol): boolean {
    return this.#mutated(`${String(key)} was deleted`);
  }

  setPrototypeOf(): boolean {
    return this.#mutated('its prototype was set');
  }

  preventExtensions(): boolean {
    return this.#mutated('it was frozen');
  }

  *#elements(): Generator<object, void> {
    for (let i = 0; i < MAX_ITERATED; i++) yield this.#meta.child(String(i)).ref;
    this.#refuse(
      'REF_ITERATED',
      'was iterated',
      'its length is not known yet. Use .map(...), or iterate inside an electron.',
    );
  }

  #asValue(how: string): never {
    return this.#refuse('REF_USED_AS_VALUE', `was ${how}`, `${NOT_YET}. Compute with it inside an electron.`);
  }

  #mutated(how: string): never {
    return this.#refuse('REF_MUTATED', `was changed (${how})`, 'Return a new value from an electron.');
  }

  #refuse(code: ErrorCode, what: string, remedy: string): never {
    const { label } = this.#meta;
    throw new PolaronError(code, `Ref<${label}> ${what} (${errorSite().at}): ${remedy}`, { details: { ref: label } });
  }
}

/** What is behind `x` if it is a Ref of any copy of the SDK; undefined for everything else. */
export function refMetaOf(x: unknown): RefMeta | undefined {
  if (typeof x !== 'function') return undefined;
  const meta: unknown = Reflect.get(x, META);
  return isMeta(meta) ? meta : undefined;
}

const isMeta = (x: unknown): x is RefMeta => typeof x === 'object' && x !== null && 'origin' in x;

/** Is a Ref somewhere in this plain data? Looks into arrays, plain objects, maps and sets; cycles are fine. */
export function holdsRef(x: unknown, seen = new Set<object>()): boolean {
  if (typeof x === 'function') return refMetaOf(x) !== undefined;
  if (typeof x !== 'object' || x === null || ArrayBuffer.isView(x) || seen.has(x)) return false;
  seen.add(x);
  if (Array.isArray(x) || x instanceof Set) {
    for (const value of x) if (holdsRef(value, seen)) return true;
    return false;
  }
  if (x instanceof Map) {
    for (const [key, value] of x) if (holdsRef(key, seen) || holdsRef(value, seen)) return true;
    return false;
  }
  return Object.values(x).some((value) => holdsRef(value, seen));
}

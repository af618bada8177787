/**
 * Arguments of a node as they travel: a template with references into the node's inputs, large literals taken out.
 * Says precisely what can't travel: which argument of which call on which line.
 */
import { encodeTemplate } from '../bus/value/template.ts';
import { PolaronError } from '../model/errors.ts';
import type { Input } from '../model/graph.ts';
import type { Digest } from '../model/ids.ts';
import { errorSite } from './call-site.ts';
import type { Literals } from './literals.ts';
import { refMetaOf, type RefOwner, type Step } from './refs.ts';
import { foreign, Inputs, type Scope } from './trace-scope.ts';

export interface Encoded {
  readonly template: Uint8Array;
  readonly inputs: readonly Input[];
}

interface Reference {
  readonly input: number;
  readonly path: readonly Step[];
}
type RefOf = (x: unknown) => Reference | undefined;

const NO_STEPS: readonly Step[] = [];

export class ArgumentEncoder {
  readonly #owner: RefOwner;
  readonly #literals: Literals;
  /** Stand-ins for large literals, by digest, and back. */
  #standIns: Map<Digest, () => void> | undefined;
  #digests: Map<unknown, Digest> | undefined;
  /** What is being encoded. */
  #scope: Scope | undefined;
  #inputs = new Inputs();

  constructor(owner: RefOwner, literals: Literals) {
    this.#owner = owner;
    this.#literals = literals;
  }

  /** A call's arguments. Raises NOT_SERIALISABLE, PROMISE_ARG, FOREIGN_REF. */
  args(scope: Scope, kind: string, name: string, args: readonly unknown[]): Encoded {
    const outer = this.#begin(scope);
    try {
      const template = encodeTemplate(this.#prepared(args, kind, name), this.#refOf, `${kind} "${name}"`);
      return this.#encoded(template);
    } catch (error) {
      throw explained(error, args, kind, name, this.#refOf);
    } finally {
      this.#end(outer);
    }
  }

  /** One value by itself: the lattice's output. Raises NOT_SERIALISABLE, PROMISE_ARG, FOREIGN_REF. */
  value(scope: Scope, where: string, value: unknown): Encoded {
    const promise = findPromise(value, '$');
    if (promise !== undefined)
      throw new PolaronError('PROMISE_ARG', `${where} holds a promise at ${promise}; await it before dispatch()`);
    const outer = this.#begin(scope);
    try {
      return this.#encoded(
        encodeTemplate(
          this.#prepare(value, () => where),
          this.#refOf,
          where,
        ),
      );
    } finally {
      this.#end(outer);
    }
  }

  /** Encoding one call may begin another: a getter or a codec can call electrons. What it returns is for `#end`. */
  #begin(scope: Scope): readonly [Scope | undefined, Inputs] {
    const outer = [this.#scope, this.#inputs] as const;
    this.#scope = scope;
    this.#inputs = new Inputs();
    return outer;
  }

  #end([scope, inputs]: readonly [Scope | undefined, Inputs]): void {
    this.#scope = scope;
    this.#inputs = inputs;
  }

  #encoded(template: Uint8Array): Encoded {
    const { list, foreign: ref } = this.#inputs;
    if (ref !== undefined) throw foreign(ref);
    return { template, inputs: list };
  }

  /** The arguments with stand-ins for large literals; the same array when there are none. */
  #prepared(args: readonly unknown[], kind: string, name: string): readonly unknown[] {
    for (const arg of args) {
      if (typeof arg !== 'object' && typeof arg !== 'string') continue;
      return args.map((one, i) => this.#prepare(one, () => `${kind} "${name}", argument ${i + 1}`));
    }
    return args;
  }

  #prepare(arg: unknown, where: () => string): unknown {
    const digest = this.#literals.digestFor(arg, where);
    if (digest === undefined) return arg;
    this.#standIns ??= new Map();
    this.#digests ??= new Map();
    const known = this.#standIns.get(digest);
    if (known !== undefined) return known;
    const made = (): void => undefined;
    this.#standIns.set(digest, made);
    this.#digests.set(made, digest);
    return made;
  }

  readonly #refOf: RefOf = (x) => {
    if (typeof x !== 'function') return undefined;
    const inputs = this.#inputs;
    const digest = this.#digests?.get(x);
    if (digest !== undefined) return { input: inputs.add({ value: digest }), path: NO_STEPS };
    const ref = refMetaOf(x);
    if (ref === undefined) return undefined;
    const scope = this.#scope;
    if (ref.owner !== this.#owner || scope?.distanceTo(ref.scope) === undefined) {
      // Kept for later: a throw from here would be taken for a fault of the value around it.
      inputs.foreign ??= ref;
      return { input: 0, path: NO_STEPS };
    }
    return { input: inputs.add(scope.inputOf(ref)), path: ref.path };
  };
}

/** The same failure, told with the line of the call and the argument's position; found by encoding the arguments one by one. */
function explained(error: unknown, args: readonly unknown[], kind: string, name: string, refOf: RefOf): unknown {
  if (!(error instanceof PolaronError)) return error;
  const { at } = errorSite();
  for (const [i, arg] of args.entries()) {
    const promise = findPromise(arg, `${name}[${i}]`);
    if (promise !== undefined) {
      return new PolaronError(
        'PROMISE_ARG',
        `${promise} is a promise (${at}): await it before dispatch(), or make it an electron`,
        {
          details: { path: promise },
        },
      );
    }
    try {
      encodeTemplate(arg, refOf, `${kind} "${name}" (${at}), argument ${i + 1}`);
    } catch (precise) {
      return precise;
    }
  }
  return error;
}

/** Where in plain data the first promise is. */
function findPromise(x: unknown, path: string, seen = new Set<object>()): string | undefined {
  if (typeof x !== 'object' || x === null || ArrayBuffer.isView(x) || seen.has(x)) return undefined;
  if (x instanceof Promise) return path;
  seen.add(x);
  const parts: Iterable<readonly [string, unknown]> = Array.isArray(x)
    ? x.map((value, i) => [`[${i}]`, value] as const)
    : Object.entries(x).map(([key, value]) => [`.${key}`, value] as const);
  for (const [step, value] of parts) {
    const found = findPromise(value, path + step, seen);
    if (found !== undefined) return found;
  }
  return undefined;
}

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
  readonly #standIns = new Map<Digest, () => void>();
  readonly #digests = new Map<unknown, Digest>();

  constructor(owner: RefOwner, literals: Literals) {
    this.#owner = owner;
    this.#literals = literals;
  }

  /** A call's arguments. Raises NOT_SERIALISABLE, PROMISE_ARG, FOREIGN_REF. */
  args(scope: Scope, kind: string, name: string, args: readonly unknown[]): Encoded {
    const inputs = new Inputs();
    const refOf = this.#refOf(scope, inputs);
    let encoded: Encoded;
    try {
      const prepared = args.map((arg, i) => this.#prepare(arg, () => `${kind} "${name}", argument ${i + 1}`));
      encoded = { template: encodeTemplate(prepared, refOf, `${kind} "${name}"`), inputs: inputs.list };
    } catch (error) {
      throw explained(error, args, kind, name, refOf);
    }
    if (inputs.foreign !== undefined) throw foreign(inputs.foreign);
    return encoded;
  }

  /** One value by itself: the lattice's output. Raises NOT_SERIALISABLE, PROMISE_ARG, FOREIGN_REF. */
  value(scope: Scope, where: string, value: unknown): Encoded {
    const inputs = new Inputs();
    const promise = findPromise(value, '$');
    if (promise !== undefined)
      throw new PolaronError('PROMISE_ARG', `${where} holds a promise at ${promise}; await it before dispatch()`);
    const prepared = this.#prepare(value, () => where);
    const template = encodeTemplate(prepared, this.#refOf(scope, inputs), where);
    if (inputs.foreign !== undefined) throw foreign(inputs.foreign);
    return { template, inputs: inputs.list };
  }

  #prepare(arg: unknown, where: () => string): unknown {
    const digest = this.#literals.digestFor(arg, where);
    if (digest === undefined) return arg;
    const known = this.#standIns.get(digest);
    if (known !== undefined) return known;
    const made = (): void => undefined;
    this.#standIns.set(digest, made);
    this.#digests.set(made, digest);
    return made;
  }

  #refOf(scope: Scope, inputs: Inputs): RefOf {
    return (x) => {
      if (typeof x !== 'function') return undefined;
      const digest = this.#digests.get(x);
      if (digest !== undefined) return { input: inputs.add({ value: digest }), path: NO_STEPS };
      const ref = refMetaOf(x);
      if (ref === undefined) return undefined;
      if (ref.owner !== this.#owner || scope.distanceTo(ref.scope) === undefined) {
        // Kept for later: a throw from here would be taken for a fault of the value around it.
        inputs.foreign ??= ref;
        return { input: 0, path: NO_STEPS };
      }
      return { input: inputs.add(scope.inputOf(ref)), path: ref.path };
    };
  }
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

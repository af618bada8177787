/**
 * Ships no code: the electrons of a dispatch are functions of this process, found again by the digest of what stands for their bundle. A lattice that is drawn while the
 * dispatch runs adds the electrons that it uses, as the bundle of a real one holds all of its modules.
 */
import { basename } from 'node:path';
import { registry, type ElectronEntry } from '../bus/protocol/registry.ts';
import { digestOf } from '../bus/value/digest.ts';
import type { ExecutorCode } from '../executors/executor.ts';
import { DRAWING, IDENTITY_ELECTRON, type ElectronDef } from '../model/graph.ts';
import type { Digest } from '../model/ids.ts';
import { latticeInfoOf } from '../sdk/builder.ts';
import type { Shipping } from '../sdk/client/preparation.ts';
import { checkNames } from '../sdk/ship/check-names.ts';
import type { Bundle } from '../sdk/ship/shipped.ts';
import { drawnOf } from '../sdk/trace-inner.ts';
import { traceInner } from '../sdk/trace.ts';

export type ElectronFn = (...args: never[]) => unknown;

const isFunction = (x: unknown): x is ElectronFn => typeof x === 'function';
const missing = (): undefined => undefined;
const bytesOf = (text: string): Uint8Array => new TextEncoder().encode(text);

export class LocalCode implements Shipping {
  readonly #numbers = new Map<ElectronFn, number>();
  readonly #bundles = new Map<string, readonly ElectronEntry[]>();

  /** Raises ELECTRON_AMBIGUOUS, as real shipping does. Code is the same where the function is the same. */
  bundle(electrons: readonly ElectronEntry[]): Bundle {
    checkNames(electrons);
    const named = electrons.map(({ name, fn }) => [name, this.#numberOf(fn)] as const);
    const code = bytesOf(`// functions of the test's own process: ${JSON.stringify(named)}\n`);
    const digest = digestOf(code);
    this.#bundles.set(digest, electrons);
    const codes: Record<string, Digest> = {};
    for (const [name, number] of named) codes[name] = digestOf(bytesOf(`${number}`));
    return { code, digest, codeDigest: digest, codes, warnings: [], hints: [] };
  }

  /** There is no copy of the module whose variables could differ. */
  captures(): Readonly<Record<string, never>> {
    return {};
  }

  /** The electron's function, if the code holds it, with its lattice's hooks around it. */
  find({ bundleFile }: ExecutorCode, { name, hooks }: ElectronDef): ElectronFn | undefined {
    if (name === IDENTITY_ELECTRON) return (value: unknown) => value;
    if (bundleFile === undefined) return undefined;
    const digest = basename(bundleFile, '.mjs');
    const named = (wanted: string): ElectronFn | undefined =>
      this.#bundles.get(digest)?.find((entry) => entry.name === wanted)?.fn;
    const fn = named(name);
    if (fn !== undefined && name.startsWith(DRAWING)) return this.#drawing(digest, fn);
    if (fn === undefined || hooks === undefined) return fn;
    const hooked: unknown = Reflect.apply(named(hooks) ?? missing, undefined, [fn, name]);
    return isFunction(hooked) ? hooked : undefined;
  }

  /** What an agent runs to draw the lattice of this function (sdk/agent-shim-drawing.ts). */
  #drawing(digest: string, fn: ElectronFn): ElectronFn {
    const found = registry().lattices.find(({ lattice }) => latticeInfoOf(lattice)?.fn === fn);
    return (...args: readonly unknown[]) => {
      const trace = traceInner(found?.lattice, args);
      const all = [...(this.#bundles.get(digest) ?? []), ...trace.electronsUsed];
      checkNames(all);
      this.#bundles.set(digest, [...new Map(all.map((one) => [one.name, one])).values()]);
      return drawnOf(trace, args);
    };
  }

  #numberOf(fn: ElectronFn): number {
    const known = this.#numbers.get(fn) ?? this.#numbers.size;
    this.#numbers.set(fn, known);
    return known;
  }
}

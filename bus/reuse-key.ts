/**
 * The key of an electron's value: equal keys, equal value, as far as code and inputs decide it (docs/adr/020). Pure.
 * Not here: how a code's digest is made (sdk/ship/code-digest.ts), where keys are looked up (actors/lattice/reuse.ts).
 *
 * U1. Code is the electron's name in its bundle, the digest of its code and of its lattice's hooks, the variables it captured, and every option of its definition but those
 *     that only say where, when and how often it runs. An option that isn't known here counts. Of `cache` its key does.
 * U2. An input is the digest of its value, wherever that came from.
 */
import { IDENTITY_ELECTRON, type ElectronDef, type Input } from '../model/graph.ts';
import type { Digest } from '../model/ids.ts';
import type { ValueInfo } from '../model/outcome.ts';
import type { Place, Plan } from '../model/plan.ts';
import type { DispatchSpec } from '../model/records.ts';
import { digestOf } from './value/digest.ts';
import { encodeValue } from './value/value.ts';

/** What a dispatch knows of its values. */
export interface KnownValues {
  readonly plan: Plan;
  value(node: number): ValueInfo | undefined;
  /** The element that an item of a map works on. */
  item(map: number, item: number): ValueInfo | undefined;
}

/** U1: of an `ElectronDef`, and of what it becomes in later versions. */
const PLACE_AND_TIME = new Set(
  'name at executor executorOptions needs retries timeouts memoryMb isolation concurrency exclusive priority cache'.split(
    ' ',
  ),
);

type Coded = Pick<DispatchSpec, 'bundle' | 'captures' | 'codes'>;

/** Keys of one dispatch's electrons. */
export class ReuseKeys {
  readonly #known: KnownValues;
  readonly #spec: Coded;
  readonly #codes = new Map<number, Digest>();

  constructor(spec: Coded, known: KnownValues) {
    this.#spec = spec;
    this.#known = known;
  }

  /** Undefined: it is no electron, or an input of it has no value. */
  of(node: number): Digest | undefined {
    const place = this.#known.plan.place(node);
    if (place.node.kind !== 'electron') return undefined;
    const { electron, inputs, template, split } = place.node;
    let made = `${this.codeOf(electron)}${split === true ? '+' : '-'}`;
    for (const input of inputs) {
      const digest = this.inputOf(place, input);
      if (digest === undefined) return undefined;
      made += digest;
    }
    const bytes = Buffer.allocUnsafe(made.length + template.length);
    bytes.write(made, 'latin1');
    bytes.set(template, made.length);
    return digestOf(bytes);
  }

  /** U1, apart; `electron`: index of its definition. */
  partsOf(electron: number): CodeParts {
    return codePartsOf(this.#known.plan.graph.electrons[electron] ?? { name: `#${electron}` }, this.#spec);
  }

  /** U1, as one digest. */
  codeOf(electron: number): Digest {
    let code = this.#codes.get(electron);
    if (code === undefined) {
      const { name, digest, captures, options, hooks } = this.partsOf(electron);
      const parts = [name, digest, sorted(captures), sorted(options)];
      code = digestOf(Buffer.from(JSON.stringify(hooks === undefined ? parts : [...parts, hooks])));
      this.#codes.set(electron, code);
    }
    return code;
  }

  /** U2. */
  inputOf(place: Place, input: Input): Digest | undefined {
    const source = this.#known.plan.source(place, input);
    if ('digest' in source) return source.digest;
    if ('index' in source) return digestOf(encodeValue(source.index, 'index'));
    const value = 'node' in source ? this.#known.value(source.node) : this.#known.item(source.map, source.item);
    return value?.digest;
  }
}

/** What U1 is made of. */
export interface CodeParts {
  readonly name: string;
  /** Of its own code, or (`whole`) of the bundle that stands for it. */
  readonly digest: string;
  readonly whole: boolean;
  /** Of the code of its lattice's hooks. */
  readonly hooks?: string;
  readonly captures: Readonly<Record<string, unknown>>;
  readonly options: Readonly<Record<string, unknown>>;
}

function codePartsOf(
  def: Partial<ElectronDef> & { readonly name: string },
  { bundle, captures, codes }: Coded,
): CodeParts {
  const { name, hooks } = def;
  const code = own(codes, name);
  const given = Object.fromEntries(Object.entries(def).filter(([option]) => !PLACE_AND_TIME.has(option)));
  const cacheKey = def.cache?.key;
  const options = cacheKey === undefined ? given : { ...given, 'cache.key': cacheKey };
  return {
    name,
    digest: name === IDENTITY_ELECTRON ? '' : (code ?? bundle?.digest ?? ''),
    whole: code === undefined && bundle !== undefined && name !== IDENTITY_ELECTRON,
    ...(hooks !== undefined && { hooks: own(codes, hooks) ?? bundle?.digest ?? '' }),
    captures: own(captures, name) ?? {},
    options,
  };
}

const own = <T>(of: Readonly<Record<string, T>> | undefined, name: string): T | undefined =>
  of !== undefined && Object.hasOwn(of, name) ? of[name] : undefined;

/** Of two parts of a code: do they count as the same? */
export const sameCode = (a: unknown, b: unknown): boolean => JSON.stringify(sorted(a)) === JSON.stringify(sorted(b));

/** The order of an object's properties is nobody's business, at whatever depth. */
function sorted(x: unknown): unknown {
  if (Array.isArray(x)) return x.map(sorted);
  if (typeof x !== 'object' || x === null) return x;
  return Object.entries(x)
    .sort(([a], [b]) => (a < b ? -1 : Number(a > b)))
    .map(([key, value]) => [key, sorted(value)]);
}

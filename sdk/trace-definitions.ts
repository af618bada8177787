/** The electrons that a trace uses: each definition once, however many calls, handles or copies of its options there are. */
import { PolaronError } from '../model/errors.ts';
import type { ElectronDef } from '../model/graph.ts';
import { registry, type ElectronEntry } from '../bus/protocol/registry.ts';
import { DRAWING } from '../model/graph.ts';
import type { ElectronInfo, LatticeInfo } from './builder.ts';
import { nearest } from './near-match.ts';
import { identityDef, resolveElectron, type Inherited } from './options.ts';

interface Resolved {
  readonly def: ElectronDef;
  readonly content: string;
}
/** An electron's own options never change: without others over them a dispatch needn't look at them again. */
const resolvedAlone = new WeakMap<ElectronInfo, Resolved>();

const isEmpty = (x: object): boolean => Object.keys(x).length === 0;

export class Definitions {
  readonly defs: ElectronDef[] = [];
  /** Beside `defs`; undefined: the identity electron. */
  readonly entries: (ElectronEntry | undefined)[] = [];
  /** What puts the lattice's hooks around those that have none of their own. */
  readonly hookings = new Set<ElectronEntry>();
  readonly #inherited: Inherited;
  readonly #byInfo = new Map<ElectronInfo, number>();
  readonly #byContent = new Map<ElectronEntry, Map<string, number>>();
  /** No options of others over the electrons' own. */
  readonly #alone: boolean;
  #identity: number | undefined;

  constructor(inherited: Inherited) {
    this.#inherited = inherited;
    this.#alone = isEmpty(inherited.defaults) && isEmpty(inherited.executors);
  }

  /** The index of an electron's definition. Raises what a wrong option raises. */
  indexOf(info: ElectronInfo): number {
    const known = this.#byInfo.get(info);
    if (known !== undefined) return known;
    const index = this.#sameContent(info.entry, this.#resolved(info));
    this.#byInfo.set(info, index);
    return index;
  }

  #resolved(info: ElectronInfo): Resolved {
    const known = this.#alone ? resolvedAlone.get(info) : undefined;
    if (known !== undefined) return known;
    const def = resolveElectron(info, this.#inherited);
    const resolved = { def, content: JSON.stringify(def) };
    if (this.#alone) resolvedAlone.set(info, resolved);
    return resolved;
  }

  /** The electron that draws a lattice on an agent. */
  drawing({ name, fn, file, at }: LatticeInfo): number {
    const drawn = `${DRAWING}${name}`;
    const known = this.defs.findIndex((def) => def.name === drawn);
    return known >= 0 ? known : this.#add({ ...identityDef, name: drawn }, { name: drawn, fn, file, at });
  }

  identity(): number {
    this.#identity ??= this.#add(identityDef, undefined);
    return this.#identity;
  }

  /** Raises UNKNOWN_ELECTRON when an executor was given for an electron that the lattice doesn't use. `inner`: what lattices inside it use. */
  checkExecutors(lattice: string, inner: readonly ElectronEntry[]): void {
    const named = Object.keys(this.#inherited.executors);
    if (named.length === 0) return;
    const used = [...this.defs, ...inner].map(({ name }) => name);
    // One that is drawn on an agent may call any.
    if (used.some((name) => name.startsWith(DRAWING))) used.push(...registry().electrons.map(({ name }) => name));
    for (const name of named) {
      if (used.includes(name)) continue;
      const near = nearest(name, used);
      const hint = near.length === 0 ? '' : `; did you mean ${near.map((n) => `"${n}"`).join(' or ')}?`;
      throw new PolaronError(
        'UNKNOWN_ELECTRON',
        `executors names "${name}", but lattice "${lattice}" has no such electron${hint}`,
        {
          help: 'Use the names of electrons that the lattice calls.',
        },
      );
    }
  }

  /** `electron.with(...)` in a loop makes many handles of one definition. */
  #sameContent(entry: ElectronEntry, { def, content }: Resolved): number {
    let of = this.#byContent.get(entry);
    if (of === undefined) {
      of = new Map();
      this.#byContent.set(entry, of);
    }
    const known = of.get(content);
    if (known !== undefined) return known;
    const index = this.#add(def, entry);
    of.set(content, index);
    if (def.hooks !== undefined && this.#inherited.hooking !== undefined) this.hookings.add(this.#inherited.hooking);
    return index;
  }

  #add(def: ElectronDef, entry: ElectronEntry | undefined): number {
    this.entries.push(entry);
    return this.defs.push(def) - 1;
  }
}

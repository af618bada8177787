/**
 * Tracing: calls a lattice once with its arguments and keeps the transport graph that its electron calls drew.
 * Not here: the nodes (trace-builder.ts), shipping code (ship/), sending anything (client/).
 */
import { registry, type ElectronEntry } from '../bus/protocol/registry.ts';
import { PolaronError } from '../model/errors.ts';
import { MOST_LEVELS, type WireGraph, type WireNode } from '../model/graph.ts';
import type { Digest } from '../model/ids.ts';
import { latticeInfoOf, type LatticeInfo } from './builder.ts';
import { errorSite } from './call-site.ts';
import type { Hooking } from './hooks.ts';
import { sync, TraceBuilder } from './trace-builder.ts';
import type { ExecutorSpec } from './types.ts';

export interface Trace {
  readonly lattice: LatticeInfo;
  readonly graph: WireGraph;
  /** Beside `graph.electrons`: where the function of each is; undefined for the identity electron. */
  readonly definitions: readonly (ElectronEntry | undefined)[];
  /** The same, each once: what has to be shipped. Two of one name are both here. */
  readonly electronsUsed: readonly ElectronEntry[];
  /** What the lattice returned, Refs in it. */
  readonly output: unknown;
  /** Bytes of the values that `{ value }` inputs name. */
  readonly values: ReadonlyMap<Digest, Uint8Array>;
  /** What puts the lattice's hooks around the electrons that say so. */
  readonly hooking: Hooking | undefined;
  /** The lattices inside it, by their nodes. */
  readonly inner: ReadonlyMap<WireNode, unknown>;
}

export interface TraceOptions {
  /** Executors by electron name, stronger than the electrons' own options. */
  readonly executors?: Readonly<Record<string, string | ExecutorSpec>>;
}

/** The definition behind a lattice's handle. Raises USAGE for anything else. */
export function latticeOf(lattice: unknown): LatticeInfo {
  const info = latticeInfoOf(lattice);
  if (info !== undefined) return info;
  throw new PolaronError(
    'USAGE',
    `expected a lattice, got ${lattice === null ? 'null' : typeof lattice} (${errorSite().at})`,
    {
      help: 'Make one with lattice(function pipeline(...) {...}).',
    },
  );
}

/**
 * Traces `lattice`, a handle that `lattice()` made. Raises the tracing errors of the error table, and whatever the lattice's function throws.
 */
export function traceLattice(lattice: unknown, args: readonly unknown[], options: TraceOptions = {}): Trace {
  return trace(lattice, args, options, 0);
}

/** `level`: lattices around it; above 0 its result is one value. */
function trace(lattice: unknown, args: readonly unknown[], options: TraceOptions, level: number): Trace {
  const info = latticeOf(lattice);
  if (level > MOST_LEVELS) throw tooDeep(info);
  const { hooking } = info;
  const own = { defaults: info.options.electrons ?? {}, executors: options.executors ?? {} };
  const inherited = hooking === undefined ? own : { ...own, hooking };
  const builder = new TraceBuilder(inherited, (inner, given) => trace(inner, given, {}, level + 1));
  const shared = registry();
  const outer = shared.builder;
  shared.builder = builder;
  try {
    const output = sync(Reflect.apply(info.fn, undefined, args), `lattice "${info.name}"`, info.at);
    return finish(info, builder, level === 0 ? output : builder.whole(output, info.name));
  } finally {
    shared.builder = outer;
  }
}

/** A graph of one lattice that is drawn on an agent: nothing but its name is known here. Raises NOT_SERIALISABLE. */
export function traceUnseen(name: string, args: readonly unknown[]): Trace {
  const fn = (): never => {
    throw new TypeError(`lattice "${name}" is drawn on an agent`);
  };
  const info: LatticeInfo = { name, lattice: fn, fn, options: {}, source: '', at: '', file: undefined };
  const builder = new TraceBuilder({ defaults: {}, executors: {} }, fn);
  return finish(info, builder, builder.callUnseen(info, args));
}

/** As `traceLattice`, for one inside another: its result is the value of one of its electrons. */
export const traceInner = (lattice: unknown, args: readonly unknown[]): Trace => trace(lattice, args, {}, 1);

const tooDeep = ({ name, at }: LatticeInfo): PolaronError =>
  new PolaronError(
    'SUBLATTICE_DEPTH',
    `lattice "${name}" (${at}) is called ${MOST_LEVELS} lattices deep: does it call itself without an end?`,
  );

function finish(info: LatticeInfo, builder: TraceBuilder, output: unknown): Trace {
  const { definitions, literals, root } = builder;
  const encoded = builder.output(info.name, output);
  literals.verify();
  definitions.checkExecutors(info.name, builder.shippedToo);
  return {
    lattice: info,
    graph: { electrons: definitions.defs, nodes: root.nodes, output: encoded },
    definitions: definitions.entries,
    electronsUsed: used([...definitions.entries, ...definitions.hookings, ...builder.shippedToo]),
    output,
    values: literals.values,
    hooking: info.hooking,
    inner: builder.inner,
  };
}

/** Each once; the identity electron needs no code. */
function used(entries: readonly (ElectronEntry | undefined)[]): ElectronEntry[] {
  const found = new Set<ElectronEntry>();
  for (const entry of entries) if (entry !== undefined) found.add(entry);
  return [...found];
}

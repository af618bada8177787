/**
 * All that `dispatch` computes before it sends anything: the trace, the arguments' bytes, the code bundle, the captured variables.
 * Bad arguments are refused here, before anything is stored. What is slow (bundler, inspector) is loaded when it is first needed.
 * Not here: sending (dispatch.ts).
 */
import type { Packages } from '../../bus/protocol/bundle-packages.ts';
import { registry, type ElectronEntry } from '../../bus/protocol/registry.ts';
import { encodeGraph } from '../../bus/protocol/wire-graph.ts';
import { encodeValue } from '../../bus/value/value.ts';
import { PolaronError } from '../../model/errors.ts';
import { maxValueBytesOf } from '../../model/value-limit.ts';
import { latticeBehind, type ElectronDef } from '../../model/graph.ts';
import type { Digest } from '../../model/ids.ts';
import type { LatticeInfo } from '../builder.ts';
import { errorSite } from '../call-site.ts';
import type { Bundle } from '../ship/shipped.ts';
import { latticeOf, type Trace, traceLattice } from '../trace.ts';
import type { DispatchOptions } from '../types.ts';

export type Captures = Readonly<Record<string, Readonly<Record<string, unknown>>>>;

/** What turns electrons into code, at once when that was done a moment ago; replaced in tests. */
export interface Shipping {
  bundle(
    electrons: readonly ElectronEntry[],
    options: DispatchOptions,
    packages: Packages | undefined,
  ): Bundle | Promise<Bundle>;
  captures(electrons: readonly ElectronEntry[]): Captures | Promise<Captures>;
}

/** What needs no bundle yet: everything that can be refused. */
export interface Drawing {
  readonly lattice: LatticeInfo;
  readonly trace: Trace;
  readonly graph: Uint8Array;
  readonly args: Uint8Array;
}

export interface Shipment {
  readonly bundle: Bundle | undefined;
  readonly captures: Captures;
}

/** Traces, and encodes the arguments. Raises the tracing errors, NOT_SERIALISABLE, PROMISE_ARG, VALUE_TOO_LARGE. */
export function draw(
  l: unknown,
  args: readonly unknown[],
  options: DispatchOptions,
  maxValueBytes = maxValueBytesOf(process.env),
): Drawing {
  const lattice = latticeOf(l);
  const trace = traceLattice(l, args, options.executors === undefined ? {} : { executors: options.executors });
  const encoded = encodedArguments(lattice.name, args);
  if (encoded.length > maxValueBytes) throw tooLarge(lattice.name, args, encoded.length, maxValueBytes);
  for (const [digest, bytes] of trace.values) {
    if (bytes.length > maxValueBytes) {
      throw sizeError(`a literal argument of an electron in lattice "${lattice.name}"`, bytes.length, maxValueBytes, {
        digest,
      });
    }
  }
  return { lattice, trace, graph: encodeGraph(trace.graph), args: encoded };
}

/** What can't be sent is said with the line of the call, which costs too much to look up each time. */
function encodedArguments(name: string, args: readonly unknown[]): Uint8Array {
  const where = `arguments of lattice "${name}"`;
  try {
    return encodeValue(args, where);
  } catch {
    return encodeValue(args, `${where} (${errorSite().at})`);
  }
}

/** Names the first argument that is over the limit; all of them may be, together. */
function tooLarge(name: string, args: readonly unknown[], total: number, limit: number): PolaronError {
  for (const [i, arg] of args.entries()) {
    const { length } = encodeValue(arg, `argument ${i}`);
    if (length > limit)
      return sizeError(`lattice "${name}" (${errorSite().at}): argument [${i}]`, length, limit, { argument: i });
  }
  return sizeError(`lattice "${name}" (${errorSite().at}): all arguments together`, total, limit, {});
}

function sizeError(
  what: string,
  bytes: number,
  limit: number,
  more: { argument?: number; digest?: Digest },
): PolaronError {
  return new PolaronError('VALUE_TOO_LARGE', `${what} has ${bytes} bytes; at most ${limit} are taken`, {
    details: { bytes, limit, ...more },
    help: 'Split it, pass the path or address of the data, or raise POLARON_MAX_VALUE_BYTES (up to 2 GiB).',
  });
}

const NOTHING: Shipment = { bundle: undefined, captures: {} };

/** Bundle and captured variables. Raises (or rejects with) the errors of code shipping. */
export function ship(shipping: Shipping, trace: Trace, options: DispatchOptions): Shipment | Promise<Shipment> {
  const { electronsUsed } = trace;
  if (electronsUsed.length === 0) return NOTHING;
  // what stands for a lattice there is another function than the one here
  const captures = shipping.captures(electronsUsed.filter(({ name }) => latticeBehind(name) === undefined));
  const bundle = shipping.bundle(electronsUsed, options, packagesOf(trace.graph.electrons));
  if (bundle instanceof Promise || captures instanceof Promise) return together(bundle, captures);
  warnOnce(bundle.warnings);
  return { bundle, captures };
}

async function together(made: Bundle | Promise<Bundle>, read: Captures | Promise<Captures>): Promise<Shipment> {
  const [bundle, captures] = await Promise.all([made, read]);
  warnOnce(bundle.warnings);
  return { bundle, captures };
}

const warned = new Set<string>();

/** Each text once per process. */
function warnOnce(warnings: readonly string[]): void {
  for (const text of warnings) {
    if (warned.has(text)) continue;
    warned.add(text);
    process.emitWarning(text, 'PolaronWarning');
  }
}

/** npm packages that agents install: of the electrons used, then of whatever else this process has defined, since bundles are whole modules. */
export function packagesOf(electrons: readonly ElectronDef[]): Packages | undefined {
  const noted = registry().packages;
  if (noted === undefined) return undefined;
  const packages = Object.fromEntries(noted);
  for (let i = electrons.length - 1; i >= 0; i--) Object.assign(packages, electrons[i]?.deps?.npm);
  return packages;
}

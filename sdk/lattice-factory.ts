/**
 * Makes the `lattice` function out of what a lattice can be asked for: the full SDK traces, runs and draws; the agents' shim does none of it.
 * Not here: tracing (trace.ts).
 */
import { registry } from '../bus/protocol/registry.ts';
import { PolaronError } from '../model/errors.ts';
import { attachLattice, currentBuilder, isAsync, type LatticeInfo } from './builder.ts';
import { definitionSite, errorSite } from './call-site.ts';
import { notePackages } from './definition-checks.ts';
import { nameOf } from './definition-name.ts';
import { hookingOf } from './hooks.ts';
import { trusted } from '../model/trusted.ts';
import type { DrawFormat, Graph, LatticeFactory, LatticeOptions } from './types.ts';

type Fn = (...args: never[]) => unknown;

/** What the handle's methods do. */
export interface LatticeTools {
  graph(lattice: unknown, args: readonly unknown[]): Graph;
  local(lattice: unknown, args: readonly unknown[]): Promise<unknown>;
  draw(format: DrawFormat, lattice: unknown, args: readonly unknown[]): string;
  /** It was defined. */
  defined?(lattice: LatticeInfo): void;
}

function call(info: LatticeInfo, args: readonly unknown[]): unknown {
  const builder = currentBuilder();
  if (builder !== undefined) return builder.callLattice(info, args);
  throw new PolaronError(
    'OUTSIDE_LATTICE',
    `lattice "${info.name}" was called outside a lattice (${errorSite().at}). Send it with dispatch(${info.name})(...), or run it here with ${info.name}.local(...).`,
  );
}

function define(tools: LatticeTools, options: LatticeOptions, fn: unknown): unknown {
  const site = definitionSite();
  if (typeof fn !== 'function') {
    throw new PolaronError('USAGE', `lattice() got ${typeof fn} where a function is expected (${site.at})`, {
      help: 'Call lattice(fn) or lattice(options, fn).',
    });
  }
  const plain = trusted<Fn>(fn);
  notePackages(options.electrons);
  const name = nameOf('lattice', options.name, plain, site);
  refuseAsync(name, plain, site.at);
  const hooking = hookingOf(name, site, options.electrons);
  if (hooking !== undefined) registry().electrons.push(hooking);
  const handle = (...args: unknown[]): unknown => call(info, args);
  const info: LatticeInfo = {
    name,
    lattice: handle,
    fn: plain,
    options: Object.freeze({ ...options }),
    source: Function.prototype.toString.call(plain),
    file: site.file,
    ...(hooking === undefined ? {} : { hooking }),
    get at() {
      return site.at;
    },
  };
  attachLattice(handle, info);
  Object.defineProperty(handle, 'name', { value: name });
  registry().lattices.push(info);
  tools.defined?.(info);
  return Object.assign(handle, {
    kind: 'lattice',
    latticeName: name,
    graph: (...args: unknown[]): Graph => tools.graph(handle, args),
    local: (...args: unknown[]): Promise<unknown> => tools.local(handle, args),
    draw: (format: DrawFormat, ...args: unknown[]): string => tools.draw(format, handle, args),
  });
}

/** Raises ASYNC_LATTICE for a function that is declared async: asked before anything calls it. */
function refuseAsync(name: string, fn: Fn, at: string): void {
  if (!isAsync(fn)) return;
  throw new PolaronError(
    'ASYNC_LATTICE',
    `lattice "${name}" is async (${at}): a lattice is traced synchronously. Do async work in electrons, or before dispatch().`,
  );
}

/** `lattice(fn)` and `lattice(options, fn)`. They raise NO_NAME and ASYNC_LATTICE. */
export function makeLatticeFactory(tools: LatticeTools): LatticeFactory {
  const make = (first: unknown, second?: unknown): unknown =>
    typeof first === 'object' && first !== null
      ? define(tools, trusted<LatticeOptions>(first), second)
      : define(tools, {}, first);
  return trusted(make);
}

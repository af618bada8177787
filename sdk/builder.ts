/**
 * What a definition and the trace under way know of each other. Several copies of the SDK may be loaded (ESM and CJS, the user's and a
 * bundle's), so both are found through well-known symbols: an electron of one copy adds its node to the trace of another.
 */
import { registry, type ElectronEntry, type LatticeEntry } from '../bus/protocol/registry.ts';
import type { StandardSchemaV1 } from '@standard-schema/spec';
import type { Hooking } from './hooks.ts';
import type { ElectronOptions, LatticeOptions } from './types.ts';

const ELECTRON = Symbol.for('polaron.electron.v1');
const LATTICE = Symbol.for('polaron.lattice.v1');

/** An electron's definition, behind its handle. */
export interface ElectronInfo {
  readonly name: string;
  /** What is registered: runs on the agent. */
  readonly entry: ElectronEntry;
  /** The same without its hooks. */
  readonly run: ElectronEntry['fn'];
  readonly options: Readonly<ElectronOptions>;
  readonly schemas: readonly StandardSchemaV1[] | undefined;
}

/** A lattice's definition, behind its handle. */
export interface LatticeInfo extends LatticeEntry {
  readonly fn: (...args: never[]) => unknown;
  readonly options: Readonly<LatticeOptions>;
  /** The hooks that its electrons inherit. */
  readonly hooking?: Hooking;
  /** The function's text, for the dispatch's record. */
  readonly source: string;
}

/** The trace under way. */
export interface Builder {
  callElectron(info: ElectronInfo, args: readonly unknown[]): unknown;
  callLattice(info: LatticeInfo, args: readonly unknown[]): unknown;
  after(parents: unknown, body: unknown): unknown;
}

const isBuilder = (x: unknown): x is Builder => typeof x === 'object' && x !== null && 'callElectron' in x;

/** The trace under way in this process, whichever copy of the SDK began it. */
export function currentBuilder(): Builder | undefined {
  const { builder } = registry();
  return isBuilder(builder) ? builder : undefined;
}

const isElectronInfo = (x: unknown): x is ElectronInfo => typeof x === 'object' && x !== null && 'entry' in x;
const isLatticeInfo = (x: unknown): x is LatticeInfo => typeof x === 'object' && x !== null && 'source' in x;
const held = (x: unknown, key: symbol): unknown => (typeof x === 'function' ? Reflect.get(x, key) : undefined);

/** The definition behind an electron's handle; undefined for anything else. */
export function electronInfoOf(x: unknown): ElectronInfo | undefined {
  const info = held(x, ELECTRON);
  return isElectronInfo(info) ? info : undefined;
}

/** The definition behind a lattice's handle; undefined for anything else. */
export function latticeInfoOf(x: unknown): LatticeInfo | undefined {
  const info = held(x, LATTICE);
  return isLatticeInfo(info) ? info : undefined;
}

/** Makes `handle` the handle of `info`. */
export function attachElectron(handle: object, info: ElectronInfo): void {
  Object.defineProperty(handle, ELECTRON, { value: info });
}

/** Makes `handle` the handle of `info`. */
export function attachLattice(handle: object, info: LatticeInfo): void {
  Object.defineProperty(handle, LATTICE, { value: info });
}

const asyncFunctions = new Set(['AsyncFunction', 'AsyncGeneratorFunction']);

/** Is it declared `async`? Asked before calling it: its promise, rejected by a guard, would be an unhandled rejection. */
export const isAsync = (fn: (...args: never[]) => unknown): boolean => asyncFunctions.has(fn.constructor.name);

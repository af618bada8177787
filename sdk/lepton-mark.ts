/**
 * What a lepton's function carries so that dispatch finds its data behind an electron, whichever copy of the SDK made it.
 * And which of a lepton's options are those of any electron. Not here: the options of its language (lepton-spec.ts).
 */
import { innermost } from '../bus/protocol/registry.ts';
import { needsOf, type LeptonSpec } from '../model/lepton.ts';
import { trusted } from '../model/trusted.ts';
import type { ElectronOptions, LeptonOptions } from './types.ts';

const LEPTON = Symbol.for('polaron.lepton.v1');

type Fn = (...args: never[]) => unknown;

export interface LeptonMark {
  readonly language: LeptonSpec['language'];
  /** Without the text of Python files. Absent on an agent. */
  readonly spec?: LeptonSpec;
  /** The Python file, absolute. */
  readonly file?: string;
  /** Where it was defined, `file:line`, for messages. */
  readonly at: string;
}

export interface LeptonTask {
  readonly own: ElectronOptions & { readonly name: string };
  readonly run: (...args: readonly unknown[]) => Promise<unknown>;
}

const isMark = (x: unknown): x is LeptonMark => typeof x === 'object' && x !== null && 'language' in x && 'at' in x;

/** Makes `run` the function of a lepton. */
export const marked = <F extends Fn>(run: F, mark: LeptonMark): F =>
  Object.defineProperty(run, LEPTON, { value: mark });

/** What is behind a function; undefined when it isn't a lepton's. */
export function leptonMarkOf(fn: Fn): LeptonMark | undefined {
  const mark: unknown = Reflect.get(fn, LEPTON);
  return isMark(mark) ? mark : undefined;
}

/** Where a bundle has the data of a lepton that has hooks around it; no user's name begins so. */
export const leptonDataName = (name: string): string => `polaron:lepton:${name}`;

/** Capabilities that a lepton's language asks for, beside the user's own. */
export const impliedNeeds = (fn: Fn): readonly string[] => {
  const mark = leptonMarkOf(innermost(fn));
  return mark === undefined ? [] : needsOf(mark.language);
};

const OF_LANGUAGE = ['language', 'source', 'function', 'pip', 'command', 'output', 'library', 'arguments', 'returns'];

/** The rest of a lepton's options; its `pip` becomes a dependency like any other's. */
export function electronOptionsOf(options: LeptonOptions): LeptonTask['own'] {
  const own = Object.fromEntries(Object.entries(options).filter(([key]) => !OF_LANGUAGE.includes(key)));
  const pip = options.language === 'python' ? (options.pip ?? []) : [];
  if (pip.length === 0) return trusted(own);
  return trusted({ ...own, deps: { ...options.deps, pip: [...(options.deps?.pip ?? []), ...pip] } });
}

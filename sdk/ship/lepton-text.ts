/**
 * Leptons on their way into a bundle: each goes as data, with the text of its Python files, so that the dispatch needs nothing of this machine any more.
 * Not here: where a bundle holds them (inline.ts), which Python files belong to one (python-source.ts).
 */
import { dirname } from 'node:path';
import { innermost, registry } from '../../bus/protocol/registry.ts';
import type { LeptonSpec } from '../../model/lepton.ts';
import { leptonDataName, leptonMarkOf, type LeptonMark } from '../lepton-mark.ts';
import { nearest } from './native.ts';
import { readPython } from './python-source.ts';
import type { ShippedElectron } from './shipped.ts';
import { shownPath } from './source-map.ts';

export interface WholeLepton {
  readonly spec: LeptonSpec;
  /** Files that were read. */
  readonly files: readonly string[];
}

/** A lepton's data with its Python sources. `cwd`: the user's folder, where no project is. Raises LEPTON_SOURCE. */
export function withSources(spec: LeptonSpec, { file, at }: LeptonMark, cwd: string): WholeLepton {
  if (spec.language !== 'python' || file === undefined) return { spec, files: [] };
  const { sources, files } = readPython(file, spec.function, `lepton "${spec.name}" (${at})`);
  const root = nearest(dirname(file), 'package.json') ?? cwd;
  const shown = shownPath(file, root);
  const folder = shown.slice(0, Math.max(0, shown.lastIndexOf('/')));
  return { spec: { ...spec, sources, folder }, files };
}

/** An electron as it is packed, and what of the disk it was made of. */
export interface Prepared {
  readonly electron: ShippedElectron;
  readonly files: readonly string[];
  /** A lepton's: what its code is made of, beside its module where hooks are around it. */
  readonly data?: string;
}

/** The expression of a function that gives `spec` to the runner, see bus/protocol/registry.ts. */
const expressionOf = (spec: LeptonSpec): string =>
  `((spec) => (...args) => globalThis[Symbol.for('polaron.registry.v1')].agent.lepton(spec, args))(${JSON.stringify(spec)})`;

const withText = ({ fn, at }: ShippedElectron, name: string, text: string): ShippedElectron => ({
  name,
  fn,
  at,
  file: undefined,
  text,
});

/**
 * An electron that is a lepton gets the text that stands for it. With hooks around it, it goes as its module, and its data under a name of its own.
 * Any other stays. Raises LEPTON_SOURCE.
 */
function prepare(electron: ShippedElectron, cwd: string): Prepared[] {
  const mark = leptonMarkOf(innermost(electron.fn));
  if (mark?.spec === undefined) return [{ electron, files: [] }];
  const alone = leptonMarkOf(electron.fn) !== undefined;
  const { spec, files } = withSources(alone ? { ...mark.spec, name: electron.name } : mark.spec, mark, cwd);
  const data = expressionOf(spec);
  const text = expressionOf({ ...spec, at: mark.at });
  if (alone) return [{ electron: withText(electron, electron.name, text), files, data }];
  return [
    { electron, files, data },
    { electron: withText(electron, leptonDataName(spec.name), text), files: [] },
  ];
}

/**
 * The electrons as they are packed, and after them all other leptons of this process: a lattice that is traced on an agent, or an electron's `.local()`, may use
 * those. One of them that can't be packed says so where it is used. Raises LEPTON_SOURCE for one that the dispatch uses.
 */
export function prepareLeptons(electrons: readonly ShippedElectron[], cwd: string): Prepared[] {
  const prepared = electrons.flatMap((electron) => prepare(electron, cwd));
  for (const electron of registry().electrons) {
    if (leptonMarkOf(innermost(electron.fn))?.spec === undefined) continue;
    prepared.push(...prepareOther(electron, cwd));
  }
  // of one name the first counts: what the dispatch itself uses
  return [...new Map(prepared.toReversed().map((one) => [one.electron.name, one])).values()].reverse();
}

function prepareOther(electron: ShippedElectron, cwd: string): Prepared[] {
  try {
    return prepare(electron, cwd).filter((one) => one.electron.text !== undefined);
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    return [
      { electron: withText(electron, electron.name, `() => { throw new Error(${JSON.stringify(why)}) }`), files: [] },
    ];
  }
}

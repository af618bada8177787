/**
 * Leptons on their way into a bundle: each goes as data, with the text of its Python files, so that the dispatch needs nothing of this machine any more.
 * Not here: where a bundle holds them (inline.ts), which Python files belong to one (python-source.ts).
 */
import { dirname } from 'node:path';
import { registry } from '../../bus/protocol/registry.ts';
import type { LeptonSpec } from '../../model/lepton.ts';
import { leptonMarkOf, type LeptonMark } from '../lepton-mark.ts';
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
}

/** The expression of a function that gives `spec` to the runner, see bus/protocol/registry.ts. */
const expressionOf = (spec: LeptonSpec): string =>
  `(...args) => globalThis[Symbol.for('polaron.registry.v1')].agent.lepton(${JSON.stringify(spec)}, args)`;

/** Electrons that are leptons get the text that stands for them; others stay. Raises LEPTON_SOURCE. */
export function prepareLeptons(electrons: readonly ShippedElectron[], cwd: string): Prepared[] {
  return electrons.map((electron) => {
    const mark = leptonMarkOf(electron.fn);
    if (mark?.spec === undefined) return { electron, files: [] };
    const { spec, files } = withSources({ ...mark.spec, name: electron.name }, mark, cwd);
    return { electron: withText(electron, expressionOf(spec)), files };
  });
}

const withText = ({ name, fn, at }: ShippedElectron, text: string): ShippedElectron => ({
  name,
  fn,
  at,
  file: undefined,
  text,
});

/** All other leptons of this process: a lattice that is traced on an agent, or an electron's `.local()`, may use them. One that can't be packed says so there. */
export function otherLeptons(electrons: readonly ShippedElectron[], cwd: string): Prepared[] {
  const names = new Set(electrons.map(({ name }) => name));
  return registry().electrons.flatMap((electron) => {
    if (names.has(electron.name) || leptonMarkOf(electron.fn)?.spec === undefined) return [];
    names.add(electron.name);
    try {
      return prepareLeptons([electron], cwd);
    } catch (error) {
      const why = error instanceof Error ? error.message : String(error);
      return [{ electron: withText(electron, `() => { throw new Error(${JSON.stringify(why)}) }`), files: [] }];
    }
  });
}

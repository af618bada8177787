/**
 * What a lepton is in the user's process: its options, checked where it is defined, and how `.local()` runs it. Bundles have agent-lepton-task.ts instead.
 * Not here: the languages (leptons/, loaded when one runs).
 */
import type { LeptonSpec } from '../model/lepton.ts';
import { definitionSite } from './call-site.ts';
import { context } from './context.ts';
import { electronOptionsOf, marked, type LeptonMark, type LeptonTask } from './lepton-mark.ts';
import { specOf } from './lepton-spec.ts';
import type { LeptonOptions } from './types.ts';

/** Raises USAGE, NO_NAME. */
export function leptonTask(options: LeptonOptions): LeptonTask {
  const site = definitionSite(options.module);
  const { spec, file } = specOf(options, site);
  const mark: LeptonMark & { readonly spec: LeptonSpec } = {
    language: spec.language,
    spec,
    ...(file === undefined ? {} : { file }),
    get at() {
      return site.at;
    },
  };
  const placed: { spec?: LeptonSpec } = {};
  const run: LeptonTask['run'] = (...args) => runHere((placed.spec ??= { ...spec, at: site.at }), mark, args);
  // It holds no primitive variable: those are compared with an agent's.
  return { own: electronOptionsOf(options), run: marked(run, mark) };
}

async function runHere(placed: LeptonSpec, mark: LeptonMark, args: readonly unknown[]): Promise<unknown> {
  const task = context();
  const [{ withSources }, { runLepton }] = await Promise.all([
    import('./ship/lepton-text.ts'),
    import('../leptons/run.ts'),
  ]);
  const { spec } = withSources(placed, mark, process.cwd());
  return runLepton(spec, args, { context: task, write: (stream, text) => void process[stream].write(text) });
}

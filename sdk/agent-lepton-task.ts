/**
 * What bundles have in place of lepton-task.ts. On an agent a lepton's data, Python files too, is in the bundle under its name (ship/lepton-text.ts), and
 * the runner takes it from there (executors/runner/loader.ts); what is made here is for those who call `.local()` of a lepton inside an electron.
 */
import { PolaronError } from '../model/errors.ts';
import { definitionSite } from './agent-call-site.ts';
import { electronOptionsOf, leptonDataName, marked, type LeptonTask } from './lepton-mark.ts';
import type { LeptonOptions } from './types.ts';

const INLINE = Symbol.for('polaron.inline.v1');

type Run = LeptonTask['run'];
const isEntry = (x: unknown): x is { readonly fn: Run } =>
  typeof x === 'object' && x !== null && 'fn' in x && typeof x.fn === 'function';

/** The lepton of that name, which the bundle brought. */
export function leptonTask(options: LeptonOptions): LeptonTask {
  const own = electronOptionsOf(options);
  const site = definitionSite();
  const run: Run = async (...args) => {
    const all: unknown = Reflect.get(globalThis, INLINE);
    const found: unknown = all instanceof Map ? (all.get(leptonDataName(own.name)) ?? all.get(own.name)) : undefined;
    if (isEntry(found)) return found.fn(...args);
    throw new PolaronError(
      'ELECTRON_NOT_FOUND',
      `the code of this dispatch holds no lepton "${own.name}" (${site.at})`,
    );
  };
  return {
    own,
    run: marked(run, {
      language: options.language,
      get at() {
        return site.at;
      },
    }),
  };
}

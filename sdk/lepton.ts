/** `lepton`: tasks in other languages. A later version runs them; this one says so. */
import { PolaronError } from '../model/errors.ts';
import { errorSite } from './call-site.ts';
import type { Electron, LeptonOptions } from './types.ts';

/** A task that isn't JavaScript. Raises NOT_SUPPORTED in this version. */
export function lepton<A extends readonly unknown[], R>(options: LeptonOptions): Electron<A, R> {
  throw new PolaronError(
    'NOT_SUPPORTED',
    `lepton "${options.name}" (${errorSite().at}): this version has no leptons yet`,
    {
      help: 'Start the other program from an electron, with node:child_process.',
    },
  );
}

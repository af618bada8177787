/** Loads host/, the composition root, for `start` and `agent`: apart from bindings.ts, so that neither loads what only the other needs. */
import { PolaronError } from '../model/errors.ts';
import type { HostPort } from './host-port.ts';

export const loadHost = (): HostPort => ({
  startHub: async (options) => {
    const module = await load('../host/hub');
    if (!offersHub(module)) throw missing('startHub');
    return module.startHub(options);
  },
  runAgent: async (options) => {
    const module = await load('../host/agent');
    if (!offersAgent(module)) throw missing('runAgent');
    return module.runAgent(options);
  },
});

/** By address, since host/ is written at the same time as this; a literal import once it stands. */
async function load(path: string): Promise<unknown> {
  const extension = import.meta.url.endsWith('.ts') ? '.ts' : '.js';
  const module: unknown = await import(new URL(path + extension, import.meta.url).href);
  return module;
}

const offers = (module: unknown, name: string): boolean =>
  typeof module === 'object' && module !== null && typeof Reflect.get(module, name) === 'function';
const offersHub = (module: unknown): module is Pick<HostPort, 'startHub'> => offers(module, 'startHub');
const offersAgent = (module: unknown): module is Pick<HostPort, 'runAgent'> => offers(module, 'runAgent');

const missing = (name: string): PolaronError =>
  new PolaronError('START_FAILED', `this installation has no ${name}`, { help: 'Install polaron again.' });

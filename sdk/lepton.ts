/**
 * `lepton`: an electron whose code isn't JavaScript. It is data (model/lepton.ts), and its function gives that data to a driver of its language.
 * Not here: what is checked and how it runs in this process (lepton-task.ts; in bundles agent-lepton-task.ts), how it is packed (ship/lepton-text.ts).
 */
import { electron } from './electron.ts';
import { leptonTask } from './lepton-task.ts';
import { trusted } from '../model/trusted.ts';
import type { Electron, LeptonOptions } from './types.ts';

/**
 * A function of a Python file or module, a shell command, or a function of a shared C library, as an electron.
 * `.local()` runs it here, and is a promise. Raises USAGE for options that don't fit, NO_NAME.
 */
export function lepton<A extends readonly unknown[], R>(options: LeptonOptions): Electron<A, Promise<Awaited<R>>> {
  const { own, run } = leptonTask(options);
  return trusted(electron(own, run));
}

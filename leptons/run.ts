/** Runs a lepton: picks the language's driver, which is loaded when it is first used. Where: in a runner process, or in the user's own by `.local()`. */
import { assertNever } from '../model/errors.ts';
import type { LeptonSpec } from '../model/lepton.ts';
import type { LeptonHost } from './host.ts';

/**
 * Its result. Raises LEPTON_MISSING, LEPTON_SOURCE, LEPTON_ARGUMENT, LEPTON_OUTPUT, EXITED, CRASHED, RESULT_NOT_SERIALISABLE,
 * and as errors of the user's code what the other language threw.
 */
export async function runLepton(spec: LeptonSpec, args: readonly unknown[], host: LeptonHost): Promise<unknown> {
  switch (spec.language) {
    case 'shell': {
      const { runShell } = await import('./shell.ts');
      return runShell(spec, args, host);
    }
    case 'python': {
      const { runPython } = await import('./python.ts');
      return runPython(spec, args, host);
    }
    case 'c': {
      const { runC } = await import('./c.ts');
      return runC(spec, args);
    }
    default:
      return assertNever(spec, 'the language of a lepton');
  }
}

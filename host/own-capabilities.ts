/** What an agent offers by itself, beside what it is told to and its executors: the languages of leptons that are on the machine, and what the machine has. */
import { findProgram } from './find-program.ts';
import { amountsOf, thisMachine, type Machine } from './machine.ts';

/** A look at files, not at whether they work: what runs nothing here says so itself (LEPTON_MISSING). */
export function ownCapabilities(
  env: NodeJS.ProcessEnv = process.env,
  machine: Machine = thisMachine(),
): readonly string[] {
  const { POLARON_PYTHON: set = '' } = env;
  const python = findProgram(set === '' ? 'python3' : set, env) === undefined ? [] : ['python'];
  return [...python, ...amountsOf(machine)];
}

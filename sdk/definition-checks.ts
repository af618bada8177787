/**
 * What is looked at when something is defined, in the user's process only: hooks that can't be run are refused, packages that agents install are noted, so that
 * they are left out of bundles. Not here: running hooks (hooks.ts), what bundles have instead (agent-definition-checks.ts).
 */
import { registry } from '../bus/protocol/registry.ts';
import { PolaronError } from '../model/errors.ts';
import { trusted } from '../model/trusted.ts';
import type { ElectronOptions, Hook } from './types.ts';

type Hooks = Pick<ElectronOptions, 'before' | 'after'>;

/** Of an electron, or of a lattice. Raises USAGE. */
export function checkHooks(where: () => string, options: Hooks): void {
  const before = checked(where, 'before', options.before);
  checked(where, 'after', options.after);
  const names = before.flatMap(({ as }) => (as === undefined ? [] : [as]));
  const twice = names.find((name, i) => names.indexOf(name) !== i);
  if (twice !== undefined) throw wrong(where, `two before hooks give their result as ${JSON.stringify(twice)}`);
}

function checked(where: () => string, kind: keyof Hooks, given: unknown): readonly Hook[] {
  if (given === undefined) return [];
  if (!Array.isArray(given)) throw wrong(where, `${kind} is no array of hooks`);
  return given.map((hook: unknown, i) => {
    const what = `${kind} hook ${i + 1}`;
    if (typeof hook !== 'object' || hook === null || !('run' in hook) || typeof hook.run !== 'function')
      throw wrong(where, `${what} has no function run`);
    if ('args' in hook && hook.args !== undefined && !Array.isArray(hook.args))
      throw wrong(where, `args of ${what} are no array`);
    if ('as' in hook && hook.as !== undefined) {
      if (kind === 'after') throw wrong(where, `${what} has \`as\`: nothing comes after it that could take its result`);
      if (typeof hook.as !== 'string' || hook.as === '') throw wrong(where, `\`as\` of ${what} is no name`);
    }
    return trusted<Hook>(hook);
  });
}

const wrong = (where: () => string, what: string): PolaronError =>
  new PolaronError('USAGE', `${where()}: ${what}`, {
    help: "Write hooks as [{ run: openDb, args: ['main'], as: 'db' }].",
  });

/** The first version that is named of a package stays: electrons with `deps` of their own get theirs all the same. */
export function notePackages({ deps }: Pick<ElectronOptions, 'deps'> = {}): void {
  if (typeof deps?.npm !== 'object') return;
  const shared = registry();
  shared.packages ??= new Map();
  for (const [name, version] of Object.entries(deps.npm))
    if (!shared.packages.has(name)) shared.packages.set(name, version);
}

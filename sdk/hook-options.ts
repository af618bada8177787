/** Which hooks are refused, in the user's process where they are given. Not here: running them (hooks.ts), an agent's word on it (agent-hook-options.ts). */
import { PolaronError } from '../model/errors.ts';
import { trusted } from '../model/trusted.ts';
import type { Hooks } from './hooks.ts';
import type { Hook } from './types.ts';

/** Raises USAGE. */
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

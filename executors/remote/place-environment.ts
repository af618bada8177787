/** The environment and the clock of a bridge's process, for its runners. */
import type { Clock } from '../../model/clock.ts';

/** User code over there sees what its place gives, without what is Polaron's own. */
export function placeEnvironment(): Record<string, string> {
  const env: Record<string, string> = {};
  for (const [name, value] of Object.entries(process.env))
    if (value !== undefined && (!name.startsWith('POLARON_') || name === 'POLARON_PYTHON')) env[name] = value;
  return env;
}

export const placeClock: Clock = {
  now: () => Date.now(),
  monotonic: () => performance.now(),
  after: (delayMs, callback) => {
    const timer = setTimeout(callback, delayMs);
    return { cancel: () => clearTimeout(timer) };
  },
};

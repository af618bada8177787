/** What an agent runs electrons with when nobody says, and what it offers then. Not here: what a machine has (own-capabilities.ts). */
import { ownCapabilities } from './own-capabilities.ts';

/** By the capabilities of its agent. */
export const usualExecutors = (capabilities: readonly string[]): readonly string[] => [
  'process',
  'thread',
  ...(capabilities.includes('python') ? ['python'] : []),
  'shell',
];

/** All that an agent on this machine offers when it is told nothing. */
export function usualOffers(env: NodeJS.ProcessEnv): readonly string[] {
  const own = ownCapabilities(env);
  return [...new Set([...usualExecutors(own), ...own])];
}

/** How V8 runs a hub's processes: its garbage collection and its compilers. Not here: what the hub holds. */
import { setFlagsFromString } from 'node:v8';

/**
 * Collects when the heap is twice what the last collection left; V8 by itself waits for up to four times. What an electron in flight needs lives
 * for a group commit, long enough to be moved to the old heap: 100,000 of them left 240 MiB of garbage there, on 140 MiB in use.
 * V8 reads the flag at each collection. For processes that are the hub's alone: it counts for all of the process.
 */
export function boundHeapGrowth(): void {
  setFlagsFromString('--heap-growing-percent=100');
}

/**
 * Arguments of Node for processes that handle electrons by the thousand; only at the start of a process: a hub in the foreground has what Node was started with.
 * - What an electron needs lives until its group commit; with Node's own 16 MiB for young objects half of them outlive a collection and are copied twice.
 *   With 32 MiB the hub alone took a tenth less CPU for 5-electron dispatches (bench W3).
 * - Functions are compiled by the quick compiler at their first call instead of being interpreted some hundred times: a hub's first thousand dispatches
 *   are a seventh quicker, and later ones by a tenth, since its code is wide and flat and much of it isn't hot for long.
 */
export const engineArgs = ['--max-semi-space-size=32', '--always-sparkplug'] as const;

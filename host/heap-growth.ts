/** How the garbage of a hub's process is collected. Not here: what the hub holds. */
import { setFlagsFromString } from 'node:v8';

/**
 * Collects when the heap is three times what the last collection left; V8 by itself waits for up to four times. What an electron in flight needs lives
 * for a group commit, long enough to be moved to the old heap: 100,000 of them left 240 MiB of garbage there, on 140 MiB in use. At twice, a hub that has
 * 60,000 dispatches waiting collected everything 7 times where it is 4 now, a tenth of its CPU time; the peak for 100,000 electrons (bench memory) is 284 MiB instead of 244.
 * V8 reads the flag at each collection. For processes that are the hub's alone: it counts for all of the process.
 */
export function boundHeapGrowth(): void {
  setFlagsFromString('--heap-growing-percent=200');
}

/**
 * Arguments of Node for processes that handle electrons by the thousand. What one needs lives until its group commit; with Node's own 16 MiB for young
 * objects half of them outlive a collection and are copied twice. With 32 MiB the hub alone took a tenth less CPU for 5-electron dispatches (bench W3).
 * From the start: V8 begins with 1 MiB and makes it larger only while much survives, which in an agent is never for long. There it collected two and a half
 * times as often in bench W2, and moved ten times as much to the old heap. To load the code takes less CPU time as well.
 * Old objects are collected from 128 MiB on, not from twice the few that there are at first: chunks of large values count as such, and every 10 MiB of them had a
 * collection of everything, half of the hub's CPU time in W7; in W3 there are a quarter as many, for a tenth of its CPU time.
 * Only at the start of a process: a hub in the foreground has what Node was started with.
 */
export const heapArgs = [
  '--min-semi-space-size=32',
  '--max-semi-space-size=32',
  '--initial-old-space-size=128',
] as const;

/** How much memory a runner of a limited electron may hold before it is killed. Not here: measuring it (process-table.ts), and who looks (lane.ts, remote/far-runner.ts). */

/** What Node.js itself takes beside the heap that `memoryMb` bounds. */
const RUNTIME_BYTES = 128 * 1024 * 1024;

/** Of the process and all that it has started. */
export const mostResidentBytes = (memoryMb: number): number => memoryMb * 1024 * 1024 + RUNTIME_BYTES;

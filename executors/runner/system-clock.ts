/** The machine's monotonic clock: what a runner and its agent can compare. */

/** Milliseconds since some moment that is the same in all processes of the machine. */
export function systemMs(): number {
  const [seconds, nanoseconds] = process.hrtime();
  return seconds * 1_000 + nanoseconds / 1_000_000;
}

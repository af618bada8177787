/** Time, as the rest of the system sees it. Only `host/` supplies the real one; tests move their own. */

export interface Timer {
  cancel(): void;
}

export interface Clock {
  /** Wall clock, ms since 1970: for ids, records and people. */
  now(): number;
  /** Monotonic, ms: the only clock that decides leases and deadlines. */
  monotonic(): number;
  /**
   * Calls back once after `delayMs`. Doesn't keep the process alive. `routine`: it comes again and again, whatever happens (a heartbeat, a look), so that nobody
   * waits for it: a clock that a test moves passes over it.
   */
  after(delayMs: number, callback: () => void, kind?: 'routine'): Timer;
}

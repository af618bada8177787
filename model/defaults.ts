/** Every default of the system that a user can meet, in one table; docs/configuration.md holds the same rows (a test compares them). */
export const defaults = {
  /** An agent that is silent for so long is gone, ms. */
  leaseMs: 15_000,
  /** Between two syncs of an agent, ms. */
  heartbeatMs: 2_000,
  /** Largest value, encoded: 1 GiB of bytes, and what stands around them. */
  maxValueBytes: 1024 * 1024 * 1024 + 1024 * 1024,
  /** Largest message on the embedded broker, bytes. */
  maxPayloadBytes: 1024 * 1024,
  /** Grace between a cancel's signal and SIGTERM, and between that and SIGKILL, ms. */
  graceMs: 5_000,
  /** Free bytes below which no dispatch is accepted. */
  reserveBytes: 256 * 1024 * 1024,
  /** Dispatches that have not ended: more are answered HUB_BUSY. */
  maxLiveDispatches: 250_000,
  /** Electrons of their graphs; a hub that has so many takes in no further dispatch. */
  maxLiveElectrons: 2_000_000,
  /** Attempts lost with their agent before an electron is failed. */
  maxLosses: 10,
} as const;

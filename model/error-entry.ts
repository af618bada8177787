/** A row of the table of errors. Not here: the rows (error-table.ts, agent-errors.ts). */

export interface ErrorEntry {
  /** Where it is raised. */
  readonly when: 'tracing' | 'dispatch' | 'index' | 'task' | 'hub' | 'bus' | 'store' | 'host';
  /** May the same thing succeed when tried again, with nothing changed? */
  readonly retryable: boolean;
  /** One sentence for docs/errors.md. */
  readonly meaning: string;
  /** What the reader should do. */
  readonly remedy: string;
}

export const entry = (when: ErrorEntry['when'], retryable: boolean, meaning: string, remedy: string): ErrorEntry => ({
  when,
  retryable,
  meaning,
  remedy,
});

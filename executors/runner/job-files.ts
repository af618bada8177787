/** The files in a job's folder that its runner reads and writes. */

/** Frames of messages to the runner, paths below the folder. */
export const JOB_FILE = 'job';
/** Frames of messages of the runner, appended. */
export const OUTCOME_FILE = 'outcome';
export const SETTINGS_FILE = 'settings.json';
/** Room for the last message, held by the runner from its beginning on: as large as a small result with all that goes with it. Shorter: the disk was full when it was written or used. */
export const SPARE_FILE = 'spare';
export const SPARE_BYTES = 128 * 1024;
/** The last message, where the outcome had no room for it: the spare file, written anew and renamed. */
export const END_FILE = 'end';

export interface JobSettings {
  readonly maxValueBytes: number;
  /** From SIGTERM to the end of what doesn't heed it. */
  readonly graceMs: number;
  /** Name of the agent, for messages. */
  readonly agent: string;
}

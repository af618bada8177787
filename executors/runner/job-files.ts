/** The files in a job's folder that its runner reads and writes. */

/** Frames of messages to the runner, paths below the folder. */
export const JOB_FILE = 'job';
/** Frames of messages of the runner, appended. */
export const OUTCOME_FILE = 'outcome';
export const SETTINGS_FILE = 'settings.json';

export interface JobSettings {
  readonly maxValueBytes: number;
  /** From SIGTERM to the end of what doesn't heed it. */
  readonly graceMs: number;
  /** Name of the agent, for messages. */
  readonly agent: string;
}

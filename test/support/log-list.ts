/** A log that keeps what it is told, for tests to look at. */
import type { Log, LogFields, LogLevel } from '../../model/log.ts';

export interface LogEntry {
  readonly level: LogLevel;
  readonly message: string;
  readonly fields: LogFields;
}

export interface LogList {
  readonly log: Log;
  readonly entries: readonly LogEntry[];
}

export function makeLogList(): LogList {
  const entries: LogEntry[] = [];
  return {
    entries,
    log: (level, message, fields) => {
      entries.push({ level, message, fields: fields ?? {} });
    },
  };
}

export const noLog: Log = () => undefined;

/** What a part may say about itself. `host/` decides where it goes; tests collect it. */

export type LogLevel = 'debug' | 'info' | 'warn' | 'error';
export type LogFields = Readonly<Record<string, unknown>>;

export interface Log {
  (level: LogLevel, message: string, fields?: LogFields): void;
}

/** Says a message at most once a second per key, with the number of those left out: a hostile peer can't fill the log. */
export function throttledLog(
  log: Log,
  monotonic: () => number,
): (key: string, level: LogLevel, message: string, fields?: LogFields) => void {
  const seen = new Map<string, { at: number; held: number }>();
  return (key, level, message, fields) => {
    const now = monotonic();
    const last = seen.get(key);
    if (last !== undefined && now - last.at < 1_000) {
      last.held++;
      return;
    }
    if (seen.size > 1_000) seen.clear();
    seen.set(key, { at: now, held: 0 });
    log(level, message, last !== undefined && last.held > 0 ? { ...fields, leftOut: last.held } : fields);
  };
}

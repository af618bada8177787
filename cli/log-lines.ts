/** Log lines of a hub or agent on stderr: `2026-03-01T09:05:07.123Z warn message {"field":1}`. */
import type { Log, LogLevel } from '../model/log.ts';

const levels: readonly LogLevel[] = ['debug', 'info', 'warn', 'error'];

/** Writes what is at least as grave as `POLARON_LOG` (default `info`). */
export function lineLog(write: (line: string) => void, now: () => number, env: NodeJS.ProcessEnv): Log {
  const least = Math.max(
    0,
    levels.findIndex((level) => level === (env['POLARON_LOG'] ?? 'info')),
  );
  return (level, message, fields) => {
    if (levels.indexOf(level) < least) return;
    const rest = fields === undefined || Object.keys(fields).length === 0 ? '' : ` ${toText(fields)}`;
    write(`${new Date(now()).toISOString()} ${level} ${message}${rest}`);
  };
}

function toText(fields: Readonly<Record<string, unknown>>): string {
  const seen = (_: string, value: unknown): unknown => {
    if (typeof value === 'bigint') return String(value);
    if (value instanceof Error) return value.message;
    return value;
  };
  try {
    return JSON.stringify(fields, seen);
  } catch {
    return '[unprintable]';
  }
}

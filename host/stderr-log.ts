/** Log lines on stderr: time, level, part, message, fields. */
import type { Log, LogLevel } from '../model/log.ts';

const order: readonly LogLevel[] = ['debug', 'info', 'warn', 'error'];

let deaf = false;
/** A full disk behind the log, or a reader that has gone, must not end who writes it. */
function outliveTheReader(): void {
  if (deaf) return;
  deaf = true;
  process.stderr.on('error', () => undefined);
}

/** Level from POLARON_LOG (debug, info, warn, error). @default info */
export function stderrLog(part: string, env: NodeJS.ProcessEnv = process.env): Log {
  const least = Math.max(
    0,
    order.findIndex((level) => level === (env['POLARON_LOG'] ?? 'info')),
  );
  outliveTheReader();
  return (level, message, fields) => {
    if (order.indexOf(level) < least) return;
    const tail = fields === undefined || Object.keys(fields).length === 0 ? '' : ` ${JSON.stringify(fields)}`;
    process.stderr.write(`${new Date().toISOString()} ${level.padEnd(5)} ${part}: ${message}${tail}\n`);
  };
}

/** What `context().log` of a local run prints: what `polaron logs` would show of it. Bundles have agent-local-log.ts in its place. */
import { entriesOf, entryText } from '../model/log-entry.ts';
import { logLine } from '../model/log-line.ts';

/** The line, without its end. */
export const localLine = (message: string, fields?: Record<string, unknown>): string =>
  entriesOf(logLine(0, message, fields))
    .map(entryText)
    .join('');

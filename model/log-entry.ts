/**
 * What an attempt writes: two streams of text, and the entries of `context().log`, which travel and are kept as a third stream, a line of JSON each.
 * Of a long stream the beginning and the end are kept, with a mark between. Not here: the keeping (executors/runner/log-buffer.ts).
 */

/** Kept of a stream's beginning, and of its end. */
export const HEAD_CHARS = 32 * 1024;
export const TAIL_CHARS = 32 * 1024;

/** What stands for the characters between. */
export const leftOutMark = (chars: number): string => `\n… ${chars} characters left out …\n`;

export const streams = ['stdout', 'stderr', 'log'] as const;
export type Stream = (typeof streams)[number];

/** One call of `context().log`. */
export interface LogEntry {
  /** Wall clock of the agent, ms. */
  readonly at: number;
  readonly message: string;
  readonly fields?: Readonly<Record<string, unknown>>;
}

const LEFT_OUT = /^… \d+ characters left out …$/;
const LEFT_OUT_IN_TEXT = /^\n… (\d+) characters left out …\n/;

/** A kept stream from its character `from` on, and how many it has written in all. What is new and was left out is said. */
export function streamFrom(text: string, from: number): { readonly text: string; readonly end: number } {
  const mark = text.length > HEAD_CHARS ? LEFT_OUT_IN_TEXT.exec(text.slice(HEAD_CHARS, HEAD_CHARS + 64)) : null;
  if (mark === null) return { text: text.slice(from), end: text.length };
  const tailAt = HEAD_CHARS + Number(mark[1]);
  const tail = text.slice(HEAD_CHARS + mark[0].length);
  const end = tailAt + tail.length;
  if (from >= tailAt) return { text: tail.slice(from - tailAt), end };
  const head = text.slice(from, Math.max(from, HEAD_CHARS));
  return { text: `${head}${leftOutMark(tailAt - Math.max(from, HEAD_CHARS))}${tail}`, end };
}

const isRecord = (x: unknown): x is Record<string, unknown> => typeof x === 'object' && x !== null && !Array.isArray(x);

/** The entries of a `log` stream. What the bound of a stream left out is one that says so; a line that it cut is gone. */
export function entriesOf(text: string): readonly LogEntry[] {
  const entries: LogEntry[] = [];
  for (const line of text.split('\n')) {
    const entry = LEFT_OUT.test(line) ? { at: entries.at(-1)?.at ?? 0, message: line } : entryOf(line);
    if (entry !== undefined) entries.push(entry);
  }
  return entries;
}

function entryOf(line: string): LogEntry | undefined {
  if (!line.startsWith('{')) return undefined;
  try {
    const parsed: unknown = JSON.parse(line);
    if (!isRecord(parsed) || typeof parsed['at'] !== 'number' || typeof parsed['message'] !== 'string')
      return undefined;
    const { at, message, fields } = parsed;
    return isRecord(fields) ? { at, message, fields } : { at, message };
  } catch {
    return undefined;
  }
}

/** `epoch done  epoch=3 loss=0.25 note="two words"` */
export function entryText({ message, fields }: Pick<LogEntry, 'message' | 'fields'>): string {
  const said = Object.entries(fields ?? {}).map(([key, value]) => `${key}=${valueText(value)}`);
  return said.length === 0 ? message : `${message}  ${said.join(' ')}`;
}

const valueText = (value: unknown): string =>
  typeof value === 'string' && /^[^\s"=]+$/.test(value) ? value : JSON.stringify(value);

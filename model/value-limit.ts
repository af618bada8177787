/** How large a value may be: the environment's word, else the default; and what is said of a larger one. Not here: who checks it (the SDK, runners, agents, the store). */
import { defaults } from './defaults.ts';
import { PolaronError } from './errors.ts';

/** No value is larger: the system's calls and Node's buffers end at 2 GiB. */
export const LARGEST_VALUE_BYTES = 2 * 1024 ** 3 - 1024 ** 2;
/** One that lies in a message all the same. */
const LEAST = 64 * 1024;

/** Raises USAGE for a POLARON_MAX_VALUE_BYTES that is no number of bytes up to 2 GiB. */
export function maxValueBytesOf(env: Readonly<Record<string, string | undefined>>): number {
  const text = env['POLARON_MAX_VALUE_BYTES'];
  if (text === undefined || text === '') return defaults.maxValueBytes;
  const n = Number(text);
  if (Number.isSafeInteger(n) && n >= LEAST && n <= LARGEST_VALUE_BYTES) return n;
  throw new PolaronError(
    'USAGE',
    `POLARON_MAX_VALUE_BYTES is ${JSON.stringify(text)}; expected a number of bytes from ${LEAST} to ${LARGEST_VALUE_BYTES}`,
  );
}

/** `bytes`: undefined when it was given up before they were counted. */
export function valueTooLarge(what: string, bytes: number | undefined, limit: number): PolaronError {
  const size = bytes === undefined ? `more than ${LARGEST_VALUE_BYTES}` : String(bytes);
  return new PolaronError(
    'VALUE_TOO_LARGE',
    `${what} takes ${size} bytes; at most ${limit} are kept. Split it (a list of parts, each an electron's own result), or pass the path or address of the data`,
    {
      details: { limit, ...(bytes === undefined ? {} : { bytes }) },
    },
  );
}

/** What the invoke API of AWS Lambda answers: an outcome of `lambdaHandler`, or why its function failed. Not here: the request (post.ts). */
import { object, parse, text } from '../../bus/protocol/shape.ts';
import { PolaronError } from '../../model/errors.ts';
import type { Reply } from './post.ts';

/** Lambda itself has a limit of 6 MiB. */
const MOST_BYTES = 16 * 1024 * 1024;
const SHOWN_CHARS = 500;

const readOutcome = object((o) => text(o, 'outcome', MOST_BYTES));

/** Raises HTTP_FUNCTION, with Lambda's own words, JOB_FAILED when it is no outcome, and what the body raises. */
export async function lambdaAnswer({ headers, body }: Reply): Promise<Uint8Array> {
  const chunks: Uint8Array[] = [];
  let bytes = 0;
  for await (const chunk of body) {
    bytes += chunk.length;
    if (bytes > MOST_BYTES)
      throw new PolaronError('JOB_FAILED', `the answer of its function takes more than ${MOST_BYTES} bytes`);
    chunks.push(chunk);
  }
  const said = Buffer.concat(chunks).toString('utf8');
  const failure = headers['x-amz-function-error'];
  if (failure !== undefined)
    throw new PolaronError('HTTP_FUNCTION', `its function failed (${String(failure)}): ${said.slice(0, SHOWN_CHARS)}`);
  try {
    return Buffer.from(parse('an answer', readOutcome, JSON.parse(said)), 'base64');
  } catch (cause) {
    throw new PolaronError(
      'JOB_FAILED',
      `the answer of its function is none of lambdaHandler: ${said.slice(0, SHOWN_CHARS)}`,
      { cause },
    );
  }
}

/** A function as AWS Lambda has it, called by its invoke API: a job and its answer as base64 in JSON. Not here: running it (run-packed.ts). */
import { runPacked, type RunPackedOptions } from './run-packed.ts';

/** What Lambda calls. */
export type LambdaHandler = (event: unknown) => Promise<{ readonly outcome: string }>;

/** Serves the executor `http` with `format: 'lambda'`: `export const handler = lambdaHandler()`. Raises nothing; the handler rejects with an Error when the event holds no job. */
export function lambdaHandler(options: Omit<RunPackedOptions, 'signal'> = {}): LambdaHandler {
  return async (event) => {
    const job = typeof event === 'object' && event !== null && 'job' in event ? event.job : undefined;
    if (typeof job !== 'string')
      throw new Error('the event holds no `job`: expected one of the executor http of Polaron');
    const parts: Uint8Array[] = [];
    for await (const part of runPacked(Buffer.from(job, 'base64'), options)) parts.push(part);
    return { outcome: Buffer.concat(parts).toString('base64') };
  };
}

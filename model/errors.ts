/**
 * The one error class. Not here: the codes (error-table.ts), how an error is shown (sdk, cli) and when something is tried again (retry.ts reads `retryable`).
 */
import { isRetryable, remedyOf, type ErrorCode } from './error-table.ts';

export type { ErrorCode } from './error-table.ts';

/** Structured facts about an error; plain data only, so that it can be sent and stored. */
export type ErrorDetails = Readonly<Record<string, unknown>>;

export interface PolaronErrorOptions {
  readonly details?: ErrorDetails;
  readonly cause?: unknown;
  /** Overrides the table's remedy. */
  readonly help?: string;
}

/** What an error of any copy of this class has: the user's, a bundle's and the runner's are three. */
const BRAND = Symbol.for('polaron.error.v1');

/** The one error class. `message` says what failed, with which value, and what to do; policy reads `code` and `retryable`, never text. */
export class PolaronError extends Error {
  /** Word of docs/errors.md. */
  readonly code: ErrorCode;
  /** Whether the same may succeed later. */
  readonly retryable: boolean;
  /** Facts about it, as plain data. */
  readonly details: ErrorDetails;
  /** What to do. */
  readonly help: string;

  constructor(code: ErrorCode, message: string, options: PolaronErrorOptions = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.name = 'PolaronError';
    this.code = code;
    this.retryable = isRetryable(code);
    this.details = options.details ?? {};
    this.help = options.help ?? remedyOf(code);
  }

  get [BRAND](): true {
    return true;
  }
}

/** The code of a Polaron error, whichever copy of the package made it; undefined for any other error. */
export function codeOfError(error: object): string | undefined {
  const code: unknown = Reflect.get(error, BRAND) === true ? Reflect.get(error, 'code') : undefined;
  return typeof code === 'string' ? code : undefined;
}

/** Any thrown thing as a PolaronError; foreign ones become `fallback` and stay as its cause. */
export function asPolaronError(error: unknown, fallback: ErrorCode): PolaronError {
  if (error instanceof PolaronError) return error;
  const message = error instanceof Error ? error.message : String(error);
  return new PolaronError(fallback, message, { cause: error });
}

/** Ends a `switch` over a closed union: a compile error when a case is missing, a throw when the wire lied. */
export function assertNever(value: never, what: string): never {
  throw new PolaronError('BAD_MESSAGE', `${what}: unexpected ${JSON.stringify(value)}`);
}

/**
 * How the items of a map with `onItemError: 'collect'` ended in a local run, told as a hub tells it: which node failed first, and of what.
 * Not here: running them (local.ts), what a reason holds (model/reason.ts).
 */
import { PolaronError } from '../model/errors.ts';
import type { ErrorInfo } from '../model/outcome.ts';
import { reasonOf } from '../model/reason.ts';
import type { SettledItem } from './types.ts';

interface Origin {
  readonly node: string;
  readonly isLattice: boolean;
}

export class Failures {
  /** An error passes from a node to those that need it: the first that had it is where it came from. */
  readonly #origins = new WeakMap<object, Origin>();

  /** A node ended with `error`. */
  add(error: unknown, origin: Origin): void {
    if (typeof error === 'object' && error !== null && !this.#origins.has(error)) this.#origins.set(error, origin);
  }

  async settled(item: Promise<unknown>): Promise<SettledItem<unknown>> {
    try {
      return { status: 'fulfilled', value: await item };
    } catch (error) {
      return { status: 'rejected', reason: this.#reason(error) };
    }
  }

  #reason(error: unknown) {
    const origin = typeof error === 'object' && error !== null ? this.#origins.get(error) : undefined;
    const failed = error instanceof PolaronError ? error.details['electron'] : undefined;
    const code = error instanceof PolaronError ? error.code : 'TASK_THREW';
    const info = infoOf(failed === undefined || !(error instanceof Error) ? error : error.cause, code);
    const node = origin?.node ?? String(failed);
    // A hub names the electron in front, and keeps what it failed of as the cause.
    if (origin?.isLattice === true)
      return reasonOf({ node, error: { code, message: `${String(failed)}: ${info.message}`, cause: info } });
    return reasonOf({ node, error: info });
  }
}

const MOST_CAUSES = 8;

function infoOf(thrown: unknown, code: string, depth = 0): ErrorInfo {
  if (!(thrown instanceof Error)) return { code, message: String(thrown) };
  const { message, cause } = thrown;
  return {
    code: thrown instanceof PolaronError ? thrown.code : code,
    message,
    ...(cause === undefined || depth === MOST_CAUSES ? {} : { cause: infoOf(cause, code, depth + 1) }),
  };
}

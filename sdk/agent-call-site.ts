/**
 * What bundles have in place of call-site.ts: which line of user code led here, for messages, read from the text of a stack that the
 * runner's source maps already name in the author's files. Not here: which module defines something; in a bundle all are one file.
 */
import type { CallSite } from './call-site.ts';

class StackSite implements CallSite {
  readonly file = undefined;
  readonly line = 0;
  readonly column = 0;
  /** Its text is made when somebody reads it. */
  readonly #error = new Error('here');

  get at(): string {
    const place = /polaron:\/\/\/(?!node_modules)[^\s)]*?([^\s/)]+:\d+):\d+/.exec(this.#error.stack ?? '');
    return place?.[1] ?? 'unknown place';
  }
}

/** The place of a definition, for messages. */
export const definitionSite = (): CallSite => new StackSite();

/** The innermost user line: where to look when a call failed. */
export const errorSite = definitionSite;

/** Lines that a host's side says before the daemon's bytes: a login script may have printed anything before them. */
import { writeSync } from 'node:fs';

/** `need`: the program isn't there; `ready`: the daemon's bytes follow; `fail`: why nothing will. */
export type MarkerWord = 'need' | 'ready' | 'fail';

/** What begins such a line; the nonce is the connection's. */
export const markerOf = (nonce: string): string => `\npolaron:${nonce}:`;

export function say(nonce: string, word: MarkerWord, about: unknown): void {
  writeSync(1, `${markerOf(nonce)}${word} ${JSON.stringify(about)}\n`);
}

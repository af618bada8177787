/** A part that only some machines have: where it is missing its tests are skipped visibly, or fail when POLARON_REQUIRE_REAL=1. */
import { describe, test } from 'vitest';
import { realPartsRequired } from './nats-server.ts';

/** Runs `define` with the part, else leaves one skipped (or failing) suite that says why. */
export function withRealPart<T>(what: string, part: T | undefined, why: string, define: (part: T) => void): void {
  if (part !== undefined) {
    define(part);
    return;
  }
  if (realPartsRequired) {
    describe(what, () => {
      test('is there', () => {
        throw new Error(`${what} is missing (${why}), and POLARON_REQUIRE_REAL=1 asks for it`);
      });
    });
    return;
  }
  describe.skip(`${what}: skipped, ${why}`, () => {
    test('runs where it is installed', () => undefined);
  });
}

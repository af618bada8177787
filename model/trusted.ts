/**
 * The one place where a value gets a type that the compiler can't check: handles that the SDK makes dynamically, records and answers
 * that our own code wrote, the text that a hash function gives. What comes from outside is checked instead (bus/protocol/shape.ts).
 */

/** `value`, taken on trust to be a `T`. */
// oxlint-disable-next-line typescript/no-unsafe-type-assertion, typescript/no-unnecessary-type-parameters
export const trusted = <T>(value: unknown): T => value as T;

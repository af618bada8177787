/**
 * The one place where a value gets a type that the compiler can't check: the public types (types.ts) describe proxies and
 * handles that are made dynamically. Use it only at that border.
 */

/** `value`, taken on trust to be a `T`. */
// oxlint-disable-next-line typescript/no-unsafe-type-assertion, typescript/no-unnecessary-type-parameters
export const trusted = <T>(value: unknown): T => value as T;

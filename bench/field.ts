/** A field of a parsed document that nobody has typed; undefined where there is none. */
export const field = (document: unknown, key: string): unknown =>
  typeof document === 'object' && document !== null ? Reflect.get(document, key) : undefined;

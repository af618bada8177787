/** Reads what an engine answers: JSON of which only a few fields matter, and which engines fill differently. */

/** Undefined when it is none. */
export function readJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/** What lies under these keys. */
export function fieldIn(value: unknown, ...keys: readonly string[]): unknown {
  let at = value;
  for (const key of keys) at = typeof at === 'object' && at !== null ? Reflect.get(at, key) : undefined;
  return at;
}

export function textIn(value: unknown, ...keys: readonly string[]): string | undefined {
  const found = fieldIn(value, ...keys);
  return typeof found === 'string' ? found : undefined;
}

export const listIn = (value: unknown): readonly unknown[] => (Array.isArray(value) ? value : []);

/**
 * What the bench and a peer's driver say to each other, a line of JSON each: the driver `{"ready":true}` once, then for each `{"form":"W1 flow"}` one
 * `{"values":[…]}` or `{"error":"…"}`. Other lines are a library's chatter. The drivers' side is serve.mjs, and the end of dask/driver.py.
 */
export type DriverLine =
  | { readonly kind: 'ready' }
  | { readonly kind: 'values'; readonly values: readonly number[] }
  | { readonly kind: 'error'; readonly error: string };

export function readDriverLine(line: string): DriverLine | undefined {
  const body = parse(line);
  if (typeof body !== 'object' || body === null) return undefined;
  if ('ready' in body) return { kind: 'ready' };
  if ('error' in body) return { kind: 'error', error: String(body.error) };
  if (!('values' in body) || !Array.isArray(body.values)) return undefined;
  const values: readonly unknown[] = body.values;
  const numbers = values.filter((value): value is number => typeof value === 'number' && Number.isFinite(value));
  const complete = numbers.length > 0 && numbers.length === values.length;
  return complete ? { kind: 'values', values: numbers } : { kind: 'error', error: `no figures: ${line}` };
}

export const isReady = (line: string): true | undefined => (readDriverLine(line)?.kind === 'ready' ? true : undefined);

function parse(line: string): unknown {
  try {
    return JSON.parse(line);
  } catch {
    return undefined;
  }
}

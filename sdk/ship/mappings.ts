/**
 * The `mappings` text of a source map (ECMA-426: base64 VLQ fields, each relative to the last of its kind).
 * Not here: which sources a bundle has and how they are named (source-map.ts).
 */

const DIGITS = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/';
const valueOf = new Map(Array.from(DIGITS, (digit, value) => [digit, value]));

/**
 * The same mappings, where of each stretch that comes from one of the `coarse` sources only the beginning is left: a position in it still names
 * the source, no longer its line.
 * @param coarse by the source's index
 */
export function coarsened(mappings: string, coarse: readonly boolean[]): string {
  // generated column, source, line, column, name: as read, and as last written
  const read = [0, 0, 0, 0, 0];
  const written = [0, 0, 0, 0, 0];
  return mappings
    .split(';')
    .map((line) => {
      read[0] = 0;
      written[0] = 0;
      let stretch: number | undefined;
      const kept: string[] = [];
      for (const segment of line === '' ? [] : line.split(',')) {
        const fields = decoded(segment);
        for (const [i, delta] of fields.entries()) read[i] = (read[i] ?? 0) + delta;
        const source = fields.length > 1 ? read[1] : undefined;
        const inside = source !== undefined && source === stretch && coarse[source] === true;
        stretch = source;
        if (inside) continue;
        kept.push(fields.map((_, i) => encoded((read[i] ?? 0) - (written[i] ?? 0))).join(''));
        for (const i of fields.keys()) written[i] = read[i] ?? 0;
      }
      return kept.join(',');
    })
    .join(';');
}

function decoded(segment: string): number[] {
  const fields: number[] = [];
  let [value, shift] = [0, 0];
  for (const digit of segment) {
    const bits = valueOf.get(digit) ?? 0;
    value += (bits & 31) << shift;
    shift += 5;
    if ((bits & 32) !== 0) continue;
    fields.push((value & 1) === 1 ? -(value >>> 1) : value >>> 1);
    [value, shift] = [0, 0];
  }
  return fields;
}

function encoded(value: number): string {
  let rest = value < 0 ? (-value << 1) | 1 : value << 1;
  let text = '';
  do {
    const more = rest > 31 ? 32 : 0;
    text += DIGITS.charAt((rest & 31) | more);
    rest >>>= 5;
  } while (rest > 0);
  return text;
}

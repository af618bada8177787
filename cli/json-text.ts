/** JSON for people: what fits into a line is one, all else is indented. Not here: values as JSON (value-json.ts). */

/** Like `JSON.stringify`, in lines of at most `width` characters where that can be. `x` is what JSON.parse could have given. */
export function jsonText(x: unknown, width = 100, indent = ''): string {
  const flat = JSON.stringify(x) ?? 'null';
  if (typeof x !== 'object' || x === null || flat.length + indent.length <= width) return spaced(flat, x);
  const inner = `${indent}  `;
  const lines = Array.isArray(x)
    ? x.map((item) => `${inner}${jsonText(item, width, inner)}`)
    : Object.entries(x).flatMap(([key, item]) =>
        item === undefined ? [] : [`${inner}${JSON.stringify(key)}: ${jsonText(item, width, inner)}`],
      );
  const [begin, end] = Array.isArray(x) ? ['[', ']'] : ['{', '}'];
  return `${begin}\n${lines.join(',\n')}\n${indent}${end}`;
}

/** `{"a":1}` as `{ "a": 1 }`. */
function spaced(flat: string, x: unknown): string {
  if (typeof x !== 'object' || x === null || flat.length <= 2) return flat;
  if (Array.isArray(x)) return `[${x.map((item: unknown) => spaced(JSON.stringify(item) ?? 'null', item)).join(', ')}]`;
  const fields = Object.entries(x).filter(([, item]) => item !== undefined);
  const texts = fields.map(([key, item]) => `${JSON.stringify(key)}: ${spaced(JSON.stringify(item) ?? 'null', item)}`);
  return `{ ${texts.join(', ')} }`;
}

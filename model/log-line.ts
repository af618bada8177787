/** A call of `context().log` as a line of JSON: user code may pass anything, of any size. Never throws. */

/** Characters of a message, and of all fields together as JSON. */
const LONGEST_MESSAGE = 8 * 1024;
const LONGEST_FIELDS = 8 * 1024;

/** The line, with its end. */
export function logLine(at: number, message: unknown, fields: unknown): string {
  const said = `{"at":${at},"message":${JSON.stringify(cut(textOf(message), LONGEST_MESSAGE))}`;
  const json = fields === undefined || fields === null ? undefined : fieldsJson(fields);
  return json === undefined ? `${said}}\n` : `${said},"fields":${json}}\n`;
}

/** Fields that are no plain object are one field, `value`. */
function fieldsJson(fields: unknown): string {
  const plain = typeof fields === 'object' && !Array.isArray(fields) && !(fields instanceof Error);
  try {
    const json = JSON.stringify(plain ? fields : { value: fields }, readable);
    return json.length <= LONGEST_FIELDS ? json : JSON.stringify({ cut: cut(json, LONGEST_FIELDS / 2) });
  } catch (error) {
    // a cycle, a getter that throws
    return JSON.stringify({ unreadable: cut(textOf(error), 1_000) });
  }
}

/** What JSON would lose or refuse. */
function readable(_key: string, value: unknown): unknown {
  if (typeof value === 'bigint') return `${value}n`;
  if (typeof value === 'number') return Number.isFinite(value) ? value : String(value);
  if (typeof value === 'function' || typeof value === 'symbol') return String(value).slice(0, 200);
  if (value instanceof Error) return { name: value.name, message: value.message };
  if (value instanceof Map)
    return Object.fromEntries([...value].map(([key, item]: [unknown, unknown]) => [String(key), item]));
  if (value instanceof Set) return [...value];
  return ArrayBuffer.isView(value) ? `${value.constructor.name} of ${value.byteLength} bytes` : value;
}

function textOf(x: unknown): string {
  try {
    return String(x);
  } catch {
    return 'something that has no text';
  }
}

const cut = (text: string, most: number): string =>
  text.length <= most ? text : `${text.slice(0, most)}… ${text.length - most} characters left out`;

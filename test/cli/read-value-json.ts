/** Reads what `polaron result --json` writes: an independent reader of the table in docs/cli.md. */
import { Coded, type Json } from '../../cli/value-json.ts';

type Fields = { readonly [key: string]: Json };
type Place = { readonly json: Json; value: unknown };

const isFields = (json: Json): json is Fields => typeof json === 'object' && json !== null && !Array.isArray(json);
const text = (json: Json | undefined): string => {
  if (typeof json !== 'string') throw new Error(`expected a string, got ${JSON.stringify(json)}`);
  return json;
};
const list = (json: Json | undefined): readonly Json[] => {
  if (!Array.isArray(json)) throw new Error(`expected a list, got ${JSON.stringify(json)}`);
  return json;
};

/** JSON → value; a `cycle` becomes the object that its path names. */
export function readValueJson(json: Json): unknown {
  const places = new Map<string, Place>();
  const at = (path: string, value: object): void => {
    places.set(path, { json, value });
  };

  const read = (json: Json, path: string): unknown => {
    if (Array.isArray(json)) {
      const made: unknown[] = [];
      at(path, made);
      json.forEach((item: Json, i) => made.push(read(item, `${path}/${i}`)));
      return made;
    }
    if (!isFields(json)) return json;
    if (typeof json['$type'] === 'string') return readTagged(json, path, json['$type']);
    const made: Record<string, unknown> = {};
    at(path, made);
    for (const [key, item] of Object.entries(json)) made[key] = read(item, `${path}/${step(key)}`);
    return made;
  };

  const entries = (json: Json | undefined, path: string): [unknown, unknown][] =>
    list(json).map((pair, i) => {
      const [key, item] = list(pair);
      return [read(key ?? null, `${path}/${i}/0`), read(item ?? null, `${path}/${i}/1`)];
    });

  const readTagged = (json: Fields, path: string, type: string): unknown => {
    switch (type) {
      case 'undefined':
        return undefined;
      case 'number':
        return Number(text(json['value']));
      case 'bigint':
        return BigInt(text(json['value']));
      case 'Date':
        return new Date(json['value'] === null ? Number.NaN : text(json['value']));
      case 'RegExp': {
        const made = new RegExp(text(json['source']), text(json['flags']));
        made.lastIndex = Number(json['lastIndex']);
        return made;
      }
      case 'URL':
        return new URL(text(json['value']));
      case 'Map': {
        const made = new Map<unknown, unknown>();
        at(path, made);
        for (const [key, item] of entries(json['entries'], `${path}/entries`)) made.set(key, item);
        return made;
      }
      case 'Set': {
        const made = new Set<unknown>();
        at(path, made);
        list(json['values']).forEach((item, i) => made.add(read(item, `${path}/values/${i}`)));
        return made;
      }
      case 'codec':
        return new Coded(text(json['name']), read(json['value'] ?? null, `${path}/value`));
      case 'Error': {
        const made = new Error(text(json['message']));
        at(path, made);
        Object.defineProperty(made, 'name', { value: text(json['name']), configurable: true, writable: true });
        made.stack = text(json['stack']);
        if (json['cause'] !== undefined) made.cause = read(json['cause'], `${path}/cause`);
        for (const [key, item] of entries(json['properties'] ?? [], `${path}/properties`))
          Reflect.set(made, String(key), item);
        return made;
      }
      case 'bytes':
        return new Uint8Array(Buffer.from(text(json['base64']), 'base64'));
      case 'ArrayBuffer':
        return new Uint8Array(Buffer.from(text(json['base64']), 'base64')).buffer;
      case 'DataView':
        return new DataView(new Uint8Array(Buffer.from(text(json['base64']), 'base64')).buffer);
      case 'TypedArray': {
        const values = list(json['values']).map((item) => read(item, ''));
        const name = text(json['name']);
        const made: unknown = Reflect.construct(Reflect.get(globalThis, name), [
          name.startsWith('Big') ? values.map((item) => BigInt(String(item))) : values,
        ]);
        return made;
      }
      case 'object': {
        const made: Record<string, unknown> = {};
        at(path, made);
        for (const [key, item] of entries(json['entries'], `${path}/entries`)) made[String(key)] = item;
        return made;
      }
      case 'cycle': {
        const target = places.get(text(json['path']));
        if (target === undefined) throw new Error(`nothing at ${text(json['path'])}`);
        return target.value;
      }
      default:
        throw new Error(`unknown $type ${type}`);
    }
  };

  return read(json, '');
}

const step = (key: string): string => key.replaceAll('~', '~0').replaceAll('/', '~1');

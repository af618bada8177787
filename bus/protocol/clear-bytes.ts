/**
 * Bytes inside a message as people can read them: values and templates decoded, graphs and parts opened, all else as its length and how it begins.
 * Not here: what a message is (clear-message.ts), how a value is written as JSON (whoever shows it).
 */
import { decodeBody, encodeBody } from '../codec.ts';
import { Tag } from '../value/format.ts';
import { decodeTemplate } from '../value/template.ts';
import { decodeValue } from '../value/value.ts';
import { decodeGraph } from './wire-graph.ts';

/** How a decoded value is shown. */
export type ShowValue = (value: unknown) => unknown;

/** Larger ones are not opened: who looks on reads no megabyte. */
const LARGEST_OPENED = 256 * 1024;
const SHOWN_BYTES = 32;
/** A graph is an array of four. */
const GRAPH_HEAD = 0x94;

/** Anything decoded, with the bytes in it in clear. */
export function clear(x: unknown, show: ShowValue): unknown {
  if (x instanceof Uint8Array) return clearBytes(x, show);
  if (Array.isArray(x)) return x.map((item) => clear(item, show));
  if (typeof x !== 'object' || x === null) return x;
  return Object.fromEntries(Object.entries(x).map(([key, item]) => [key, clear(item, show)]));
}

/** `{$value}`, `{$template}`, `{$graph}`, what a part holds, or `{$bytes, begins}`. Never raises. */
export function clearBytes(bytes: Uint8Array, show: ShowValue): unknown {
  const opened = bytes.length <= LARGEST_OPENED ? open(bytes, show) : undefined;
  if (opened !== undefined) return opened;
  return { $bytes: bytes.length, begins: Buffer.from(bytes.subarray(0, SHOWN_BYTES)).toString('hex') };
}

/** Undefined when they are nothing that is known. */
export function open(bytes: Uint8Array, show: ShowValue): object | undefined {
  try {
    const first = bytes[0] ?? 0;
    if (first === Tag.TEMPLATE) return { $template: show(decodeTemplate(bytes, inputMark)) };
    if (first >= Tag.PLAIN && first <= Tag.SETTLED) return { $value: show(decodeValue(bytes, pointerMark)) };
    if (first === GRAPH_HEAD) return { $graph: clear(decodeGraph(bytes), show) };
    const part = decodeBody(bytes);
    return typeof part === 'object' && part !== null && !Array.isArray(part) && !(part instanceof Uint8Array)
      ? Object.fromEntries(Object.entries(part).map(([key, item]) => [key, clear(item, show)]))
      : undefined;
  } catch {
    return undefined; // bytes of something else
  }
}

const inputMark = (input: number, path: readonly (string | number)[]): object =>
  path.length === 0 ? { $input: input } : { $input: input, path: [...path] };

/** An encoded value that says where the real one is. */
const pointerMark = (digest: string, size: number): Uint8Array =>
  Buffer.concat([Uint8Array.of(Tag.PLAIN), encodeBody({ $pointer: digest, size })]);

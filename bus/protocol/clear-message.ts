/**
 * One message of the bus in clear, for people who look on: what it is, who says it, what it says. It is recognised by its content, and better with its subject.
 * Nothing is checked: a message that no part would take is shown as it is. Not here: how it is printed.
 */
import { decodeBody } from '../codec.ts';
import { readStrangers } from '../value/value-reader.ts';
import { clear, open, type ShowValue } from './clear-bytes.ts';

export interface ClearMessage {
  /** What it is, in the protocol's words. */
  readonly kind: string;
  /** Who says so, of an envelope. */
  readonly by?: string;
  /** Of its signature, and how many bytes that has. */
  readonly key?: string;
  readonly signed?: number;
  /** Its dotted word: of an event, or between actors. */
  readonly type?: string;
  /** Of the message between actors. */
  readonly from?: string;
  readonly bytes: number;
  /** Absent: there is nothing in it. */
  readonly body?: unknown;
}

export interface ClearOptions {
  readonly subject?: string | undefined;
  readonly show: ShowValue;
  /** Stands for an instance of a class that is in nobody's code here. */
  readonly stranger: (codec: string, content: unknown) => object;
}

type Fields = Readonly<Record<string, unknown>>;
/** Of code and other long texts only the beginning. */
const LONGEST_TEXT = 2_000;
const isFields = (x: unknown): x is Fields =>
  typeof x === 'object' && x !== null && !Array.isArray(x) && !(x instanceof Uint8Array);

/** Messages by fields that no other has. The first that fits is it. */
const byFields: readonly (readonly [kind: string, ...fields: string[]])[] = [
  ['sync', 'epoch', 'seq', 'seen', 'run'],
  ['answer to a sync', 'seq', 'leaseMs', 'drop'],
  ['assign', 'manifests', 'electrons', 'tasks'],
  ['answer to an assign', 'refused'],
  ['done', 'epoch', 'outcomes'],
  ['answer to a done', 'verdicts'],
  ['answer to a done', 'all'],
  ['cancel', 'hub', 'tasks'],
  ['answer to a cancel', 'stopped', 'stopping'],
  ['log', 'task', 'token', 'stream', 'text'],
  ['progress', 'task', 'token', 'fraction'],
  ['blob put', 'digest', 'size', 'offset', 'bytes'],
  ['blob get', 'digest', 'offset', 'length'],
  ['blob has', 'digests'],
  ['part of a message between actors', 'id', 'part', 'parts', 'body'],
  ['submit', 'key', 'lattice', 'graph', 'args'],
  ['redispatch', 'key', 'id'],
  ['answer', 'ok', 'body'],
  ['error', 'ok', 'error'],
  ['answer to a control', 'ok'],
  ['who offers a capability', 'site', 'agent'],
  ['logs of a task', 'token', 'logs'],
  ['logs of a task', 'token'],
  ['logs', 'task'],
  ['request about a dispatch', 'id'],
];
const syncAnswers = ['epoch-low', 'name-taken', 'superseded', 'unreadable-offer', 'not-ready'];
const controls = ['drain', 'stop'];

/** Never raises. */
export function clearMessage(data: Uint8Array, options: ClearOptions): ClearMessage {
  readStrangers(options.stranger);
  const bytes = data.length;
  if (bytes === 0) return { kind: named(options.subject, 'nothing'), bytes };
  const raw = read(data);
  if (isFields(raw))
    return { ...(raw['body'] instanceof Uint8Array ? enveloped(raw, options) : bare(raw, options)), bytes };
  const json = readJson(data);
  if (json !== undefined) return { ...fromJson(json, options), bytes };
  const opened = open(data, options.show);
  if (opened !== undefined) return { kind: named(options.subject, 'a value, or its first chunk'), body: opened, bytes };
  const text = readText(data);
  if (text !== undefined)
    return { kind: 'text', body: text.length > LONGEST_TEXT ? `${text.slice(0, LONGEST_TEXT)} …` : text, bytes };
  return { kind: 'bytes: a chunk of a value, or nothing of ours', body: clear(data, options.show), bytes };
}

function enveloped(envelope: Fields, options: ClearOptions): Omit<ClearMessage, 'bytes'> {
  const { v, by, body, sig, key } = envelope;
  const inner = body instanceof Uint8Array ? (read(body) ?? body) : body;
  const head = {
    ...(typeof by === 'string' ? { by } : {}),
    ...(typeof key === 'string' ? { key } : {}),
    ...(sig instanceof Uint8Array ? { signed: sig.length } : {}),
  };
  if (v !== 1) return { kind: `envelope of version ${String(v)}`, ...head, body: clear(inner, options.show) };
  return isFields(inner)
    ? { ...head, ...said(inner, options) }
    : { kind: named(options.subject, 'envelope'), ...head, body: clear(inner, options.show) };
}

/** MessagePack that is in no envelope. */
const bare = (fields: Fields, options: ClearOptions): Omit<ClearMessage, 'bytes'> => ({
  ...said(fields, options),
  kind: 'MessagePack without an envelope',
});

function said(body: Fields, options: ClearOptions): Omit<ClearMessage, 'bytes'> {
  const inner = body['body'] instanceof Uint8Array && body['parts'] === undefined ? read(body['body']) : body;
  if (isFields(inner) && isFields(inner['message']) && typeof inner['from'] === 'string') {
    const { type, ...rest } = inner['message'];
    return {
      kind: 'mirror' in body ? 'between actors, mirrored' : 'between actors',
      ...(typeof type === 'string' ? { type } : {}),
      from: inner['from'],
      ...withBody(rest, options),
    };
  }
  return { kind: named(options.subject, kindOf(body)), ...withBody(body, options) };
}

const withBody = (fields: Fields, { show }: ClearOptions): { readonly body?: unknown } =>
  Object.keys(fields).length === 0 ? {} : { body: clear(fields, show) };

function kindOf(body: Fields): string {
  const { type } = body;
  if (typeof type === 'string' && syncAnswers.includes(type)) return 'answer to a sync';
  if (typeof type === 'string' && controls.includes(type)) return 'control';
  const found = byFields.find(([, ...fields]) => fields.every((field) => Object.hasOwn(body, field)));
  return found?.[0] ?? (Object.keys(body).length === 0 ? 'probe, or a request that asks nothing special' : 'message');
}

/** The subject's word for it, where there is one: who asks and who is asked are in it. Answers come on `_INBOX.…`, which says nothing. */
function named(subject: string | undefined, otherwise: string): string {
  const [, group = '', ...rest] = subject?.split('.') ?? [];
  const last = rest.at(-1) ?? '';
  switch (group) {
    case 'api':
      return `${last} of user ${rest[0] ?? ''}`;
    case 'blob':
      return `blob ${last}`;
    case 'capability':
      return `${last} of capability ${rest[0] ?? ''}`;
    case 'up':
    case 'down':
      return last;
    default:
      return otherwise;
  }
}

function fromJson(json: unknown, options: ClearOptions): Omit<ClearMessage, 'bytes'> {
  if (!isFields(json)) return { kind: named(options.subject, 'JSON'), body: json };
  const { type, dispatch, seq } = json;
  if (typeof type === 'string' && typeof dispatch === 'string' && typeof seq === 'number')
    return { kind: 'event', type, body: json };
  if (typeof type === 'string' && type.startsWith('io.nats.')) return { kind: 'NATS', type, body: json };
  const known = typeof json['ok'] === 'boolean';
  return {
    kind: named(options.subject, known ? `${kindOf(json)} in JSON` : 'JSON'),
    ...withBody(known ? unbase64(json) : json, options),
  };
}

/** Fields that are bytes come as base64 in JSON: as bytes again. */
function unbase64(fields: Fields): Fields {
  const convert = (key: string, x: unknown): unknown => {
    if (typeof x === 'string')
      return ['bytes', 'template', 'inputs'].includes(key) ? Uint8Array.from(Buffer.from(x, 'base64')) : x;
    if (Array.isArray(x)) return x.map((item: unknown) => convert(key, item));
    return isFields(x) ? unbase64(x) : x;
  };
  return Object.fromEntries(Object.entries(fields).map(([key, x]) => [key, convert(key, x)]));
}

/** MessagePack, whole; undefined: it is none. */
function read(bytes: Uint8Array): unknown {
  try {
    return decodeBody(bytes);
  } catch {
    return undefined; // something else
  }
}

function readText(bytes: Uint8Array): string | undefined {
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch {
    return undefined; // no text
  }
}

function readJson(bytes: Uint8Array): unknown {
  try {
    return JSON.parse(readText(bytes) ?? '');
  } catch {
    return undefined; // no JSON
  }
}

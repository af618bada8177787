/**
 * The bytes of the messages between an agent and a runner, and their checked readers. What comes with every task is an array, the rest a map;
 * no other version ever reads either. The agent doubts what a runner says: user code may write to the same pipe.
 *
 * run       [1, task, electron, hub epoch, attempt, node, user, lattice, metadata or null, template, [input or path…], 0 or 1 (split), env or null, hooks or null, startBy or 0]
 * finished  [2, task, startedAt, endedAt, 0 or 1 (scratch folder), digest, size, length or -1, bytes or null, file or null], when it completed
 */
import { encodeBody } from '../../bus/codec.ts';
import {
  anything,
  array,
  aText,
  bool,
  field,
  int,
  misfit,
  number,
  object,
  oneOf,
  optional,
  parse,
  parser,
  record,
  text,
  TEXT_LENGTH,
  type Fields,
  type Reader,
} from '../../bus/protocol/shape.ts';
import { errorInfo } from '../../bus/protocol/wire-value.ts';
import { streams } from '../../model/log-entry.ts';
import type { ByteWriter } from '../../bus/byte-writer.ts';
import type { WireReader } from '../../bus/wire-reader.ts';
import { PolaronError } from '../../model/errors.ts';
import { isDigest } from '../../model/ids.ts';
import type { TaskInput } from '../executor.ts';
import { COPY_BYTES } from './frames.ts';
import type { FromRunner, RunFinished, ToRunner } from './messages.ts';

const MANY = 1_000_000;
const RUN = 1;
const RUN_FIELDS = 15;
const FINISHED = 2;
const FINISHED_FIELDS = 10;
const NULL = 0xc0;
const long = (o: Fields, key: string): string => text(o, key, TEXT_LENGTH);

type Completed = Extract<RunFinished['result'], { status: 'completed' }>;

/** Of a message to a runner. */
export function writeToRunner(out: ByteWriter, message: ToRunner): Uint8Array | undefined {
  if (message.type !== 'run') return encodeBody(message);
  const { task, electron, token, node, about, template, inputs, split, env, hooks, startBy } = message;
  const { user, lattice, metadata } = about;
  let bytes = template.length;
  for (const input of inputs) bytes += input instanceof Uint8Array ? input.length : 0;
  if (bytes > COPY_BYTES) {
    const [hub, attempt] = token;
    const sent = inputs.map((input) => (input instanceof Uint8Array ? input : input.file));
    const head = [RUN, task, electron, hub, attempt, node, user, lattice, metadata ?? null];
    return encodeBody([...head, template, sent, split ? 1 : 0, env ?? null, hooks ?? null, startBy]);
  }
  out.array(RUN_FIELDS);
  out.byte(RUN);
  out.text(task);
  out.text(electron);
  out.number(token[0]);
  out.number(token[1]);
  out.text(node);
  out.text(user);
  out.text(lattice);
  if (metadata === undefined) out.byte(NULL);
  else out.raw(encodeBody(metadata));
  out.binary(template);
  out.array(inputs.length);
  for (const input of inputs)
    if (input instanceof Uint8Array) out.binary(input);
    else out.text(input.file);
  out.byte(split ? 1 : 0);
  if (env === undefined) out.byte(NULL);
  else out.raw(encodeBody(env));
  if (hooks === undefined) out.byte(NULL);
  else out.text(hooks);
  out.number(startBy);
  return undefined;
}

/** Of a message of a runner. */
export function writeFromRunner(out: ByteWriter, message: FromRunner): Uint8Array | undefined {
  if (message.type !== 'finished' || message.result.status !== 'completed') return encodeBody(message);
  writeCompleted(out, message, message.result);
  return undefined;
}

/** Its bytes are small: large results are files. */
function writeCompleted(out: ByteWriter, message: RunFinished, { value, bytes, file }: Completed): void {
  out.array(FINISHED_FIELDS);
  out.byte(FINISHED);
  out.text(message.task);
  out.number(message.startedAt);
  out.number(message.endedAt);
  out.byte(message.scratchUsed ? 1 : 0);
  out.text(value.digest);
  out.number(value.size);
  out.number(value.length ?? -1);
  if (bytes === undefined) out.byte(NULL);
  else out.binary(bytes);
  if (file === undefined) out.byte(NULL);
  else out.text(file);
}

/** Reads a message to a runner. Raises BAD_MESSAGE. */
export function readToRunner(body: WireReader): ToRunner {
  if (!body.atArray) return parseToRunner(body.value());
  expect(body, RUN_FIELDS, RUN);
  const task = body.text(TEXT_LENGTH);
  const electron = body.text(TEXT_LENGTH);
  const hub = body.uint();
  const attempt = body.uint();
  const node = body.text(TEXT_LENGTH);
  const user = body.text(TEXT_LENGTH);
  const lattice = body.text(TEXT_LENGTH);
  const metadata: unknown = body.value();
  const template = body.bytes();
  const inputs: TaskInput[] = [];
  for (let left = body.arrayHeader(); left > 0; left--) {
    const input = body.value();
    if (typeof input === 'string') inputs.push({ file: input });
    else if (input instanceof Uint8Array) inputs.push(input);
    else throw bad('bytes or the path of a file');
  }
  const split = body.uint() === 1;
  const env: unknown = body.value();
  const hooks = body.value() ?? undefined;
  if (hooks !== undefined && typeof hooks !== 'string') throw bad('a name or nothing');
  const startBy = aNumber(body.value());
  return {
    type: 'run',
    task,
    electron,
    token: [hub, attempt],
    node,
    about: metadata === null ? { user, lattice } : { user, lattice, metadata: parse('metadata', words, metadata) },
    template,
    inputs,
    split,
    env: env === null ? undefined : parse('env', words, env),
    hooks,
    startBy,
  };
}

/** Reads a message of a runner. Raises BAD_MESSAGE. */
export function readFromRunner(body: WireReader): FromRunner {
  if (!body.atArray) return parseFromRunner(body.value());
  expect(body, FINISHED_FIELDS, FINISHED);
  const task = body.text(TEXT_LENGTH);
  const startedAt = aNumber(body.value());
  const endedAt = aNumber(body.value());
  const scratchUsed = body.uint() === 1;
  const digest: unknown = body.value();
  if (!isDigest(digest)) throw bad('a SHA-256 in hex');
  const size = body.uint();
  const length = aNumber(body.value());
  const bytes = body.value() ?? undefined;
  const file = body.value() ?? undefined;
  if (bytes !== undefined && !(bytes instanceof Uint8Array)) throw bad('bytes or nothing');
  if (file !== undefined && typeof file !== 'string') throw bad('a file or nothing');
  if ((bytes === undefined) === (file === undefined)) throw bad('either bytes or a file');
  if (length !== -1 && !(Number.isSafeInteger(length) && length >= 0)) throw bad('a length or -1');
  const value = length === -1 ? { digest, size } : { digest, size, length };
  const result: Completed =
    bytes !== undefined
      ? { status: 'completed', value, bytes }
      : file === undefined
        ? { status: 'completed', value }
        : { status: 'completed', value, file };
  return { type: 'finished', task, startedAt, endedAt, scratchUsed, result };
}

function expect(body: WireReader, fields: number, kind: number): void {
  if (body.arrayHeader() !== fields || body.uint() !== kind)
    throw bad(`an array of ${fields} that begins with ${kind}`);
}

function aNumber(x: unknown): number {
  if (typeof x !== 'number' || !Number.isFinite(x)) throw bad('a finite number');
  return x;
}

const bad = (expected: string): PolaronError =>
  new PolaronError('BAD_MESSAGE', `a message between agent and runner doesn't fit: expected ${expected}`);

/** Texts by name. */
const words: Reader<Record<string, string>> = (x) => record({ x }, 'x', MANY, aText(TEXT_LENGTH));
const stopCodes = ['CANCELLED', 'TIMEOUT'] as const;

const parseToRunner: Reader<ToRunner> = parser<ToRunner>(
  'message to a runner',
  object((o) => {
    switch (o['type']) {
      case 'cancel':
        return { type: 'cancel', task: text(o, 'task'), code: oneOf(o, 'code', stopCodes), reason: long(o, 'reason') };
      case 'load':
        return {
          type: 'load',
          ...optional(o, 'bundleFile', long),
          argv: array(o, 'argv', MANY, aText(TEXT_LENGTH)),
          ...optional(o, 'env', (from, key) => words(from[key])),
        };
      case 'index':
        return {
          type: 'index',
          electrons: array(o, 'electrons', MANY, aText()),
          captures: record(o, 'captures', MANY, (x) => record({ x }, 'x', MANY, anything)),
        };
      default:
        throw misfit('one of load, index, cancel', o['type'], 'type');
    }
  }),
);

const result: Reader<RunFinished['result']> = object((o) => {
  switch (o['status']) {
    case 'failed':
      return { status: 'failed', error: field(o, 'error', errorInfo) };
    case 'cancelled':
      return { status: 'cancelled' };
    default:
      throw misfit('failed or cancelled', o['status'], 'status');
  }
});

const indexError = object((o) => ({ electron: text(o, 'electron'), error: field(o, 'error', errorInfo) }));

const parseFromRunner: Reader<FromRunner> = parser<FromRunner>(
  "a runner's message",
  object((o) => {
    switch (o['type']) {
      case 'finished':
        return {
          type: 'finished',
          task: text(o, 'task'),
          startedAt: number(o, 'startedAt'),
          endedAt: number(o, 'endedAt'),
          scratchUsed: bool(o, 'scratchUsed'),
          result: field(o, 'result', result),
        };
      case 'log':
        return {
          type: 'log',
          task: text(o, 'task'),
          stream: oneOf(o, 'stream', streams),
          text: long(o, 'text'),
          ...optional(o, 'skipped', (from, key) => int(from, key, Number.MIN_SAFE_INTEGER)),
        };
      case 'progress':
        return {
          type: 'progress',
          task: text(o, 'task'),
          fraction: number(o, 'fraction', 0, 1),
          note: long(o, 'note'),
        };
      case 'loaded':
        return { type: 'loaded' };
      case 'load-failed':
        return { type: 'load-failed', error: field(o, 'error', errorInfo) };
      case 'indexed':
        return { type: 'indexed', errors: array(o, 'errors', MANY, indexError) };
      case 'returned':
        return { type: 'returned', tasks: array(o, 'tasks', MANY, aText()) };
      case 'retiring':
        return { type: 'retiring' };
      default:
        throw misfit('a message of a runner', o['type'], 'type');
    }
  }),
);

/** Checked readers of the messages between an agent and a runner. The agent doubts a runner's: user code may write to the same pipe. Raises BAD_MESSAGE. */
import {
  anything,
  array,
  aText,
  bool,
  bytes,
  field,
  misfit,
  number,
  object,
  oneOf,
  optional,
  parser,
  record,
  text,
  TEXT_LENGTH,
  type Fields,
  type Reader,
} from '../../bus/protocol/shape.ts';
import { errorInfo, valueInfo } from '../../bus/protocol/wire-value.ts';
import type { FromRunner, RunFinished, RunTask, ToRunner } from './messages.ts';

const MANY = 1_000_000;
const long = (o: Fields, key: string): string => text(o, key, TEXT_LENGTH);

const runTask = (o: Fields): RunTask => ({
  type: 'run',
  task: text(o, 'task'),
  electron: text(o, 'electron'),
  attempt: number(o, 'attempt'),
  dispatch: text(o, 'dispatch'),
  node: long(o, 'node'),
  template: bytes(o, 'template'),
  inputs: array(o, 'inputs', 10 * MANY, someBytes),
  split: bool(o, 'split'),
  env: record(o, 'env', MANY, aText(TEXT_LENGTH)),
  scratchDir: long(o, 'scratchDir'),
  ...optional(o, 'startBy', number),
});

const someBytes: Reader<Uint8Array> = (x) => {
  if (!(x instanceof Uint8Array)) throw misfit('bytes', x);
  return x;
};

export const parseToRunner: Reader<ToRunner> = parser<ToRunner>(
  'message to a runner',
  object((o) => {
    switch (o['type']) {
      case 'run':
        return runTask(o);
      case 'cancel':
        return { type: 'cancel', task: text(o, 'task'), reason: long(o, 'reason') };
      case 'load':
        return { type: 'load', ...optional(o, 'bundleFile', long), argv: array(o, 'argv', MANY, aText(TEXT_LENGTH)) };
      case 'index':
        return {
          type: 'index',
          electrons: array(o, 'electrons', MANY, aText()),
          captures: record(o, 'captures', MANY, (x) => record({ x }, 'x', MANY, anything)),
        };
      default:
        throw misfit('one of load, index, run, cancel', o['type'], 'type');
    }
  }),
);

const result: Reader<RunFinished['result']> = object((o) => {
  switch (o['status']) {
    case 'completed':
      return {
        status: 'completed',
        value: field(o, 'value', valueInfo),
        ...optional(o, 'bytes', bytes),
        ...optional(o, 'file', long),
      };
    case 'failed':
      return { status: 'failed', error: field(o, 'error', errorInfo) };
    case 'cancelled':
      return { status: 'cancelled' };
    default:
      throw misfit('one of completed, failed, cancelled', o['status'], 'status');
  }
});

const indexError = object((o) => ({ electron: text(o, 'electron'), error: field(o, 'error', errorInfo) }));
const streams = ['stdout', 'stderr'] as const;

export const parseFromRunner: Reader<FromRunner> = parser<FromRunner>(
  "a runner's message",
  object((o) => {
    switch (o['type']) {
      case 'finished':
        return {
          type: 'finished',
          task: text(o, 'task'),
          startedAt: number(o, 'startedAt'),
          endedAt: number(o, 'endedAt'),
          ...optional(o, 'scratchUsed', bool),
          result: field(o, 'result', result),
        };
      case 'started':
        return { type: 'started', task: text(o, 'task') };
      case 'log':
        return { type: 'log', task: text(o, 'task'), stream: oneOf(o, 'stream', streams), text: long(o, 'text') };
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

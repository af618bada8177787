/**
 * What an agent and a bridge say to each other over one byte stream that carries many runners: a byte for the kind, the number of a runner or a file, a length,
 * then so many bytes. Control messages are MessagePack maps with a `type`, read by checked readers on both sides: what is over there may be of another version, or broken.
 * Not here: the stream (frame-stream.ts), the messages of runners, which travel as they are (runner/wire-runner.ts).
 */
import { decodeBody, encodeBody } from '../../bus/codec.ts';
import {
  anything,
  aText,
  bool,
  field,
  int,
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
import { errorInfo } from '../../bus/protocol/wire-value.ts';
import type { LogLevel } from '../../model/log.ts';
import type { ErrorInfo } from '../../model/outcome.ts';

/** Kinds of frames. */
export const FRAME = {
  /** A control message; number 0. */
  control: 1,
  /** Frames of a runner, or for it. */
  runner: 2,
  /** UTF-8 that it printed past its pipe. */
  stdout: 3,
  stderr: 4,
  /** A piece of a file for the other place. */
  file: 5,
  /** A piece of a large result of a runner. */
  result: 6,
} as const;
export type FrameKind = (typeof FRAME)[keyof typeof FRAME];

/** Kind, number, length. */
export const HEAD_BYTES = 9;
/** Senders cut what is longer. */
export const PIECE_BYTES = 128 * 1024;
export const LONGEST_FRAME = 1024 * 1024;

/** Agent → bridge. */
export type ToBridge =
  | {
      readonly type: 'start';
      readonly runner: number;
      readonly memoryMb?: number;
      readonly maxValueBytes: number;
      /** Name of the agent, for messages. */
      readonly agent: string;
      /** Variables of user code, over those of the place. */
      readonly env: Readonly<Record<string, string>>;
    }
  | { readonly type: 'kill'; readonly runner: number; readonly signal: NodeJS.Signals }
  /** Answered by `heard` when all that the runner has sent or saved until the moment `after`, of the bridge's clock, has been passed on. */
  | { readonly type: 'hear'; readonly runner: number; readonly after: number }
  /** Pieces of this file follow, then its end. Answered by `kept` or `not-kept`. `ending`: of its name, with the dot. */
  | { readonly type: 'file'; readonly file: number; readonly ending: string; readonly code: boolean }
  | { readonly type: 'file-end'; readonly file: number }
  | { readonly type: 'drop'; readonly file: number }
  | { readonly type: 'ping'; readonly sent: number }
  /** Kill all runners, leave nothing behind, end. */
  | { readonly type: 'bye' };

/** Bridge → agent. */
export type FromBridge =
  | {
      readonly type: 'hello';
      readonly version: string;
      readonly pid: number;
      readonly node: string;
      /** ms of its monotonic clock. */
      readonly now: number;
    }
  | { readonly type: 'pong'; readonly sent: number; readonly now: number }
  | { readonly type: 'heard'; readonly runner: number }
  | { readonly type: 'leaving'; readonly runner: number }
  | {
      readonly type: 'exit';
      readonly runner: number;
      readonly code?: number;
      readonly signal?: NodeJS.Signals;
      readonly overMemory: boolean;
      readonly error?: ErrorInfo;
    }
  | { readonly type: 'garbled'; readonly runner: number; readonly message: string }
  /** Pieces of this result follow, then its end; the message that names the file comes after that. */
  | {
      readonly type: 'result';
      readonly runner: number;
      readonly task: string;
      readonly file: string;
      readonly size: number;
    }
  | { readonly type: 'result-end'; readonly runner: number; readonly error?: ErrorInfo }
  | { readonly type: 'kept'; readonly file: number; readonly path: string }
  | { readonly type: 'not-kept'; readonly file: number; readonly error: ErrorInfo }
  | { readonly type: 'log'; readonly level: LogLevel; readonly message: string };

export const encodeControl = (message: ToBridge | FromBridge): Uint8Array => encodeBody(message);

const signals = ['SIGTERM', 'SIGKILL'] as const;
const levels = ['debug', 'info', 'warn', 'error'] as const;
const MANY = 10_000;
const long = (o: Fields, key: string): string => text(o, key, TEXT_LENGTH);
const anError = (o: Fields, key: string): ErrorInfo => field(o, key, errorInfo);
/** Any signal may have ended a process. */
const aSignal: Reader<NodeJS.Signals> = (x) => {
  const name = aText(20)(x);
  if (isSignal(name)) return name;
  throw misfit('the name of a signal', x);
};
const isSignal = (name: string): name is NodeJS.Signals => /^SIG[A-Z0-9]+$/.test(name);

const readToBridge: Reader<ToBridge> = parser<ToBridge>(
  'message to a bridge',
  object((o) => {
    switch (o['type']) {
      case 'start':
        return {
          type: 'start',
          runner: int(o, 'runner'),
          ...optional(o, 'memoryMb', (from, key) => number(from, key, 0)),
          maxValueBytes: number(o, 'maxValueBytes', 0),
          agent: long(o, 'agent'),
          env: record(o, 'env', MANY, aText(TEXT_LENGTH)),
        };
      case 'kill':
        return { type: 'kill', runner: int(o, 'runner'), signal: oneOf(o, 'signal', signals) };
      case 'hear':
        return { type: 'hear', runner: int(o, 'runner'), after: number(o, 'after') };
      case 'file':
        return { type: 'file', file: int(o, 'file'), ending: text(o, 'ending'), code: bool(o, 'code') };
      case 'file-end':
        return { type: 'file-end', file: int(o, 'file') };
      case 'drop':
        return { type: 'drop', file: int(o, 'file') };
      case 'ping':
        return { type: 'ping', sent: number(o, 'sent') };
      case 'bye':
        return { type: 'bye' };
      default:
        throw misfit('a message to a bridge', o['type'], 'type');
    }
  }),
);

const readFromBridge: Reader<FromBridge> = parser<FromBridge>(
  "a bridge's message",
  object((o) => {
    switch (o['type']) {
      case 'hello':
        return {
          type: 'hello',
          version: text(o, 'version'),
          pid: int(o, 'pid'),
          node: text(o, 'node'),
          now: number(o, 'now'),
        };
      case 'pong':
        return { type: 'pong', sent: number(o, 'sent'), now: number(o, 'now') };
      case 'heard':
        return { type: 'heard', runner: int(o, 'runner') };
      case 'leaving':
        return { type: 'leaving', runner: int(o, 'runner') };
      case 'exit':
        return {
          type: 'exit',
          runner: int(o, 'runner'),
          ...optional(o, 'code', (from, key) => int(from, key)),
          ...optional(o, 'signal', (from, key) => field(from, key, aSignal)),
          overMemory: bool(o, 'overMemory'),
          ...optional(o, 'error', anError),
        };
      case 'garbled':
        return { type: 'garbled', runner: int(o, 'runner'), message: long(o, 'message') };
      case 'result':
        return {
          type: 'result',
          runner: int(o, 'runner'),
          task: text(o, 'task'),
          file: long(o, 'file'),
          size: int(o, 'size'),
        };
      case 'result-end':
        return { type: 'result-end', runner: int(o, 'runner'), ...optional(o, 'error', anError) };
      case 'kept':
        return { type: 'kept', file: int(o, 'file'), path: long(o, 'path') };
      case 'not-kept':
        return { type: 'not-kept', file: int(o, 'file'), error: anError(o, 'error') };
      case 'log':
        return { type: 'log', level: oneOf(o, 'level', levels), message: long(o, 'message') };
      default:
        throw misfit('a message of a bridge', o['type'], 'type');
    }
  }),
);

/** Raises BAD_MESSAGE. */
export const decodeToBridge = (bytes: Uint8Array): ToBridge => readToBridge(anything(decodeBody(bytes)));
/** Raises BAD_MESSAGE. */
export const decodeFromBridge = (bytes: Uint8Array): FromBridge => readFromBridge(anything(decodeBody(bytes)));

/**
 * What an agent and a process that hosts threads say to each other about a thread, over the process's fd 3; the thread's number stands in the frame.
 * No other version ever reads it. Not here: the frames (remote/frame-stream.ts), what a runner says (runner/wire-runner.ts).
 */
import { bool, int, object, optional, parser, text, oneOf } from '../../bus/protocol/shape.ts';

/** Agent → host. */
export type ToThread =
  | {
      readonly type: 'start';
      /** In the environment of all that it starts (runner-roster.ts). */
      readonly mark: string;
      /** Of its heap. @default Node's */
      readonly memoryMb?: number;
    }
  /** Ends it where it stands. */
  | { readonly type: 'end' };

/** Host → agent: the thread is gone, and all that it has said was said before. */
export interface ThreadEnded {
  readonly exitCode: number;
  /** Its heap was full. */
  readonly heapFull: boolean;
}

const readToThread = parser<ToThread>(
  'message to a host of threads',
  object((o) =>
    oneOf(o, 'type', ['start', 'end']) === 'end'
      ? { type: 'end' }
      : { type: 'start', mark: text(o, 'mark', MARK_LENGTH), ...optional(o, 'memoryMb', int) },
  ),
);
const readEnded = parser<ThreadEnded>(
  'message of a host of threads',
  object((o) => ({ exitCode: int(o, 'exitCode', Number.MIN_SAFE_INTEGER), heapFull: bool(o, 'heapFull') })),
);

/** It begins with a path. */
const MARK_LENGTH = 8_192;

export const encodeHostWord = (word: ToThread | ThreadEnded): Buffer => Buffer.from(JSON.stringify(word));

/** Raises BAD_MESSAGE. */
export const decodeToThread = (payload: Buffer): ToThread => readToThread(JSON.parse(payload.toString('utf8')));
/** Raises BAD_MESSAGE. */
export const decodeThreadEnded = (payload: Buffer): ThreadEnded => readEnded(JSON.parse(payload.toString('utf8')));

/** The first words on each connection between an agent and its daemon on another host: which session goes on, and how far each side has come. */
import {
  bool,
  int,
  object,
  oneOf,
  optional,
  parser,
  text,
  TEXT_LENGTH,
  type Reader,
} from '../../bus/protocol/shape.ts';
import { decodeBody, encodeBody } from '../../bus/codec.ts';

export interface Attach {
  /** Made by the agent, one for each stream. */
  readonly session: string;
  readonly received: number;
  /** It has been attached before: a daemon that doesn't know it refuses. */
  readonly resume: boolean;
}

export interface Attached {
  readonly received: number;
  /** Absent: it goes on. */
  readonly refused?: 'unknown' | 'failed';
  readonly message?: string;
}

const reasons = ['unknown', 'failed'] as const;

const readAttach: Reader<Attach> = parser<Attach>(
  'attach',
  object((o) => ({ session: text(o, 'session'), received: int(o, 'received'), resume: bool(o, 'resume') })),
);

const readAttached: Reader<Attached> = parser<Attached>(
  'attached',
  object((o) => ({
    received: int(o, 'received'),
    ...optional(o, 'refused', (from, key) => oneOf(from, key, reasons)),
    ...optional(o, 'message', (from, key) => text(from, key, TEXT_LENGTH)),
  })),
);

export const encodeAttachment = (message: Attach | Attached): Uint8Array => encodeBody(message);
/** Raises BAD_MESSAGE. */
export const decodeAttach = (bytes: Uint8Array): Attach => readAttach(decodeBody(bytes));
/** Raises BAD_MESSAGE. */
export const decodeAttached = (bytes: Uint8Array): Attached => readAttached(decodeBody(bytes));

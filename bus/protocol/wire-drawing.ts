/** The head of what a lattice inside another drew, checked: like wire-api.ts, of which it is a part by itself. */
import { decodeBody } from '../codec.ts';
import type { DrawingHead } from './drawing.ts';
import { aText, bool, bytes, number, object, oneOf, optional, parser, record, text, TEXT_LENGTH } from './shape.ts';
import { LONGEST_SOURCE, MOST_METADATA } from './submit-limits.ts';

export const durabilities = ['pipelined', 'strict'] as const;

const parseDrawing = parser<DrawingHead>(
  'drawing',
  object((o) => ({
    graph: bytes(o, 'graph'),
    source: text(o, 'source', LONGEST_SOURCE),
    metadata: record(o, 'metadata', MOST_METADATA, aText(TEXT_LENGTH)),
    timeoutMs: number(o, 'timeoutMs', 0),
    ...optional(o, 'durability', (from, key) => oneOf(from, key, durabilities)),
    ...optional(o, 'failFast', bool),
  })),
);

/** Raises BAD_MESSAGE. */
export const decodeDrawing = (body: Uint8Array): DrawingHead => parseDrawing(decodeBody(body));

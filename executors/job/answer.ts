/**
 * What comes back of a packed job, as a stream: after a line that says what it is, records of a kind, a length and bytes; the last one is the end.
 * Records come while the electron runs, so that its agent hears what it writes. Not here: what is done with them (accepted-answer.ts), who writes them (function/run-packed.ts).
 */
import { PolaronError } from '../../model/errors.ts';

export const ANSWER_START = Buffer.from('polaron-outcome/2\n');

/** `frames`: of its runner, those of the outcome file. `past`: frames, of what is written past that. `value`: the result's bytes, when it is large: before the frame that names it. `alive`: nothing new. */
const kinds = ['frames', 'past', 'value', 'alive', 'end'] as const;
export type RecordKind = (typeof kinds)[number];

const HEADER_BYTES = 5;
const MOST_BYTES = 1024 * 1024;
const SHOWN_CHARS = 200;

/** Large pieces become several records. */
export function* records(kind: RecordKind, bytes: Uint8Array): Generator<Uint8Array> {
  let at = 0;
  do {
    const piece = bytes.subarray(at, at + MOST_BYTES);
    at += piece.length;
    const header = Buffer.alloc(HEADER_BYTES);
    header.writeUInt8(kinds.indexOf(kind));
    header.writeUInt32BE(piece.length, 1);
    yield Buffer.concat([header, piece]);
  } while (at < bytes.length);
}

/** Puts the records of an answer together again. */
export class AnswerReader {
  readonly #each: (kind: RecordKind, bytes: Buffer) => void;
  #rest: Buffer = Buffer.alloc(0);
  #begun = false;

  constructor(each: (kind: RecordKind, bytes: Buffer) => void) {
    this.#each = each;
  }

  /** Raises JOB_FAILED when it is no such answer, and what the callback raises. */
  feed(chunk: Uint8Array): void {
    let data = Buffer.concat([this.#rest, chunk]);
    if (!this.#begun) {
      const most = Math.min(data.length, ANSWER_START.length);
      if (!data.subarray(0, most).equals(ANSWER_START.subarray(0, most))) throw noAnswer(data);
      if (data.length >= ANSWER_START.length) {
        this.#begun = true;
        data = data.subarray(ANSWER_START.length);
      }
    }
    let at = 0;
    while (this.#begun && data.length - at >= HEADER_BYTES) {
      const kind = kinds[data.readUInt8(at)];
      const length = data.readUInt32BE(at + 1);
      if (kind === undefined || length > MOST_BYTES) throw noAnswer(data.subarray(at));
      const from = at + HEADER_BYTES;
      if (data.length < from + length) break;
      at = from + length;
      this.#each(kind, data.subarray(from, at));
    }
    this.#rest = Buffer.from(data.subarray(at));
  }
}

function noAnswer(data: Buffer): PolaronError {
  const shown = JSON.stringify(data.subarray(0, SHOWN_CHARS).toString('utf8'));
  return new PolaronError('JOB_FAILED', `its answer isn't what a function of Polaron gives: ${shown}`);
}

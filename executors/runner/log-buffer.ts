/** Captured output with a bound: the head and the tail are kept, and the cut is marked. Pure. */
import { HEAD_CHARS, leftOutMark, TAIL_CHARS, type Stream } from '../../model/log-entry.ts';
import type { TaskLogs } from '../../model/outcome.ts';

/** The end of a text that only grows: at least its last 32 Ki characters. */
export class Tail {
  #parts: string[] = [];
  #chars = 0;

  add(text: string): void {
    if (text === '') return;
    this.#parts.push(text);
    this.#chars += text.length;
    if (this.#chars > 2 * TAIL_CHARS) this.take();
  }

  /** What is kept, at most 32 Ki characters. */
  take(): string {
    const kept = this.#parts.join('').slice(-TAIL_CHARS);
    this.#parts = [kept];
    this.#chars = kept.length;
    return kept;
  }

  clear(): void {
    this.#parts = [];
    this.#chars = 0;
  }
}

/** One stream's text: the first and the last 32 Ki characters. */
export class BoundedText {
  #head = '';
  readonly #tail = new Tail();
  /** Characters behind the head, added or not. */
  #behind = 0;

  get empty(): boolean {
    return this.#head === '';
  }

  /** `skipped`: as many before it were left out by whoever tells of them; negative: it begins with so many that came before. */
  add(text: string, skipped = 0): void {
    // the mark of what is left out stands behind a whole head: who follows the text looks for it there
    if (skipped !== 0 && this.#behind === 0)
      return this.add(skipped < 0 ? text.slice(-skipped) : leftOutMark(skipped) + text);
    const room = this.#behind === 0 ? HEAD_CHARS - this.#head.length : 0;
    if (room > 0) this.#head += text.slice(0, room);
    const rest = room >= text.length ? '' : text.slice(Math.max(room, 0));
    this.#behind += skipped + rest.length;
    // what is kept is whole, so that each place in it is known
    if (skipped !== 0) this.#tail.clear();
    this.#tail.add(rest);
  }

  toString(): string {
    const end = this.#tail.take();
    const tail = end.slice(Math.max(0, end.length - this.#behind));
    const dropped = this.#behind - tail.length;
    return dropped > 0 ? this.#head + leftOutMark(dropped) + tail : this.#head + tail;
  }
}

/** The streams of one attempt. */
export class LogBuffer {
  readonly #stdout = new BoundedText();
  readonly #stderr = new BoundedText();
  #log: BoundedText | undefined;

  /** `skipped`: as in BoundedText. */
  add(stream: Stream, text: string, skipped = 0): void {
    if (stream === 'log') (this.#log ??= new BoundedText()).add(text, skipped);
    else (stream === 'stdout' ? this.#stdout : this.#stderr).add(text, skipped);
  }

  logs(): TaskLogs | undefined {
    if (this.#stdout.empty && this.#stderr.empty && this.#log === undefined) return undefined;
    const text = { stdout: this.#stdout.toString(), stderr: this.#stderr.toString() };
    return this.#log === undefined ? text : { ...text, log: this.#log.toString() };
  }
}

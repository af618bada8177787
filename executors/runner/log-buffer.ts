/** Captured output with a bound: the head and the tail are kept, and the cut is marked. Pure. */
import { HEAD_CHARS, leftOutMark, TAIL_CHARS, type Stream } from '../../model/log-entry.ts';
import type { TaskLogs } from '../../model/outcome.ts';

/** One stream's text: the first and the last 32 Ki characters. */
export class BoundedText {
  #head = '';
  #tail: string[] = [];
  #tailChars = 0;
  #dropped = 0;

  get empty(): boolean {
    return this.#head === '';
  }

  add(text: string): void {
    const room = HEAD_CHARS - this.#head.length;
    if (room > 0) this.#head += text.slice(0, room);
    const rest = room >= text.length ? '' : text.slice(Math.max(room, 0));
    if (rest === '') return;
    this.#tail.push(rest);
    this.#tailChars += rest.length;
    if (this.#tailChars > 2 * TAIL_CHARS) this.#shrink();
  }

  toString(): string {
    this.#shrink();
    const tail = this.#tail.join('');
    return this.#dropped === 0 ? this.#head + tail : this.#head + leftOutMark(this.#dropped) + tail;
  }

  #shrink(): void {
    if (this.#tailChars <= TAIL_CHARS) return;
    const joined = this.#tail.join('');
    const tail = joined.slice(-TAIL_CHARS);
    this.#dropped += joined.length - tail.length;
    this.#tail = [tail];
    this.#tailChars = tail.length;
  }
}

/** The streams of one attempt. */
export class LogBuffer {
  readonly #stdout = new BoundedText();
  readonly #stderr = new BoundedText();
  #log: BoundedText | undefined;

  add(stream: Stream, text: string): void {
    if (stream === 'log') (this.#log ??= new BoundedText()).add(text);
    else (stream === 'stdout' ? this.#stdout : this.#stderr).add(text);
  }

  logs(): TaskLogs | undefined {
    if (this.#stdout.empty && this.#stderr.empty && this.#log === undefined) return undefined;
    const text = { stdout: this.#stdout.toString(), stderr: this.#stderr.toString() };
    return this.#log === undefined ? text : { ...text, log: this.#log.toString() };
  }
}

/** Captured output with a bound: the head and the tail are kept, and the cut is marked. Pure. */
import type { TaskLogs } from '../../model/outcome.ts';

export const HEAD_CHARS = 32 * 1024;
export const TAIL_CHARS = 32 * 1024;
export type Stream = 'stdout' | 'stderr';

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
    return this.#dropped === 0 ? this.#head + tail : `${this.#head}\n… ${this.#dropped} characters left out …\n${tail}`;
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

/** Both streams of one attempt. */
export class LogBuffer {
  readonly #stdout = new BoundedText();
  readonly #stderr = new BoundedText();

  add(stream: Stream, text: string): void {
    (stream === 'stdout' ? this.#stdout : this.#stderr).add(text);
  }

  logs(): TaskLogs | undefined {
    if (this.#stdout.empty && this.#stderr.empty) return undefined;
    return { stdout: this.#stdout.toString(), stderr: this.#stderr.toString() };
  }
}

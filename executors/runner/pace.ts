/**
 * Bounds what a job's runner leaves of its electron's words in a file. A stream has all of them up to a MiB; after that about a thousand characters a second, the newest, and at its end the last 32 Ki: what is kept of
 * it (log-buffer.ts) is as if all had come, and those who watch see that it goes on. Of its progress there is the latest, four times a second. Pure.
 * Not here: where they go (job-link.ts, job/accepted-answer.ts).
 */
import { Tail } from './log-buffer.ts';
import type { FromRunner } from './messages.ts';

/** What an electron says while it runs. */
export type Said = Extract<FromRunner, { type: 'log' | 'progress' }>;

/** Characters of a stream that pass at once. */
const AT_ONCE_CHARS = 1024 * 1024;
/** And in a second, when so many have passed. */
const SECOND_CHARS = 1024;
/** Its agent looks as often. */
const PROGRESS_MS = 250;

export const isSaid = (message: FromRunner): message is Said => message.type === 'log' || message.type === 'progress';

export class Pace {
  readonly #now: () => number;
  readonly #pass: (message: Said) => void;
  readonly #streams = new Map<string, PacedStream>();
  #progress: Said | undefined;
  #progressAt = Number.NEGATIVE_INFINITY;

  /** `now`: monotonic ms. */
  constructor(now: () => number, pass: (message: Said) => void) {
    this.#now = now;
    this.#pass = pass;
  }

  /** `mayPass`: false while there is no room for it anyway. */
  add(message: Said, mayPass: boolean): void {
    if (message.type === 'progress') this.#progress = message;
    else this.#streamOf(message).add(message);
    if (mayPass) this.flush();
  }

  /** Passes what may be by now; true: something is held for later. */
  flush(): boolean {
    const now = this.#now();
    let holds = false;
    for (const stream of this.#streams.values()) {
      const line = stream.due(now);
      if (line !== undefined) this.#pass(line);
      holds ||= stream.holds;
    }
    if (this.#progress !== undefined && now - this.#progressAt >= PROGRESS_MS) this.#passProgress(now);
    return holds || this.#progress !== undefined;
  }

  /** Its last words: all that is kept of them. */
  end(): void {
    for (const stream of this.#streams.values()) {
      const line = stream.last();
      if (line !== undefined) this.#pass(line);
    }
    this.#passProgress(this.#now());
  }

  #passProgress(now: number): void {
    if (this.#progress === undefined) return;
    this.#pass(this.#progress);
    this.#progress = undefined;
    this.#progressAt = now;
  }

  #streamOf(line: Line): PacedStream {
    let paced = this.#streams.get(line.stream);
    if (paced === undefined) this.#streams.set(line.stream, (paced = new PacedStream(line, this.#now())));
    return paced;
  }
}

type Line = Extract<FromRunner, { type: 'log' }>;

/** Positions are characters of the stream since its beginning. */
class PacedStream {
  readonly #whose: Pick<Line, 'type' | 'task' | 'stream'>;
  readonly #tail = new Tail();
  /** What is held, as long as that is one line. */
  #line: Line | undefined;
  #came = 0;
  #passed = 0;
  /** From here on nothing was left out of what has passed. */
  #wholeFrom = 0;
  /** Characters that may pass, as of a moment. */
  #room = AT_ONCE_CHARS;
  #roomAt: number;

  constructor({ type, task, stream }: Line, now: number) {
    this.#whose = { type, task, stream };
    this.#roomAt = now;
  }

  /** Something has come that hasn't passed. */
  get holds(): boolean {
    return this.#came > this.#passed;
  }

  add(line: Line): void {
    const { text, skipped = 0 } = line;
    this.#line = this.holds ? undefined : line;
    if (skipped !== 0) this.#tail.clear();
    this.#tail.add(text);
    this.#came += skipped + text.length;
  }

  /** What may pass by now of what is held. */
  due(now: number): Line | undefined {
    if (!this.holds) return undefined;
    this.#room = Math.min(AT_ONCE_CHARS, this.#room + ((now - this.#roomAt) / 1_000) * SECOND_CHARS);
    this.#roomAt = now;
    if (this.#line !== undefined && this.#line.text.length <= this.#room) return this.#passes(this.#line.text);
    const open = this.#came - this.#passed;
    if (this.#room < Math.min(open, SECOND_CHARS)) return undefined;
    return this.#passes(this.#tail.take().slice(-Math.min(open, Math.floor(this.#room))));
  }

  /** What is held; all of the end, when something was left out in it. */
  last(): Line | undefined {
    const end = this.#tail.take();
    const from = this.#came - end.length;
    if (this.#wholeFrom > from) return this.#passes(end);
    return this.holds ? this.#passes(end.slice(Math.max(0, this.#passed - from))) : undefined;
  }

  /** `text` is the end of what came. */
  #passes(text: string): Line {
    const from = this.#came - text.length;
    const skipped = from - this.#passed;
    this.#wholeFrom = skipped > 0 ? from : Math.min(this.#wholeFrom, from);
    this.#passed = this.#came;
    this.#room = Math.max(0, this.#room - text.length);
    this.#line = undefined;
    return { ...this.#whose, text, ...(skipped === 0 ? {} : { skipped }) };
  }
}

/** What an electron has written since this was last told, for whoever watches. Bounded: a flood is told in part, and is cut in its log as well (log-buffer.ts). Pure. */
import type { Stream } from '../../model/log-entry.ts';

/** Between two tellings. */
const LIVE_CHARS = 64 * 1024;

export interface Written {
  readonly stream: Stream;
  readonly text: string;
}

export class LiveOutput {
  #parts: Written[] = [];
  #chars = 0;

  add(stream: Stream, text: string): void {
    if (this.#chars >= LIVE_CHARS) return;
    this.#parts.push({ stream, text: text.slice(0, LIVE_CHARS) });
    this.#chars += text.length;
  }

  /** All since the last time. */
  take(): readonly Written[] {
    const parts = this.#parts;
    this.#parts = [];
    this.#chars = 0;
    return parts;
  }
}

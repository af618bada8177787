/** What a job's electron has written, as its outcome, its error and those who watch get it; each of them bounded. Pure. Not here: where it comes from (outcome-reader.ts, output-files.ts). */
import type { Stream } from '../../model/log-entry.ts';
import type { TaskLogs } from '../../model/outcome.ts';
import { LiveOutput, type Written } from '../runner/live-output.ts';
import { LogBuffer } from '../runner/log-buffer.ts';

const STDERR_CHARS = 8 * 1024;

export class JobOutput {
  readonly #logs = new LogBuffer();
  readonly #live = new LiveOutput();
  #stderr = '';

  /** `skipped`: characters before the text that are not told; negative: so many of its first were told before. */
  add(stream: Stream, text: string, skipped = 0): void {
    if (stream === 'stderr') this.#stderr = (this.#stderr + text).slice(-STDERR_CHARS);
    this.#logs.add(stream, text, skipped);
    this.#live.add(stream, skipped < 0 ? text.slice(-skipped) : text);
  }

  /** Its end. */
  get stderr(): string {
    return this.#stderr;
  }

  logs(): TaskLogs | undefined {
    return this.#logs.logs();
  }

  /** What nobody was told yet. */
  take(): readonly Written[] {
    return this.#live.take();
  }
}

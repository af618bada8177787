/** A task for drivers that are tested without an agent: what it prints and reports is kept, and it can be cancelled. */
import type { LeptonHost } from '../../leptons/host.ts';

export class TestHost implements LeptonHost {
  readonly #controller = new AbortController();
  readonly progressed: (readonly [fraction: number, note: string | undefined])[] = [];
  stdout = '';
  stderr = '';
  readonly context = {
    dispatchId: 'd1',
    nodeId: '3',
    attempt: 2,
    signal: this.#controller.signal,
    progress: (fraction: number, note?: string): void => void this.progressed.push([fraction, note]),
  };

  write(stream: 'stdout' | 'stderr', text: string): void {
    this[stream] += text;
  }

  cancel(reason: string): void {
    this.#controller.abort(new Error(reason));
  }
}

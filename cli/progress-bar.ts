/** The bar of `watch`: counts per status from a snapshot and the events after it, and one line of text. Pure. */
import type { StatusCounts } from '../bus/protocol/api.ts';
import { isElectronStatus, isTerminalElectron } from '../model/lifecycle.ts';
import type { ElectronStatus } from '../model/lifecycle.ts';
import { cut, paint } from './style.ts';
import { duration } from './times.ts';

const WIDTH = 28;

export class Progress {
  #counts = new Map<ElectronStatus, number>();
  #total = 0;

  /** Takes the counts as the hub knows them. */
  reset(counts: StatusCounts): void {
    this.#counts = new Map();
    this.#total = 0;
    for (const [status, n] of Object.entries(counts)) {
      if (!isElectronStatus(status)) continue;
      this.#counts.set(status, n);
      this.#total += n;
    }
  }

  get ended(): number {
    let ended = 0;
    for (const [status, n] of this.#counts) if (isTerminalElectron(status)) ended += n;
    return ended;
  }

  /** `████░░░░ 4/8  3 completed, 1 failed, 2 running  4.2 s`, at most `columns` wide. */
  line(elapsedMs: number, columns: number, colour: boolean): string {
    const ended = this.ended;
    const share = this.#total === 0 ? 0 : ended / this.#total;
    const full = Math.floor(share * WIDTH);
    const bar = paint('█'.repeat(full), 'green', colour) + paint('░'.repeat(WIDTH - full), 'dim', colour);
    const shown = (['completed', 'reused', 'failed', 'skipped', 'cancelled', 'running', 'retrying'] as const).flatMap(
      (status) => {
        const n = this.#counts.get(status) ?? 0;
        return n === 0 ? [] : [`${n} ${status}`];
      },
    );
    const text = ` ${ended}/${this.#total}  ${shown.join(', ')}  ${duration(elapsedMs)}`;
    return bar + cut(text, Math.max(0, columns - WIDTH - 1));
  }
}

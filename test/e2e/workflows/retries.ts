/** An electron that fails until the test lets it through, and notes when each attempt began by a clock that nobody sets. */
import { appendFileSync, existsSync } from 'node:fs';
import { electron, lattice } from 'polaron';

const stubborn = electron(
  { retries: { max: 20, delay: '400ms', backoff: 1, jitter: 0 } },
  function stubborn(folder: string): string {
    appendFileSync(`${folder}/attempts`, `${process.hrtime.bigint() / 1_000_000n}\n`);
    if (!existsSync(`${folder}/through.open`)) throw new Error('not yet');
    return 'through';
  },
);

export const retried = lattice(function retried(folder: string) {
  return stubborn(folder);
});

/** A pool that lets go what has had no work: where warm runners cost more than on this machine. */
import { expect, it } from 'vitest';
import { ProcessPool } from '../../../executors/process/pool.ts';
import { startTimeOf } from '../../../executors/process/process-table.ts';
import { inlineValue, openPoolBench } from '../../support/pool-bench.ts';
import { until } from '../../support/until.ts';

it('ends idle runners after their time, none at work, and starts others when they are wanted', async () => {
  const bench = openPoolBench();
  const pool = new ProcessPool({ ...bench.options, idleMs: 200 });
  try {
    const first = Number(inlineValue(await bench.run(pool, 'pid')));
    expect(startTimeOf(first)).toBeDefined();
    // at work for longer than an idle one is kept
    expect(inlineValue(await bench.run(pool, 'sleep', 800, 'done'))).toBe('done');
    await until(() => startTimeOf(first) === undefined, 'it is ended', 10_000);
    expect(Number(inlineValue(await bench.run(pool, 'pid')))).not.toBe(first);
  } finally {
    await pool.stop();
    bench.close();
  }
});

/** What a container costs an electron, beside a process of the same agent in the same run: the first one in it, and those that find it warm. Not measured: pulling an image. */
import { expect, it } from 'vitest';
import { CONTAINER, containerExecutor } from '../../../executors/container/container-executor.ts';
import { processExecutor } from '../../../executors/process/process-executor.ts';
import { startHarness, valueOf } from '../../support/agent-harness.ts';
import { withContainerEngine } from '../../support/container-engine.ts';
import type { TaskSpec } from '../../support/fake-hub.ts';

const COLD = 5;
const WARM = 300;
const MOST_COLD_MS = 1_000;
const MOST_WARM_MS = 50;

const median = (times: readonly number[]): number => times.toSorted((a, b) => a - b)[Math.floor(times.length / 2)] ?? 0;
const rounded = (times: readonly number[]): string => times.map((ms) => ms.toFixed(0)).join(', ');

withContainerEngine('what a container costs', ({ image }) => {
  it('is at most a second for the first electron, and 50 ms for each later one', { timeout: 120_000 }, async () => {
    const harness = await startHarness({ executors: [processExecutor, containerExecutor], slots: 2 });
    const { hub } = harness;
    let next = 0;
    const timed = async (spec: Partial<TaskSpec>): Promise<number> => {
      const id = ++next;
      const began = performance.now();
      await hub.assign({ [id]: { electron: 'add', args: [id, 1], ...spec } });
      expect(valueOf(await hub.outcome(id, 60_000))).toBe(id + 1);
      return performance.now() - began;
    };
    const inContainer = (network: string, variable: number): Partial<TaskSpec> => ({
      executor: CONTAINER,
      executorOptions: { image, network, env: { PLACE: String(variable) } },
    });
    try {
      await harness.agent.joined;
      const first = await timed(inContainer('none', 0));
      const cold: Record<string, number[]> = { none: [], bridge: [] };
      for (const [network, times] of Object.entries(cold))
        for (let i = 1; i <= COLD; i++) times.push(await timed(inContainer(network, i)));
      await timed({});
      const warm: number[] = [];
      const plain: number[] = [];
      for (let i = 0; i < WARM; i++) {
        warm.push(await timed(inContainer('none', COLD)));
        plain.push(await timed({}));
      }
      const overhead = median(warm) - median(plain);
      process.stdout.write(
        [
          `container, the first of its agent: ${first.toFixed(0)} ms`,
          `cold, without network: ${rounded(cold['none'] ?? [])} ms; with the engine's: ${rounded(cold['bridge'] ?? [])} ms`,
          `warm: p50 ${median(warm).toFixed(2)} ms, process ${median(plain).toFixed(2)} ms, so ${overhead.toFixed(2)} ms more`,
          '',
        ].join('\n'),
      );
      // the quickest: what else runs on the machine makes it longer, nothing makes it shorter
      expect(Math.min(...(cold['none'] ?? []))).toBeLessThan(MOST_COLD_MS);
      expect(overhead).toBeLessThan(MOST_WARM_MS);
    } finally {
      await harness.close();
    }
  });
});

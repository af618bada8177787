/** How many no-ops a second go through agent and runners, without a hub's work: headroom for the whole system's figures, not a benchmark. */
import { expect, it } from 'vitest';
import { startHarness } from '../../support/agent-harness.ts';
import { taskId } from '../../support/fake-hub.ts';

const TASKS = 20_000;
const BATCH = 250;

it('takes no-ops at more than 3,000 a second through real runner processes', { timeout: 60_000 }, async () => {
  const harness = await startHarness({ heartbeatMs: 2_000 });
  const { hub, agent } = harness;
  try {
    await agent.joined;
    const began = performance.now();
    const cpu = process.cpuUsage();
    let most = 0;
    for (let next = 0; next < TASKS; ) {
      // as a hub does: what the last sync allows, in batches
      const room = 2 + (hub.syncs.at(-1)?.queue ?? 0);
      most = Math.max(most, room);
      const batch = Math.min(BATCH, room, TASKS - next);
      const limit = next + batch - room;
      await hub.when(() => hub.outcomes.size >= limit, 'room in the queue');
      const { refused } = await hub.send(
        hub.compose(Object.fromEntries(Array.from({ length: batch }, (_, i) => [next + i, { electron: 'noop' }]))),
      );
      expect(refused).toEqual([]);
      next += batch;
    }
    await hub.when(() => hub.outcomes.has(taskId(TASKS - 1)) && hub.outcomes.size === TASKS, 'all outcomes', 50_000);
    const seconds = (performance.now() - began) / 1_000;
    const used = process.cpuUsage(cpu);
    const rate = TASKS / seconds;
    const microseconds = (used.user + used.system) / TASKS;
    process.stdout.write(
      `no-ops: ${Math.round(rate)}/s, ${microseconds.toFixed(1)} µs of CPU each in agent and fake hub together, queue up to ${most}\n`,
    );
    expect(rate).toBeGreaterThan(3_000);
  } finally {
    await harness.close();
  }
});

it('answers a single short electron within a few milliseconds', { timeout: 60_000 }, async () => {
  const harness = await startHarness();
  const { hub, agent } = harness;
  try {
    await agent.joined;
    await hub.assign({ 0: { electron: 'noop' } });
    await hub.outcome(0);
    const times: number[] = [];
    for (let id = 1; id <= 300; id++) {
      const began = performance.now();
      await hub.assign({ [id]: { electron: 'noop' } });
      await hub.outcome(id);
      times.push(performance.now() - began);
    }
    times.sort((a, b) => a - b);
    const p50 = times[150] ?? 0;
    process.stdout.write(`one no-op: p50 ${p50.toFixed(2)} ms, p99 ${(times[297] ?? 0).toFixed(2)} ms\n`);
    expect(p50).toBeLessThan(5);
  } finally {
    await harness.close();
  }
});

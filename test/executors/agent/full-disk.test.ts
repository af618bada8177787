/** The disk of an agent's state folder fills up: what is said, what runs all the same, and that nothing is lost when there is room again. A real disk, real runners, a fake hub. */
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, afterEach, beforeEach, describe, expect, it } from 'vitest';
import { errorOf, fixtureBundle, startHarness, valueOf, type Harness } from '../../support/agent-harness.ts';
import { taskId, type TaskSpec } from '../../support/fake-hub.ts';
import { withRealPart } from '../../support/real-part.ts';
import { fill, mountSmallDisk, unmountSmallDisk } from '../../support/small-disk.ts';
import { until } from '../../support/until.ts';

const WAIT_MS = 20_000;

withRealPart('a small disk', mountSmallDisk(), 'mounting a tmpfs needs root', (disk) => {
  describe("a full disk under an agent's state folder", { timeout: 3 * WAIT_MS }, () => {
    const filler = join(disk, 'filler');
    const stateDir = join(disk, 'state');
    let harness: Harness;
    let next = 0;
    beforeEach(async () => {
      mkdirSync(stateDir);
      harness = await startHarness({ stateDir });
      await harness.agent.joined;
    });
    afterEach(async () => {
      await harness.close();
      for (const name of readdirSync(disk)) rmSync(join(disk, name), { recursive: true });
    });
    afterAll(() => unmountSmallDisk(disk));

    const assign = async (...specs: readonly TaskSpec[]): Promise<readonly number[]> => {
      const ids = specs.map(() => ++next);
      await harness.hub.assignAll(Object.fromEntries(specs.map((spec, i) => [String(ids[i]), spec])));
      return ids;
    };
    const run = async (spec: TaskSpec) => {
      const [id = 0] = await assign(spec);
      return harness.hub.outcome(id, WAIT_MS);
    };
    const short = (count: number): TaskSpec[] =>
      Array.from({ length: count }, () => ({ electron: 'add', args: [2, 3] }));
    const ended = (ids: readonly number[]) => Promise.all(ids.map((id) => harness.hub.outcome(id, WAIT_MS)));
    const said = (): string => JSON.stringify(harness.logs.entries);

    it('stops no electron whose result fits into a message, one after the other in one process', async () => {
      // its code is here, and it knows that they are short: more of them are handed to a process at once
      for (let i = 0; i < 5; i++) await ended(await assign(...short(20)));
      expect(harness.agent.status().queue).toBeGreaterThan(10);
      await until(() => existsSync(join(stateDir, 'spool')), 'the spool', WAIT_MS);
      fill(filler, 0);
      const ids = await assign(...short(60));
      await ended(ids);
      for (const id of ids) expect(valueOf(await harness.hub.outcome(id))).toBe(5);
      await until(() => /spool[^"]*DISK_FULL[^"]*ENOSPC/.test(said()), 'the agent says so', WAIT_MS);
      expect(said()).toContain(stateDir);
    });

    it('fails with DISK_FULL an electron whose large result, or whose code, has no room', async () => {
      expect(valueOf(await run({ electron: 'add', args: [1, 2] }))).toBe(3);
      fill(filler, 0);
      expect(errorOf(await run({ electron: 'big', args: [3_000_000] }))).toMatchObject({ code: 'DISK_FULL' });
      harness.hub.useBundle(`${fixtureBundle}\n// another`);
      const error = errorOf(await run({ electron: 'add', args: [1, 2] }));
      expect(error).toMatchObject({ code: 'DISK_FULL' });
      expect(error.message).toMatch(/electron "add".*its code has no room on the agent's disk.*ENOSPC/);
      rmSync(filler);
      expect(valueOf(await run({ electron: 'add', args: [1, 2] }))).toBe(3);
    });

    it('loses no outcome that the hub has not acknowledged: they are written when there is room, and reported by the next life', async () => {
      const { judge } = harness.hub;
      expect(valueOf(await run({ electron: 'add', args: [1, 2] }))).toBe(3);
      await until(() => harness.agent.status().unacknowledged === 0, 'the agent knows that the hub has it', WAIT_MS);
      const reported = new Set<string>();
      harness.hub.judge = ({ task }) => (reported.add(task), 'silent');
      const long = { electron: 'sleep', args: [1, 'x'.repeat(50_000)] };
      fill(filler, 0);
      const early = await assign(long, long);
      await until(() => early.every((id) => reported.has(taskId(id))), 'they have ended', WAIT_MS);
      expect(said()).toContain('spool: DISK_FULL');
      rmSync(filler);
      const late = await assign({ electron: 'add', args: [3, 4] });
      await until(() => late.every((id) => reported.has(taskId(id))), 'one ends after that', WAIT_MS);
      await harness.restart();
      harness.hub.judge = judge;
      for (const id of [...early, ...late]) await harness.hub.outcome(id, WAIT_MS);
      const { run: listed } = await harness.hub.firstSync(2);
      expect(listed.map(({ task, state }) => [task, state])).toEqual(
        [...early, ...late].map((id) => [taskId(id), 'done']),
      );
      expect(said()).not.toContain('cut off');
    });

    it('is said when an agent is started there', async () => {
      await harness.agent.stop();
      fill(filler, 0);
      const error: unknown = await harness.restart().catch((why: unknown) => why);
      expect(error).toMatchObject({ code: 'DISK_FULL' });
      expect(String(error)).toContain(`agent s1.a1: its state folder ${stateDir}`);
      rmSync(filler);
      await harness.restart();
      expect(Number(readFileSync(join(stateDir, 'epoch'), 'utf8'))).toBeGreaterThan(1);
      expect(existsSync(filler)).toBe(false);
    });
  });
});

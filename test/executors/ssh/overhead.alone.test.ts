/** What an SSH host costs an electron, the connection and its runner warm: compared with a process of this machine, in turns, on loopback. */
import { readFileSync, statSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Executor } from '../../../executors/executor.ts';
import type { ProcessPool } from '../../../executors/process/pool.ts';
import { inlineValue, inputTemplate, localPool } from '../../support/pool-bench.ts';
import { withRealPart } from '../../support/real-part.ts';
import { openSshBench, type SshBench } from '../../support/ssh-bench.ts';
import { sshdProgram } from '../../support/sshd.ts';

const MOST_MS = 30;
const ROUNDS = 200;
const MANY = 2_000;

withRealPart('an electron on a warm SSH host', sshdProgram, 'no sshd is installed', (program) => {
  describe('an electron on a warm SSH host', { timeout: 60_000 }, () => {
    let ssh: SshBench;
    let local: ProcessPool;
    beforeAll(async () => {
      ssh = await openSshBench(program, 2);
      local = localPool(ssh.bench);
    });
    afterAll(async () => {
      await local.stop();
      await ssh.close();
    });

    const once = async (executor: Executor): Promise<number> => {
      const began = performance.now();
      const electron = { executorOptions: ssh.options };
      await ssh.bench.start(executor, 'noop', [], { electron }).ended;
      return performance.now() - began;
    };
    const median = (all: readonly number[]): number => all.toSorted((a, b) => a - b)[Math.floor(all.length / 2)] ?? 0;

    it(`takes at most ${MOST_MS} ms longer than here`, async () => {
      const [here, there]: [number[], number[]] = [[], []];
      for (let i = 0; i < ROUNDS; i++) {
        here.push(await once(local));
        there.push(await once(ssh.executor));
      }
      const rate = async (executor: Executor): Promise<number> => {
        const began = performance.now();
        await Promise.all(Array.from({ length: MANY }, () => once(executor)));
        return (MANY / (performance.now() - began)) * 1_000;
      };
      await rate(local);
      const [rateHere, rateThere] = [await rate(local), await rate(ssh.executor)];
      const shown = { processMs: median(here), sshMs: median(there), processPerS: rateHere, sshPerS: rateThere };
      console.log(
        `overhead of ssh: ${JSON.stringify(shown, (_key, x: unknown) => (typeof x === 'number' ? Number(x.toPrecision(3)) : x))}`,
      );
      expect(median(there) - median(here)).toBeLessThan(MOST_MS);
    });

    it('has its large values pass in pieces: the host holds them in the runner only', async () => {
      const bytes = 250_000_000;
      const there = ssh.bench.start(ssh.executor, 'big', [bytes], { electron: { executorOptions: ssh.options } });
      const { outcome, file = '' } = await there.ended;
      expect(outcome.status === 'completed' && outcome.value.size).toBe(statSync(file).size);
      const asked = { template: inputTemplate(1), inputs: [{ file }], electron: { executorOptions: ssh.options } };
      expect(inlineValue((await ssh.bench.start(ssh.executor, 'size', [], asked).ended).outcome)).toBe(bytes);
      const [daemon = 0] = ssh.daemons();
      const peak = Number(/VmHWM:\s+(\d+) kB/.exec(readFileSync(`/proc/${daemon}/status`, 'utf8'))?.[1]);
      console.log(`the daemon's peak: ${Math.round(peak / 1024)} MiB, with values of ${bytes / 1e6} MB`);
      expect(peak * 1024).toBeLessThan(0.8 * bytes);
    });
  });
});

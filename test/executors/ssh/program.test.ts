/** How often the carried program goes to a host: what an `ssh` that writes down all that it is given has seen. */
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { remoteProgram } from '../../../executors/remote/remote-program.ts';
import { bootstrapProgram } from '../../../executors/ssh/bootstrap.ts';
import { inlineValue } from '../../support/pool-bench.ts';
import { withRealPart } from '../../support/real-part.ts';
import { openSshBench, type SshBench } from '../../support/ssh-bench.ts';
import { sshdProgram } from '../../support/sshd.ts';
import { until } from '../../support/until.ts';

withRealPart('the program on an SSH host', sshdProgram, 'no sshd is installed', (program) => {
  describe('the program on an SSH host', { timeout: 60_000 }, () => {
    const dir = mkdtempSync(join(tmpdir(), 'polaron-ssh-program-'));
    const sent = join(dir, 'sent');
    let ssh: SshBench;
    beforeAll(async () => {
      const wrapper = join(dir, 'ssh');
      writeFileSync(wrapper, `#!/bin/bash\nexec ssh "$@" < <(exec tee -a '${sent}')\n`, { mode: 0o755 });
      ssh = await openSshBench(program, 4, wrapper);
    });
    afterAll(async () => {
      await ssh.close();
      rmSync(dir, { recursive: true });
    });

    const run = async (count: number): Promise<void> => {
      const all = Array.from({ length: count }, (_, i) => ssh.start('add', [i, 1]).ended);
      expect((await Promise.all(all)).map(({ outcome }) => inlineValue(outcome))).toEqual(all.map((_, i) => i + 1));
    };
    const copies = (): number => readFileSync(sent).toString('latin1').split(head).length - 1;
    const whole = bootstrapProgram(remoteProgram('ssh'));
    const head = whole.subarray(0, whole.indexOf(10) + 1).toString('latin1');

    it('is copied once for many electrons, connections and lives of the agent, and again for another version', async () => {
      await run(200);
      expect(ssh.sshd.accepted()).toBe(1);
      expect(copies()).toBe(1);
      for (const pid of ssh.executor.connectionPids()) process.kill(pid, 'SIGKILL');
      await until(() => ssh.sshd.accepted() === 2, 'it is connected again');
      await run(20);
      await ssh.executor.stop();
      ssh.renew();
      await run(20);
      expect(ssh.sshd.accepted()).toBe(3);
      expect(copies()).toBe(1);
      await ssh.executor.stop();
      // what is there is of another one
      for (const name of readdirSync(ssh.cache).filter((each) => each.startsWith('program-')))
        rmSync(join(ssh.cache, name), { recursive: true });
      ssh.renew();
      await run(20);
      expect(copies()).toBe(2);
    });
  });
});

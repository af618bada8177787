/** The executor `ssh` against a real sshd: what an electron sees there, over one connection. */
import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { decodeValue, encodeValue } from '../../../bus/value/value.ts';
import { digestOf } from '../../../bus/value/digest.ts';
import { startTimeOf } from '../../../executors/process/process-table.ts';
import { fixtureBundle } from '../../support/agent-harness.ts';
import { inlineValue, inputTemplate } from '../../support/pool-bench.ts';
import { python } from '../../support/python.ts';
import { withRealPart } from '../../support/real-part.ts';
import { openSshBench, type SshBench } from '../../support/ssh-bench.ts';
import { sshdProgram } from '../../support/sshd.ts';
import { until } from '../../support/until.ts';

withRealPart('an electron on an SSH host', sshdProgram, 'no sshd is installed', (program) => {
  describe('an electron on an SSH host', { timeout: 60_000 }, () => {
    let ssh: SshBench;
    beforeAll(async () => {
      ssh = await openSshBench(program);
    });
    afterAll(async () => {
      await ssh.close();
      expect(ssh.daemons()).toEqual([]);
    });

    const outcome = async (...args: Parameters<SshBench['start']>) => (await ssh.start(...args).ended).outcome;
    const value = async (...args: Parameters<SshBench['start']>) => inlineValue(await outcome(...args));

    it('runs there, with the environment of the host and its own variables', async () => {
      expect(await value('add', [1, 2])).toBe(3);
      expect(await value('env')).toEqual(['theirs', null, []]);
      expect(await value('env', [], { env: { FLAVOUR: 'ours' } })).toEqual(['ours', null, []]);
      expect(readdirSync(ssh.cache).filter((name) => name.startsWith('program-'))).toHaveLength(1);
    });

    it('shares one connection with all others, however many there are', async () => {
      const before = ssh.sshd.accepted();
      const all = await Promise.all(Array.from({ length: 400 }, (_, i) => value('add', [i, 1])));
      expect(all).toEqual(Array.from({ length: 400 }, (_, i) => i + 1));
      expect(ssh.sshd.accepted()).toBe(before);
      expect(ssh.daemons()).toHaveLength(1);
    });

    it('fails as it would here: errors, exits, crashes, memory', async () => {
      expect(await outcome('throws')).toMatchObject({ error: { code: 'TASK_THREW', userCode: 'E_COLUMN' } });
      expect(await outcome('exits')).toMatchObject({ error: { code: 'EXITED' } });
      expect(await outcome('segfaults')).toMatchObject({ error: { code: 'CRASHED' } });
      const limited = { electron: { executorOptions: ssh.options, memoryMb: 64 } };
      expect(await outcome('buffers', [], {}, limited)).toMatchObject({ error: { code: 'MEMORY_LIMIT' } });
      const timed = await outcome('forever', [], {}, { timeoutMs: 200 });
      expect(timed).toMatchObject({ error: { code: 'TIMEOUT' } });
    });

    it('has its output live and in its outcome', async () => {
      const started = ssh.start('prints', ['word', 400]);
      await until(() => started.lines.some((line) => line.includes('word')), 'some of it comes before the end');
      const { logs } = (await started.ended).outcome;
      expect(logs?.stdout.startsWith('word 0\nword 1\n')).toBe(true);
      expect(logs?.stderr.endsWith('word err 399\n')).toBe(true);
      expect((await outcome('printsRaw')).logs).toEqual({ stdout: 'raw out\n', stderr: 'from a child\n' });
    });

    it('takes and gives large values', async () => {
      const bytes = 30_000_000;
      const file = join(ssh.bench.dir, 'input');
      writeFileSync(file, encodeValue(new Uint8Array(bytes).fill(3), 'value', 'NOT_SERIALISABLE'));
      const asked = { template: inputTemplate(1), inputs: [{ file }] };
      expect(await value('size', [], {}, asked)).toBe(bytes);
      const { outcome: result, file: got = '' } = await ssh.start('big', [bytes]).ended;
      const content = readFileSync(got);
      expect(result.status === 'completed' && result.value.digest).toBe(digestOf(content));
      expect(decodeValue(content)).toHaveLength(bytes);
    });

    it('is stopped for real, with what it has started', async () => {
      const polite = ssh.start('waitsForAbort');
      await until(() => polite.handle.runningSince() > 0, 'it runs');
      polite.handle.cancel('asked for');
      expect((await polite.ended).outcome.status).toBe('cancelled');
      const daemon = ssh.start('startsDaemon', [60_000]);
      await until(() => daemon.lines.some((line) => line.includes('daemon')), 'it has started one');
      const pid = Number(/daemon (\d+)/.exec(daemon.lines.join(''))?.[1]);
      expect(startTimeOf(pid)).toBeDefined();
      daemon.handle.cancel('asked for');
      expect((await daemon.ended).outcome.status).toBe('cancelled');
      await until(() => startTimeOf(pid) === undefined, 'it is gone');
    });

    it('runs leptons with what the host has', async () => {
      const text = `${fixtureBundle}
        electron('lepton', (spec) => registry.agent.lepton({ name: 'l', ...spec }, []));`;
      const code = ssh.bench.code('leptons', text);
      const lepton = (spec: unknown): Promise<unknown> => value('lepton', [spec], {}, { code });
      expect(await lepton({ language: 'shell', command: 'echo $FLAVOUR', output: 'stdout' })).toBe('theirs');
      const c = { language: 'c', library: 'libm.so.6', function: 'sqrt', arguments: [], returns: 'double' };
      expect(await lepton(c)).toMatchObject({ error: { code: 'LEPTON_MISSING' } });
      if (python === undefined) return;
      const sources = { 'm.py': 'def f():\n    return [1, 2]\n' };
      expect(await lepton({ language: 'python', function: 'f', module: 'm', sources, folder: 'x' })).toEqual([1, 2]);
    });

    it('has no dependencies installed', async () => {
      const code = { ...ssh.bench.code('deps'), deps: { key: 'k', dir: '/nowhere', env: {} } };
      expect(await outcome('add', [1, 2], {}, { code })).toMatchObject({ error: { code: 'DEPS_REFUSED' } });
    });

    it('removes its scratch folder', async () => {
      const dir = String(await value('scratch'));
      expect(dir.startsWith(ssh.cache)).toBe(true);
      await until(() => !existsSync(dir), 'it is removed');
    });
  });
});

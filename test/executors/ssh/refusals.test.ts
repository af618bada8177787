/** What can be wrong between an agent and an SSH host, against a real sshd: each is one coded error at the electron, and nothing is left waiting. */
import { execFileSync } from 'node:child_process';
import { chmodSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { inlineValue } from '../../support/pool-bench.ts';
import { withRealPart } from '../../support/real-part.ts';
import { openSshBench, type SshBench } from '../../support/ssh-bench.ts';
import { sshdProgram, startSshd, type Sshd } from '../../support/sshd.ts';
import { fill, mountSmallDisk, unmountSmallDisk } from '../../support/small-disk.ts';
import { startTcpProxy } from '../../support/tcp-proxy.ts';

withRealPart('the way to an SSH host', sshdProgram, 'no sshd is installed', (program) => {
  describe('the way to an SSH host', { timeout: 60_000 }, () => {
    let ssh: SshBench;
    let jump: Sshd;
    beforeAll(async () => {
      ssh = await openSshBench(program);
      jump = await startSshd(program);
    });
    afterAll(async () => {
      await ssh.close();
      await jump.close();
    });

    const errorOf = async (more: Readonly<Record<string, unknown>>): Promise<unknown> => {
      const { outcome } = await ssh.start('add', [1, 2], more).ended;
      return outcome.status === 'failed' ? outcome.error : outcome;
    };

    it('is refused when the host key is another one, or unknown', async () => {
      const wrong = await errorOf({ knownHosts: ssh.sshd.wrongHosts });
      expect(wrong).toMatchObject({ code: 'SSH_HOST_KEY', message: expect.stringContaining('host 127.0.0.1: ') });
      const none = join(ssh.bench.dir, 'nothing');
      writeFileSync(none, '');
      expect(await errorOf({ knownHosts: none })).toMatchObject({ code: 'SSH_HOST_KEY' });
    });

    it('is refused to a key that the host does not know, and to one that is no key', async () => {
      expect(await errorOf({ identityFile: ssh.sshd.strangerFile })).toMatchObject({ code: 'SSH_AUTH' });
      const open = join(ssh.bench.dir, 'open_key');
      execFileSync('cp', [ssh.sshd.identityFile, open]);
      chmodSync(open, 0o644);
      expect(await errorOf({ identityFile: open })).toMatchObject({ code: 'SSH_AUTH' });
    });

    it('says that nobody is there: no such name, no such port, silence', async () => {
      expect(await errorOf({ host: 'no-such-host.invalid' })).toMatchObject({
        code: 'SSH_UNREACHABLE',
        message: expect.stringContaining('its name is unknown'),
      });
      expect(await errorOf({ port: 1 })).toMatchObject({
        code: 'SSH_UNREACHABLE',
        message: expect.stringContaining('Connection refused'),
      });
      const proxy = await startTcpProxy(ssh.sshd.port);
      proxy.refuses = true;
      expect(await errorOf({ port: proxy.port })).toMatchObject({ code: 'SSH_UNREACHABLE' });
      await proxy.close();
    });

    it('needs a Node.js of 20.19 or newer there', async () => {
      expect(await errorOf({ node: '/no/such/node' })).toMatchObject({
        code: 'SSH_NO_NODE',
        message: expect.stringContaining('/no/such/node'),
      });
      const old = join(ssh.bench.dir, 'old-node');
      // as an older one would see itself
      const pretend = `#!/bin/sh\nshift\nc="Object.defineProperty(process.versions, \\"node\\", { value: \\"18.20.1\\" }); $1"\nshift\nexec ${process.execPath} -e "$c" "$@"\n`;
      writeFileSync(old, pretend, { mode: 0o755 });
      expect(await errorOf({ node: old })).toMatchObject({
        code: 'SSH_NO_NODE',
        message: expect.stringContaining('18.20.1; 20.19 or newer'),
      });
    });

    it.each([
      ['host', undefined, /is missing/],
      ['host', '-oProxyCommand=date', /expected the name or address/],
      ['host', 'a b', /expected the name or address/],
      ['user', '-x', /expected the name of a user/],
      ['port', 70_000, /expected a whole number from 1 to 65535/],
      ['jump', ['-J', 'x'], /as user@host:port/],
      ['node', 'node', /expected an absolute path/],
      ['env', { 'A B': 'x' }, /by the names of variables/],
      ['leaseMs', 1, /expected a whole number/],
      ['hots', 'gpu1', /is none; it takes host, user/],
    ])('names the option that is wrong: %s %j', async (option, value, what) => {
      const error = await errorOf({ [option]: value });
      expect(error).toMatchObject({ code: 'EXECUTOR_OPTION', message: expect.stringMatching(what) });
      expect(error).toMatchObject({ message: expect.stringContaining(`option "${option}"`) });
    });

    it('leads over jump hosts, whose keys are checked as strictly', async () => {
      const hop = `${jump.user}@127.0.0.1:${jump.port}`;
      const both = join(ssh.bench.dir, 'both_hosts');
      execFileSync('sh', ['-c', `cat "$1" "$2" > "$3"`, 'sh', ssh.sshd.knownHosts, jump.knownHosts, both]);
      // one key for both
      execFileSync('cp', [`${ssh.sshd.dir}/authorized_keys`, `${jump.dir}/authorized_keys`]);
      const before = jump.accepted();
      const through = ssh.start('add', [1, 2], { jump: [hop], knownHosts: both });
      expect(inlineValue((await through.ended).outcome)).toBe(3);
      expect(jump.accepted()).toBe(before + 1);
      const twice = ssh.start('add', [1, 2], { jump: [hop, hop], knownHosts: both });
      expect(inlineValue((await twice.ended).outcome)).toBe(3);
      expect(jump.accepted()).toBe(before + 3);
      expect(await errorOf({ jump: [hop] })).toMatchObject({ code: 'SSH_HOST_KEY' });
      const unknown = `${jump.user}@127.0.0.1:1`;
      expect(await errorOf({ jump: [unknown], knownHosts: both })).toMatchObject({ code: 'SSH_UNREACHABLE' });
    });

    it('finds the host in a folder with a long and odd name', async () => {
      const folder = join(ssh.bench.dir, `it's a "long" $(name) ${'x'.repeat(120)}`);
      mkdirSync(folder);
      expect(inlineValue((await ssh.start('add', [1, 2], { folder }).ended).outcome)).toBe(3);
    });

    it('is not confused by what login scripts print', async () => {
      const noisy = await startSshd(program, {}, [
        'ForceCommand echo welcome; echo oops >&2; eval "$SSH_ORIGINAL_COMMAND"',
      ]);
      execFileSync('cp', [`${ssh.sshd.dir}/authorized_keys`, `${noisy.dir}/authorized_keys`]);
      const more = { port: noisy.port, knownHosts: noisy.knownHosts, folder: join(ssh.bench.dir, 'noisy') };
      expect(inlineValue((await ssh.start('add', [1, 2], more).ended).outcome)).toBe(3);
      await ssh.executor.stop();
      await noisy.close();
      ssh.renew();
    });
  });
});

const disk = sshdProgram === undefined ? undefined : mountSmallDisk();
withRealPart('an SSH host with a small disk', disk, 'no sshd, or no right to mount', (folder) => {
  describe('an SSH host with a small disk', { timeout: 60_000 }, () => {
    let ssh: SshBench;
    beforeAll(async () => {
      ssh = await openSshBench(sshdProgram ?? '');
    });
    afterAll(async () => {
      await ssh.close();
      unmountSmallDisk(folder);
    });

    it('says that it is full: for the program, for an input, for a result; and works when there is room', async () => {
      const { rmSync } = await import('node:fs');
      const { encodeValue } = await import('../../../bus/value/value.ts');
      const { inputTemplate } = await import('../../support/pool-bench.ts');
      const filler = join(folder, 'filler');
      const outcome = async (...args: Parameters<SshBench['start']>) => (await ssh.start(...args).ended).outcome;
      fill(filler, 0);
      expect(await outcome('add', [1, 2], { folder })).toMatchObject({
        error: { code: 'DISK_FULL', message: expect.stringContaining('host 127.0.0.1') },
      });
      rmSync(filler);
      expect(inlineValue(await outcome('add', [1, 2], { folder }))).toBe(3);
      fill(filler, 20_000_000);
      const file = join(ssh.bench.dir, 'input');
      writeFileSync(file, encodeValue(new Uint8Array(30_000_000), 'value', 'NOT_SERIALISABLE'));
      const asked = { template: inputTemplate(1), inputs: [{ file }] };
      expect(await outcome('size', [], { folder }, asked)).toMatchObject({ error: { code: 'DISK_FULL' } });
      expect(await outcome('big', [30_000_000], { folder })).toMatchObject({
        status: 'failed',
        error: {
          code: 'DISK_FULL',
          message: expect.stringMatching(/its result of 30\d{6} bytes has no room .*ENOSPC/),
        },
      });
      rmSync(filler);
      expect(inlineValue(await outcome('size', [], { folder }, asked))).toBe(30_000_000);
    });
  });
});

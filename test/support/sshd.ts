/** A real sshd on loopback with keys of its own, in a folder of its own. Undefined where there is none, or we may not run it. */
import { execFileSync, spawn, type ChildProcess } from 'node:child_process';
import { chmodSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir, userInfo } from 'node:os';
import { join } from 'node:path';
import { connect } from 'node:net';
import { until } from './until.ts';

/** Debian's and others' place; it must be started by its whole path. */
export const sshdProgram = ['/usr/sbin/sshd', '/usr/local/sbin/sshd'].find((path) => existsSync(path));

export interface Sshd {
  readonly port: number;
  readonly user: string;
  /** A key that it lets in, and one that it doesn't. */
  readonly identityFile: string;
  readonly strangerFile: string;
  /** Knows its host key on any port given by `know`. */
  readonly knownHosts: string;
  /** Another one, with a wrong key for it. */
  readonly wrongHosts: string;
  know(port: number): void;
  readonly dir: string;
  /** Connections that it has let in. */
  readonly accepted: () => number;
  close(): Promise<void>;
}

const keygen = (file: string): string => {
  execFileSync('ssh-keygen', ['-q', '-t', 'ed25519', '-N', '', '-f', file]);
  return readFileSync(`${file}.pub`, 'utf8').split(' ').slice(0, 2).join(' ');
};

function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer();
    server.once('error', reject);
    server.listen(0, '127.0.0.1', () => {
      const address = server.address();
      server.close(() =>
        typeof address === 'object' && address !== null ? resolve(address.port) : reject(new Error('no port')),
      );
    });
  });
}

/** `env`: of its sessions; `more`: further lines of its configuration. */
export async function startSshd(
  program: string,
  env: Readonly<Record<string, string>> = {},
  more: readonly string[] = [],
): Promise<Sshd> {
  const dir = mkdtempSync(join(tmpdir(), 'polaron-sshd-'));
  const file = (name: string): string => join(dir, name);
  const hostKey = keygen(file('host_key'));
  const wrongKey = keygen(file('wrong_key'));
  const userKey = keygen(file('user_key'));
  keygen(file('stranger_key'));
  writeFileSync(file('authorized_keys'), `${userKey}\n`);
  chmodSync(file('authorized_keys'), 0o600);
  const port = await freePort();
  const set = Object.entries(env).map(([name, value]) => `${name}=${value}`);
  writeFileSync(
    file('config'),
    [
      `Port ${port}`,
      'ListenAddress 127.0.0.1',
      `HostKey ${file('host_key')}`,
      `PidFile ${file('pid')}`,
      `AuthorizedKeysFile ${file('authorized_keys')}`,
      'StrictModes no',
      'UsePAM no',
      'PasswordAuthentication no',
      'KbdInteractiveAuthentication no',
      'PermitRootLogin prohibit-password',
      'MaxStartups 100',
      'LogLevel VERBOSE',
      ...(set.length === 0 ? [] : [`SetEnv ${set.join(' ')}`]),
      ...more,
      '',
    ].join('\n'),
  );
  if (userInfo().uid === 0) mkdirSync('/run/sshd', { recursive: true });
  const log: string[] = [];
  const child: ChildProcess = spawn(program, ['-D', '-e', '-f', file('config')], {
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  child.stderr?.setEncoding('utf8').on('data', (text: string) => log.push(text));
  await until(async () => child.exitCode === null && (await listens(port)), 'sshd listens').catch((error: unknown) => {
    throw new Error(`sshd: ${log.join('')}`, { cause: error });
  });
  const known = (key: string, at: number): string => `[127.0.0.1]:${at} ${key}\n`;
  writeFileSync(file('known_hosts'), known(hostKey, port));
  writeFileSync(file('wrong_hosts'), known(wrongKey, port));
  return {
    port,
    user: userInfo().username,
    identityFile: file('user_key'),
    strangerFile: file('stranger_key'),
    knownHosts: file('known_hosts'),
    wrongHosts: file('wrong_hosts'),
    know: (at) => writeFileSync(file('known_hosts'), known(hostKey, at), { flag: 'a' }),
    dir,
    accepted: () => log.join('').split('Accepted publickey').length - 1,
    close: async () => {
      const gone = new Promise((resolve) => child.once('exit', resolve));
      child.kill('SIGTERM');
      await gone;
      rmSync(dir, { recursive: true, force: true });
    },
  };
}

function listens(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1', () => {
      socket.destroy();
      resolve(true);
    });
    socket.once('error', () => resolve(false));
  });
}

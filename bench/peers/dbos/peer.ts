/**
 * DBOS on a PostgreSQL of its own, steps in the driver's process. Its other form, child workflows that two worker processes take from a queue, is left out:
 * it was slower in each workload that it was tried with (a second for one task, 90 tasks/s), since its results are polled for.
 */
import { execFileSync } from 'node:child_process';
import { chownSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { peerOf } from '../driven-peer.ts';
import { isReady } from '../driver-protocol.ts';
import { folderOf, install, versionOf } from '../install.ts';
import { freePorts } from '../loopback.ts';
import type { PeerProcesses } from '../peer-processes.ts';
import { findProgram, unprivileged, versionedFolders } from '../program.ts';

const folder = folderOf('dbos');

export const dbos = peerOf({
  name: 'DBOS',
  what: 'PostgreSQL with fsync and synchronous_commit on, its default; steps run in the client’s own process, one PostgreSQL',
  forms: {
    W1: ['steps'],
    W2: ['steps'],
    W3: ['steps, 20 in flight', 'steps, 100 in flight'],
    W4: ['steps'],
  },
  async prepare(processes, say) {
    const initdb = findProgram('initdb', {
      also: versionedFolders('/usr/lib/postgresql', 'bin'),
      hint: 'Debian has it in postgresql',
    });
    const user = unprivileged(['postgres', 'nobody']);
    await install(folder, processes, say);
    const postgres = join(dirname(initdb), 'postgres');
    const server = /\d[\d.]*/.exec(execFileSync(postgres, ['--version'], { encoding: 'utf8' }))?.[0] ?? 'unknown';
    return {
      versions: { dbos: versionOf(folder, '@dbos-inc/dbos-sdk'), postgresql: server },
      async start(group) {
        const port = await startPostgres({ initdb, postgres, user }, group);
        const url = `postgresql://postgres@127.0.0.1:${port}/dbos`;
        const driver = group.start(process.execPath, [join(folder, 'driver.mjs'), url], { stopBy: 'stdin' });
        await driver.line(isReady, 60_000);
        return driver;
      },
    };
  },
});

interface Postgres {
  readonly initdb: string;
  readonly postgres: string;
  readonly user: ReturnType<typeof unprivileged>;
}

/** Its port. */
async function startPostgres({ initdb, postgres, user }: Postgres, group: PeerProcesses): Promise<number> {
  const data = group.folder();
  if (user.uid !== undefined && user.gid !== undefined) chownSync(data, user.uid, user.gid);
  // Whatever the machine's language is: the log is read below.
  const options = { cwd: data, env: { LC_ALL: 'C' }, ...user };
  const as = ['--username=postgres', '--auth=trust', '--encoding=UTF8', '--locale=C'];
  await group.start(initdb, ['--pgdata', data, ...as], options).succeed(60_000);
  const [port = 0] = await freePorts(1);
  const settings = ['listen_addresses=127.0.0.1', 'unix_socket_directories=', 'fsync=on', 'synchronous_commit=on'];
  const args = ['-D', data, '-p', String(port), ...settings.flatMap((setting) => ['-c', setting])];
  const server = group.start(postgres, args, { stopBy: 'SIGINT', ...options });
  await server.line((line) => line.includes('ready to accept connections') || undefined, 30_000);
  return port;
}

/** A bridge as a child process, its stream a pair of pipes: what a container or another host would be, without either. */
import { spawn, type ChildProcess } from 'node:child_process';
import { join } from 'node:path';
import { mkdirSync, writeFileSync } from 'node:fs';
import { Duplex } from 'node:stream';
import { BridgeLink } from '../../executors/remote/bridge-link.ts';
import { remoteProgram } from '../../executors/remote/remote-program.ts';
import { noLog } from './log-list.ts';
import { realClock } from './real-clock.ts';

export interface LocalBridge {
  readonly link: BridgeLink;
  readonly child: ChildProcess;
  /** Where it keeps what it has. */
  readonly folder: string;
}

/** `dir`: an empty folder, as if it were the other machine's; it has nothing but the carried files. */
export function startLocalBridge(dir: string, env: Readonly<Record<string, string>> = {}): LocalBridge {
  const { files, version } = remoteProgram();
  for (const { name, content } of files) {
    mkdirSync(join(dir, 'program', name, '..'), { recursive: true });
    writeFileSync(join(dir, 'program', name), content);
  }
  const folder = join(dir, 'here');
  const child = spawn(process.execPath, [join(dir, 'program', 'bridge.cjs'), folder, version], {
    cwd: dir,
    env: { PATH: process.env['PATH'] ?? '', HOME: process.env['HOME'] ?? '/', ...env },
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  const link = new BridgeLink({
    stream: Duplex.from({ readable: child.stdout, writable: child.stdin }),
    place: 'bridge',
    clock: realClock,
    log: noLog,
    lost: () => ({ code: 'EXECUTOR_FAILED', message: 'the bridge is gone' }),
  });
  return { link, child, folder };
}

/** The contract of executors over `ssh`, with a real sshd on loopback as the host. */
import { join } from 'node:path';
import { afterAll } from 'vitest';
import { builtIn } from '../../executors/built-in.ts';
import { processExecutor } from '../../executors/process/process-executor.ts';
import { withRealPart } from '../support/real-part.ts';
import { sshdProgram, startSshd } from '../support/sshd.ts';
import { executorContract } from './executor-contract.ts';

const sshd = sshdProgram === undefined ? undefined : await startSshd(sshdProgram);

withRealPart('executor ssh', sshd, 'no sshd is installed', (host) => {
  const { port, user, identityFile, knownHosts, dir } = host;
  afterAll(() => host.close());
  executorContract({
    name: 'ssh',
    make: () => builtIn.get('ssh') ?? processExecutor,
    options: { host: '127.0.0.1', port, user, identityFile, knownHosts, folder: join(dir, 'cache') },
    deaths: { exits: 'EXITED', signal: 'CRASHED' },
    keepsJobs: false,
    local: true,
  });
});

/** Dask: Debian's python3-distributed, its state in memory only. Not a durable engine: what a scheduler costs without any disk. */
import { execFileSync } from 'node:child_process';
import { join } from 'node:path';
import { peerOf } from '../driven-peer.ts';
import { isReady } from '../driver-protocol.ts';
import { folderOf } from '../install.ts';
import { findProgram } from '../program.ts';

const driver = join(folderOf('dask'), 'driver.py');

export const dask = peerOf({
  name: 'Dask',
  what: 'not durable, its state is in memory; 2 workers of one thread, the scheduler in the client’s process',
  forms: {
    W1: ['graph', 'client-driven'],
    W2: ['graph'],
    W3: ['graph, all in flight'],
    W4: ['submit'],
  },
  async prepare() {
    const python = findProgram('python3', {
      also: ['/usr/bin'],
      suits: (path) => version(path) !== undefined,
      hint: 'with the package distributed; Debian has it in python3-distributed',
    });
    return {
      versions: { distributed: version(python) ?? 'unknown' },
      async start(group) {
        const started = group.start(python, [driver], { stopBy: 'stdin', cwd: group.folder() });
        await started.line(isReady, 60_000);
        return started;
      },
    };
  },
});

/** Of the package distributed, where this python3 has it. */
function version(python: string): string | undefined {
  const script = 'import distributed; print(distributed.__version__)';
  try {
    const text = execFileSync(python, ['-c', script], { encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] });
    return text.trim();
  } catch {
    return undefined;
  }
}

/** `npm run bench [-- --only W2,W5 --peers --bus embedded|nats-server|both --agents 2 --runs 5 --json FILE]`: installs what is missing, builds, runs bench/main.ts. */
import { join } from 'node:path';
import { build } from './build.mjs';
import { runOpen } from './child.mjs';
import { ensureInstalled, root } from './ensure-installed.mjs';

await ensureInstalled();
await build();
// The bench stops what it started by itself. A Ctrl-C reaches it directly, as part of the terminal's group; a SIGTERM only comes here.
process.on('SIGINT', () => undefined);
process.exitCode = await runOpen(
  process.execPath,
  ['--import', 'tsx', join(root, 'bench', 'main.ts'), ...process.argv.slice(2)],
  { cwd: root, onStart: (child) => process.on('SIGTERM', () => child.kill('SIGTERM')) },
);

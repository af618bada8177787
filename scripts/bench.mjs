/** `npm run bench [-- --only W2 --bus embedded --runs 5 --json FILE]`: installs what is missing, builds, runs bench/main.ts. */
import { join } from 'node:path';
import { build } from './build.mjs';
import { runOpen } from './child.mjs';
import { ensureInstalled, root } from './ensure-installed.mjs';

await ensureInstalled();
await build();
// The bench stops what it started by itself; a Ctrl-C reaches it directly, and this process only waits for it.
for (const signal of ['SIGINT', 'SIGTERM']) process.on(signal, () => undefined);
process.exitCode = await runOpen(
  process.execPath,
  ['--import', 'tsx', join(root, 'bench', 'main.ts'), ...process.argv.slice(2)],
  { cwd: root },
);

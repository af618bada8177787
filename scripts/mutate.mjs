/** `npm run mutate [-- --only ID --seeds 1000 --kills 40]`: installs what is missing, builds, runs test/fault/mutate/main.ts. */
import { join } from 'node:path';
import { build } from './build.mjs';
import { runOpen } from './child.mjs';
import { ensureInstalled, root } from './ensure-installed.mjs';

await ensureInstalled();
await build();
process.exitCode = await runOpen(
  process.execPath,
  ['--import', 'tsx', join(root, 'test', 'fault', 'mutate', 'main.ts'), ...process.argv.slice(2)],
  { cwd: root },
);

/** `npm run chaos [-- --kills 200 --role all --seed 7 --from 40]`: installs what is missing, builds, runs test/fault/chaos/main.ts. */
import { join } from 'node:path';
import { build } from './build.mjs';
import { runOpen } from './child.mjs';
import { ensureInstalled, root } from './ensure-installed.mjs';

await ensureInstalled();
await build();
// A Ctrl-C reaches it directly, as part of the terminal's group; a SIGTERM only comes here.
process.on('SIGINT', () => undefined);
process.exitCode = await runOpen(
  process.execPath,
  ['--import', 'tsx', join(root, 'test', 'fault', 'chaos', 'main.ts'), ...process.argv.slice(2)],
  { cwd: root, onStart: (child) => process.on('SIGTERM', () => child.kill('SIGINT')) },
);

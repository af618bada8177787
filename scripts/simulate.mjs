/** `npm run simulate [-- --seeds 10000 --from 1 --seed 7 --plan FILE]`: installs what is missing, runs test/fault/simulation/main.ts. */
import { join } from 'node:path';
import { runOpen } from './child.mjs';
import { ensureInstalled, root } from './ensure-installed.mjs';

await ensureInstalled();
const main = join(root, 'test', 'fault', 'simulation', 'main.ts');
process.exitCode = await runOpen(process.execPath, ['--import', 'tsx', main, ...process.argv.slice(2)], { cwd: root });

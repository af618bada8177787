/** Runs a program of bench/ under tsx: installs what is missing and builds before. Not responsible for what it measures. */
import { join } from 'node:path';
import { build } from './build.mjs';
import { runOpen } from './child.mjs';
import { ensureInstalled, root } from './ensure-installed.mjs';

/** Sets the exit code to the program's. */
export async function runBench(program, args) {
  await ensureInstalled();
  await build();
  // The bench stops what it started by itself. A Ctrl-C reaches it directly, as part of the terminal's group; a SIGTERM only comes here.
  process.on('SIGINT', () => undefined);
  process.exitCode = await runOpen(process.execPath, ['--import', 'tsx', join(root, 'bench', program), ...args], {
    cwd: root,
    onStart: (child) => process.on('SIGTERM', () => child.kill('SIGTERM')),
  });
}

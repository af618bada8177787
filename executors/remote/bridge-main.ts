/**
 * Entry of a bridge that talks over its standard input and output: `node bridge.cjs <folder> <version>`, beside it runner.cjs. It ends with its input, and kills what it has started.
 * Packed into one file with all that it needs (scripts/build.mjs): it runs where no package is installed.
 */
import { join } from 'node:path';
import { Duplex } from 'node:stream';
import { Socket } from 'node:net';
import { Bridge } from './bridge.ts';
import { placeClock, placeEnvironment } from './place-environment.ts';

const [, script = '', folder = '', version = ''] = process.argv;
if (folder === '') {
  process.stderr.write('usage: node bridge.cjs <folder> <version>\n');
  process.exit(2);
}
// sockets of our own: process.stdout would block on a full pipe
const readable = new Socket({ fd: 0, readable: true, writable: false });
const writable = new Socket({ fd: 1, readable: false, writable: true });
writable.on('error', () => readable.destroy());
const bridge = new Bridge({
  stream: Duplex.from({ readable, writable }),
  folder,
  program: [join(script, '..', 'runner.cjs')],
  nodePath: process.execPath,
  env: placeEnvironment(),
  cwd: process.cwd(),
  version,
  clock: placeClock,
});
void bridge.over.then(() => process.exit(0));

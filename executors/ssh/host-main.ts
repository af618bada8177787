/**
 * Entry of what runs on a host that has no agent, packed into one file: `relay` for as long as a connection lasts, `daemon` for as long as its agent lives.
 * `ssh.cjs relay <nonce> <base> <agent> <boot> <way> <lease ms> <version>` · `ssh.cjs daemon <folder> <lease ms> <version>`
 */
import { dirname } from 'node:path';
import { startDaemon } from './daemon.ts';
import { say } from './marker.ts';
import { relay } from './relay.ts';

const [, script = '', mode = '', ...rest] = process.argv;

/** Full disks are the commonest reason by far. */
const codeOf = (error: unknown): string => {
  const code: unknown = error instanceof Error && 'code' in error ? error.code : undefined;
  return code === 'ENOSPC' || code === 'EDQUOT' || (error instanceof Error && error.message.includes('ENOSPC'))
    ? 'DISK_FULL'
    : 'EXECUTOR_FAILED';
};

if (mode === 'relay') {
  const [nonce = '', base = '', agent = '', boot = '', way = '', lease = '', version = ''] = rest;
  relay({ nonce, base, agent, boot: Number(boot), way, leaseMs: Number(lease), version, script }).catch(
    (error: unknown) => {
      say(nonce, 'fail', { code: codeOf(error), message: error instanceof Error ? error.message : String(error) });
      process.exit(3);
    },
  );
} else {
  const [folder = '', lease = '', version = ''] = rest;
  process.stdout.on('error', () => undefined);
  startDaemon({ folder, leaseMs: Number(lease), program: dirname(script), version }).then(
    () => process.stdout.write('ready\n'),
    (error: unknown) => {
      process.stdout.write(error instanceof Error ? error.message : String(error), () => process.exit(1));
    },
  );
}

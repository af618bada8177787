/** Runs the built `polaron` command to its end. Not responsible for what is asked of it. */
import { spawn } from 'node:child_process';
import { text } from 'node:stream/consumers';
import { fileURLToPath } from 'node:url';

export const command = fileURLToPath(new URL('../dist/cli/main.cjs', import.meta.url));

/** The environment of a user whose home that is. */
export function environmentOf(home: string): NodeJS.ProcessEnv {
  const { POLARON_URL: _, ...env } = process.env;
  return { ...env, POLARON_HOME: home };
}

/** Its stdout. In a group of its own: a start that a Ctrl-C cut short would leave a hub that nobody knows of. Raises Error with what it said when it fails. */
export async function polaron(home: string, args: readonly string[], more: NodeJS.ProcessEnv = {}): Promise<string> {
  const child = spawn(process.execPath, [command, ...args], {
    env: { ...environmentOf(home), ...more },
    detached: true,
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const [stdout, stderr, code] = await Promise.all([
    text(child.stdout),
    text(child.stderr),
    new Promise<number | null>((resolve) => child.once('close', resolve)),
  ]);
  if (code !== 0) throw new Error(`polaron ${args.join(' ')} ended with ${code}: ${stderr}${stdout}`);
  return stdout;
}

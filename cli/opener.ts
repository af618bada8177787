/** Opens a file with what the system opens such files with. Not here: saying so. */
import { spawn } from 'node:child_process';

/** The system's command for it; undefined where there is no screen. */
export function openerOf(platform: NodeJS.Platform, env: NodeJS.ProcessEnv): string | undefined {
  if (platform === 'darwin') return 'open';
  const screen = [env['DISPLAY'], env['WAYLAND_DISPLAY'], env['WSL_DISTRO_NAME']];
  return screen.some((name) => name !== undefined && name !== '') ? 'xdg-open' : undefined;
}

/** Starts the opener and leaves it; the opener's name, or undefined where there is none. */
export async function openFile(
  file: string,
  env: NodeJS.ProcessEnv,
  platform = process.platform,
): Promise<string | undefined> {
  const opener = openerOf(platform, env);
  if (opener === undefined) return undefined;
  const child = spawn(opener, [file], { env, detached: true, stdio: 'ignore' });
  const started = await new Promise<boolean>((resolve) => {
    child.once('spawn', () => resolve(true));
    child.once('error', () => resolve(false));
  });
  child.unref();
  return started ? opener : undefined;
}

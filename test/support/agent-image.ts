/**
 * The image of packaging/Containerfile with this package in it, as a user builds it, but for what `npm install` would fetch: the dependencies are those of the repository, the base is CI's.
 * Removed with `remove`.
 */
import { execFile, execFileSync } from 'node:child_process';
import { cpSync, mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join, relative } from 'node:path';
import { promisify } from 'node:util';
import { root } from '../house/sources.ts';

const execute = promisify(execFile);

/** Of an engine whose default runtime may not be there. */
export const podman = async (...args: readonly string[]): Promise<string> =>
  (await execute('podman', ['--runtime', 'runc', ...args], { maxBuffer: 64 << 20 })).stdout.trim();

export const hasPodman = (): boolean => {
  try {
    execFileSync('podman', ['--version'], { stdio: 'ignore' });
    return true;
  } catch {
    return false;
  }
};

/** `app` as the first line of the Containerfile makes it. */
async function installInto(app: string): Promise<string> {
  const { stdout } = await execute('npm', ['ls', '--omit=dev', '--all', '--parseable'], { cwd: root });
  for (const dependency of stdout.trim().split('\n').slice(1)) {
    const to = join(app, relative(root, dependency));
    mkdirSync(dirname(to), { recursive: true });
    cpSync(dependency, to, { recursive: true });
  }
  const self = join(app, 'node_modules', 'polaron');
  for (const part of ['dist', 'packaging', 'package.json'])
    cpSync(join(root, part), join(self, part), { recursive: true });
  return self;
}

export async function buildAgentImage(base: string, name: string): Promise<{ remove: () => Promise<void> }> {
  const folder = mkdtempSync(join(tmpdir(), 'polaron-image-'));
  try {
    const installed = await installInto(join(folder, 'app'));
    const file = join(installed, 'packaging', 'Containerfile');
    await podman('build', '--pull=never', '--build-arg', `BASE=${base}`, '-f', file, '-t', name, folder);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
  return { remove: async () => void (await podman('rmi', '--force', name)) };
}

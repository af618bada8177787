/** What the tarball holds, as `npm pack` would make it of the last build. That it works when installed is .ci/package.sh. */
import { execFileSync } from 'node:child_process';
import { readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { root } from './sources.ts';

function packedFiles(): string[] {
  const json = execFileSync('npm', ['pack', '--dry-run', '--ignore-scripts', '--json'], {
    cwd: root,
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'ignore'],
  });
  const packed: { files: { path: string }[] }[] = JSON.parse(json);
  return packed.flatMap(({ files }) => files.map(({ path }) => path));
}

/** Every path that package.json's `exports` and `bin` name. */
function promised(): string[] {
  const { exports, bin }: { exports: unknown; bin: unknown } = JSON.parse(
    readFileSync(join(root, 'package.json'), 'utf8'),
  );
  const paths = (value: unknown): string[] => {
    if (typeof value === 'string') return [value.replace(/^\.\//, '')];
    return typeof value === 'object' && value !== null ? Object.values(value).flatMap(paths) : [];
  };
  return [...paths(exports), ...paths(bin)];
}

describe('the package', () => {
  const files = packedFiles();

  it('holds everything that its exports and its command name, README and LICENSE', () => {
    const missing = [...promised(), 'README.md', 'LICENSE'].filter((path) => !files.includes(path));
    expect(missing).toEqual([]);
  });

  it('holds nothing else than the build, and no build of tests', () => {
    const known =
      /^(dist\/(model|bus|store|actors|executors|leptons|sdk|host|cli|web|testing|programs)\/|packaging\/(polaron-agent\.service|Containerfile)$|README\.md$|LICENSE$|package\.json$)/;
    expect(files.filter((path) => !known.test(path))).toEqual([]);
  });

  it('has a command that can be executed and begins with a shebang', () => {
    const command = join(root, 'dist/cli/main.cjs');
    expect(statSync(command).mode & 0o111).not.toBe(0);
    expect(readFileSync(command, 'utf8')).toMatch(/^#!\/usr\/bin\/env node\n/);
  });
});

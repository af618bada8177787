/** Packages made by a test, so that npm and pip install without a network: a tarball as `npm pack` makes it, and a wheel. */
import { execFileSync } from 'node:child_process';
import { mkdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';

function write(folder: string, files: Readonly<Record<string, string>>): void {
  for (const [name, text] of Object.entries(files)) {
    mkdirSync(dirname(join(folder, name)), { recursive: true });
    writeFileSync(join(folder, name), text, { mode: name.startsWith('bin/') ? 0o755 : 0o644 });
  }
}

/** `file:` and the tarball of a package with these files. */
export function npmPackage(
  dir: string,
  name: string,
  version: string,
  files: Readonly<Record<string, string>>,
  manifest: object = {},
): string {
  const folder = join(dir, `${name}-${version}`);
  const about = { name, version, main: 'index.js', ...manifest };
  write(join(folder, 'package'), { 'package.json': JSON.stringify(about), ...files });
  execFileSync('tar', ['-czf', `${folder}.tgz`, '-C', folder, 'package']);
  return `file:${folder}.tgz`;
}

/** A wheel is a zip: made by Python's own `zipfile`. Returns its path. */
export function wheel(dir: string, name: string, version: string, module: string): string {
  const info = `${name}-${version}.dist-info`;
  const folder = join(dir, `wheel-${name}-${version}`);
  write(folder, {
    [`${name}.py`]: module,
    [`${info}/METADATA`]: `Metadata-Version: 2.1\nName: ${name}\nVersion: ${version}\n`,
    [`${info}/WHEEL`]: 'Wheel-Version: 1.0\nGenerator: test\nRoot-Is-Purelib: true\nTag: py3-none-any\n',
    [`${info}/RECORD`]: [`${name}.py,,`, `${info}/METADATA,,`, `${info}/WHEEL,,`, `${info}/RECORD,,`, ''].join('\n'),
  });
  const file = join(dir, `${name}-${version}-py3-none-any.whl`);
  execFileSync('python3', ['-m', 'zipfile', '-c', file, `${name}.py`, info], { cwd: folder });
  return file;
}

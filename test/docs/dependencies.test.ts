import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { root } from '../house/sources.ts';
import { plain, readPage, section, tableOf } from './pages.ts';

const page = readPage('docs/adr/001-dependencies.md');
const wanted: {
  readonly dependencies: Readonly<Record<string, string>>;
  readonly devDependencies: Readonly<Record<string, string>>;
} = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'));

const documented = (title: string): Record<string, string> =>
  Object.fromEntries(
    tableOf(section(page, title), 'package').rows.map(([name, version]) => [plain(name), version ?? '']),
  );

describe('docs/adr/001-dependencies.md', () => {
  it('gives a reason for exactly the packages of package.json, at their versions', () => {
    expect(documented('At run time')).toEqual(wanted.dependencies);
    expect(documented('For development')).toEqual(wanted.devDependencies);
  });
});

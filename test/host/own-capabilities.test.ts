import { chmodSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, it } from 'vitest';
import { ownCapabilities } from '../../host/own-capabilities.ts';

const folder = mkdtempSync(join(tmpdir(), 'polaron-capabilities-'));
afterAll(() => rmSync(folder, { recursive: true }));

it('an agent offers python where a program of that name can be run, in PATH or as it is told', () => {
  for (const name of ['with', 'without', 'folder/python3']) mkdirSync(join(folder, name), { recursive: true });
  const file = join(folder, 'with', 'python3');
  writeFileSync(file, '');
  const path = `:${join(folder, 'without')}:${join(folder, 'folder')}:${join(folder, 'with')}`;
  expect(ownCapabilities({ PATH: path })).toEqual([]);
  chmodSync(file, 0o755);
  expect(ownCapabilities({ PATH: path })).toEqual(['python']);
  expect(ownCapabilities({ PATH: path, POLARON_PYTHON: 'python9' })).toEqual([]);
  expect(ownCapabilities({ PATH: '', POLARON_PYTHON: file })).toEqual(['python']);
  expect(ownCapabilities({})).toEqual([]);
});

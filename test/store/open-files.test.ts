/** Files that are read piece by piece, in a real folder. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { OpenFiles } from '../../store/open-files.ts';

let dir: string;
let file: string;
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'polaron-open-'));
  file = join(dir, 'value');
});
afterEach(() => rmSync(dir, { recursive: true, force: true }));

it('pieces are read one after the other and at the same time, and end where the file does', async () => {
  writeFileSync(file, 'abcdefgh');
  const files = new OpenFiles();
  const texts = async (...at: number[]): Promise<string[]> =>
    (await Promise.all(at.map((offset) => files.read(file, offset, 3)))).map((bytes) => Buffer.from(bytes).toString());
  expect(await texts(0)).toEqual(['abc']);
  expect(await texts(3, 6, 8)).toEqual(['def', 'gh', '']);
  await files.close();
  expect(await texts(0)).toEqual(['abc']);
  await files.close();
});

it('a file that was missing is found as soon as it is there', async () => {
  const files = new OpenFiles();
  for (let times = 0; times < 2; times++)
    await expect(files.read(file, 0, 3)).rejects.toMatchObject({ code: 'ENOENT' });
  writeFileSync(file, 'abc');
  expect((await files.read(file, 0, 3)).length).toBe(3);
  await files.close();
});

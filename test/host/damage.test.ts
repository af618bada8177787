/** Damaged files: each ends in a coded error, in a report of `check`, or harmlessly; never in silence where LMDB can tell, and never in a dead hub. */
import { chmodSync, cpSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { open } from 'lmdb';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { checkFolder } from '../../host/check.ts';
import { openDataStore } from '../../host/data-store.ts';
import { wholeValue } from '../../actors/results/values.ts';
import { codeOf } from '../contract/store-contract.ts';
import { makeData } from '../support/data-folder.ts';

const PAGE = 4_096;
let base = '';
let path = '';
let original: Buffer;
beforeAll(async () => {
  base = await mkdtemp(join(tmpdir(), 'polaron-damage-'));
  await makeData(join(base, 'original'), 200);
  original = readFileSync(join(base, 'original', 'records', 'data.mdb'));
});
beforeEach(() => {
  path = join(base, 'damaged');
  rmSync(path, { recursive: true, force: true });
  cpSync(join(base, 'original'), path, { recursive: true });
});
afterAll(() => rm(base, { recursive: true, force: true }));

const file = (): string => join(path, 'records', 'data.mdb');
const noLog = (): void => undefined;

/** The pages that hold something, by LMDB's flags at byte 18 of a page: leaves with records begin with their key. */
const pagesWith = (text: string): number[] =>
  Array.from({ length: original.length / PAGE }, (_, i) => i).filter((i) =>
    original.subarray(i * PAGE, (i + 1) * PAGE).includes(text),
  );

describe('LMDB', () => {
  it('with pages of zeros would kill who reads it: check survives that, and says what happened', async () => {
    expect(pagesWith('e/0000').length).toBeGreaterThan(3);
    const damaged = Buffer.from(original);
    for (const one of pagesWith('e/0000')) damaged.fill(0, one * PAGE, (one + 1) * PAGE);
    writeFileSync(file(), damaged);
    const { problems, counts } = await checkFolder(path);
    expect(counts).toBeUndefined();
    expect(problems.at(-1)?.problem).toMatch(/the process that read it died|LMDB lists|MDB_/);
    // it was not touched
    expect(Buffer.compare(readFileSync(file()), damaged)).toBe(0);
  });

  it('cut to any length is refused, and an empty or a missing file is never taken for a new folder', async () => {
    for (let i = 0; i < 40; i++) {
      const length = Math.floor((original.length * i) / 40);
      writeFileSync(file(), original.subarray(0, length));
      expect([length, await codeOf(() => openDataStore(path, noLog))]).toEqual([length, 'DATA_DAMAGED']);
      expect(readFileSync(file())).toHaveLength(length);
    }
    rmSync(file());
    expect(await codeOf(() => openDataStore(path, noLog))).toBe('DATA_DAMAGED');
    writeFileSync(file(), original);
    await (await openDataStore(path, noLog)).close();
  });

  it('that has lost its sub-databases or its version is never taken for a new one', async () => {
    for (const name of ['meta', 'records', 'values']) {
      writeFileSync(file(), original);
      const root = open<Uint8Array, string>({ path: join(path, 'records'), encoding: 'binary', maxDbs: 8 });
      for (let i = 0; i < 30; i++)
        await root.openDB<Uint8Array, string>('other', { encoding: 'binary' }).put(`${i}`, original.subarray(0, 9));
      await root.openDB<Uint8Array, string>(name, { encoding: 'binary' }).drop();
      await root.close();
      expect([name, await codeOf(() => openDataStore(path, noLog))]).toEqual([name, 'DATA_DAMAGED']);
      expect((await checkFolder(path)).problems.length).toBeGreaterThan(0);
    }
  });
});

describe('a file of a large value', () => {
  it('that was cut or damaged is found by check, and is stored anew by whoever uploads it', async () => {
    const opened = await openDataStore(path, noLog);
    const { store } = opened;
    const bytes = new Uint8Array(Buffer.alloc(100_000, 'large '));
    const [digest] = (await allFiles(store)).filter((one) => store.valueSize(one) === bytes.length);
    if (digest === undefined) throw new Error('no large value');
    const blob = join(path, 'blobs', digest.slice(0, 2), digest);
    writeFileSync(blob, bytes.subarray(0, 60_000));
    const upload = await store.openBlob(digest, bytes.length);
    await upload.write(bytes);
    await upload.finish();
    expect(Buffer.compare(await wholeValue(store, digest), bytes)).toBe(0);
    writeFileSync(blob, bytes.subarray(0, 60_000));
    await opened.close();
    expect((await checkFolder(path)).problems.map(({ problem }) => problem)).toContain(
      `it names value ${digest}, which is damaged`,
    );
  });
});

describe('a folder without permission', () => {
  it.skipIf(process.getuid?.() === 0)('is refused with DATA_NOT_WRITABLE', async () => {
    chmodSync(join(path, 'records'), 0o500);
    try {
      expect(await codeOf(() => openDataStore(path, noLog))).toBe('DATA_NOT_WRITABLE');
    } finally {
      chmodSync(join(path, 'records'), 0o700);
    }
  });
});

async function allFiles(store: Awaited<ReturnType<typeof openDataStore>>['store']) {
  const found = [];
  for await (const piece of store.storedValues()) found.push(...piece);
  return found;
}

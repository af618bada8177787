/** A copy of a store that is being written to: one moment of it, whole. */
import { existsSync, mkdirSync, readdirSync, statSync, writeFileSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { RESTORED_FILE, UNFINISHED_FILE } from '../../store/copy-folder.ts';
import { openLmdbStore, type DiskStore } from '../../store/lmdb-store.ts';
import { until } from '../support/until.ts';
import { codeOf, digestOf, put, textOf } from '../contract/store-contract.ts';

let folder = '';
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'polaron-copy-'));
});
afterEach(() => rm(folder, { recursive: true, force: true }));
const open = (name: string): Promise<DiskStore> => openLmdbStore({ path: join(folder, name), log: () => undefined });

const roundOf = (n: number): Uint8Array => new Uint8Array(Buffer.alloc(70_000, `round ${n} `));

describe('a copy', () => {
  it('made under load is a prefix of what was written, holds what was flushed before, and every file that it names', async () => {
    const store = await open('data');
    let written = 0;
    let flushed = 0;
    const stop = new AbortController();
    // each round: a file, then two records that name it
    const load = async (): Promise<void> => {
      for (; !stop.signal.aborted && written < 3_000; written++) {
        const bytes = roundOf(written);
        const digest = digestOf(bytes);
        const upload = await store.openBlob(digest, bytes.length);
        await upload.write(bytes);
        await upload.finish();
        const key = String(written).padStart(8, '0');
        void store.write(Array.from({ length: 20 }, (_, i) => put(`pad/${key}/${i}`, 'x'.repeat(300))));
        const round = written;
        void store.write([put(`a/${key}`, digest), put(`b/${key}`, digest)]).then(() => (flushed = round + 1));
      }
    };
    const loading = load();
    try {
      await until(() => written >= 30, 'it is written to');
      for (const name of ['first', 'second']) {
        const before = flushed;
        mkdirSync(join(folder, name));
        const copied = await store.copyTo(join(folder, name));
        const during = written;
        const copy = await open(name);
        const rounds = [...copy.range({ start: 'a/', end: 'a0' })];
        expect(rounds.length).toBeGreaterThanOrEqual(before);
        expect(rounds.map(({ key }) => key)).toEqual(rounds.map((_, i) => `a/${String(i).padStart(8, '0')}`));
        expect([...copy.range({ start: 'b/', end: 'b0' })].map(({ value }) => textOf(value))).toEqual(
          rounds.map(({ value }) => textOf(value)),
        );
        expect([...copy.range({ start: 'pad/', end: 'pad0' })]).toHaveLength(rounds.length * 20);
        for (const [i, { value }] of rounds.entries()) {
          const bytes = roundOf(i);
          expect(textOf(value)).toBe(digestOf(bytes));
          expect(digestOf(await copy.readValue(digestOf(bytes), 0, 100_000))).toBe(textOf(value));
        }
        expect(copied.values).toBeGreaterThanOrEqual(rounds.length);
        expect(copied.bytes).toBeGreaterThan(copied.values * 70_000);
        await copy.close();
        // it went on meanwhile
        expect(during).toBeGreaterThan(before);
      }
    } finally {
      stop.abort();
      await loading;
      await store.close();
    }
  });

  it('has another history from its first open on, and keeps that; its original keeps its own', async () => {
    const store = await open('data');
    await store.write([put('k', 'v')]);
    mkdirSync(join(folder, 'copy'));
    await store.copyTo(join(folder, 'copy'));
    const { history } = store.meta;
    await store.close();
    expect(existsSync(join(folder, 'copy', RESTORED_FILE))).toBe(true);
    const first = await open('copy');
    expect(first.meta.history).not.toBe(history);
    expect(textOf(first.get('k'))).toBe('v');
    await first.close();
    const second = await open('copy');
    expect(second.meta.history).toBe(first.meta.history);
    await second.close();
    const again = await open('data');
    expect(again.meta.history).toBe(history);
    await again.close();
    expect(readdirSync(join(folder, 'copy')).sort()).toEqual(['blobs', 'journal', 'records']);
  });

  it('counts every byte, of files of one part too, which several workers copy at once', async () => {
    const store = await open('data');
    const inOnePart: Uint8Array[] = [];
    for (let n = 0; inOnePart.length < 12; n++) {
      const bytes = Buffer.alloc(70_000, `value ${n} `);
      if (digestOf(bytes).startsWith('a')) inOnePart.push(bytes);
    }
    const parts = new Set(inOnePart.map((bytes) => digestOf(bytes).slice(0, 2)));
    expect(parts.size).toBeLessThan(inOnePart.length);
    for (const bytes of inOnePart) {
      const upload = await store.openBlob(digestOf(bytes), bytes.length);
      await upload.write(bytes);
      await upload.finish();
    }
    mkdirSync(join(folder, 'copy'));
    const copied = await store.copyTo(join(folder, 'copy'));
    await store.close();
    const records = statSync(join(folder, 'copy', 'records', 'data.mdb')).size;
    expect(copied).toEqual({ values: 12, bytes: records + 12 * 70_000 });
  });

  it('that was not finished is refused', async () => {
    await (await open('data')).close();
    writeFileSync(join(folder, 'data', UNFINISHED_FILE), 'ticket');
    expect(await codeOf(() => open('data'))).toBe('DATA_DAMAGED');
  });
});

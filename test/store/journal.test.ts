/** What is in the journal and not in LMDB: found again after a kill, told from what was torn, and never passed over. */
import { cpSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { open } from 'lmdb';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { checkData } from '../../host/check-data.ts';
import { BLOCK, decodeChanges, encodeFrame, framesIn } from '../../store/frame.ts';
import { openLmdbStore } from '../../store/lmdb-store.ts';
import type { Store } from '../../store/store.ts';
import { bytesOf, codeOf, digestOf, put, textOf } from '../contract/store-contract.ts';

let folder = '';
const stores: Store[] = [];
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'polaron-journal-'));
});
afterEach(async () => {
  for (const store of stores.splice(0)) await store.close();
  rmSync(folder, { recursive: true });
});

const at = (name: string): string => join(folder, name);
async function openAt(name: string, journalBytes?: number): Promise<Store> {
  const store = await openLmdbStore({
    path: at(name),
    log: () => undefined,
    settleMs: 1_000_000,
    ...(journalBytes === undefined ? {} : { journalBytes }),
  });
  stores.push(store);
  return store;
}
const keysOf = (store: Store): string[] => [...store.range({ start: 'k/', end: 'k0' })].map(({ key }) => key);
const journalFile = (name: string, file: 'a' | 'b'): string => join(at(name), 'journal', file);

/** What a killed process leaves: LMDB has nothing yet of what was written last. */
function killedCopy(from: string, to: string): void {
  cpSync(at(from), at(to), {
    recursive: true,
    filter: (path) => !path.endsWith('.lock') && !path.endsWith('lock.mdb'),
  });
}

/** A copy of a store with `count` batches that LMDB lacks, one block each. */
async function killedAfter(count: number): Promise<void> {
  const store = await openAt('data');
  await store.write([put('k/settled')]);
  for await (const _ of store.storedValues()) break;
  for (let n = 0; n < count; n++) await store.write([put(`k/${n}`, `value ${n}`)]);
  killedCopy('data', 'copy');
  const root = open<Uint8Array, string>({ path: join(at('copy'), 'records'), encoding: 'binary', maxDbs: 8 });
  expect([...root.openDB<Uint8Array, string>('records', { encoding: 'binary' }).getKeys()]).toEqual(['k/settled']);
  await root.close();
}

/** Zeroes a block of the copy's journal, counted from its end. */
function damage(fromEnd: number): void {
  const path = journalFile('copy', 'a');
  const bytes = readFileSync(path);
  const frames = [...framesAt(bytes)];
  bytes.fill(0, frames.at(-fromEnd), (frames.at(-fromEnd) ?? 0) + 64);
  writeFileSync(path, bytes);
}
function* framesAt(bytes: Buffer): Generator<number> {
  for (let start = 0; start < bytes.length; start += BLOCK) if (bytes.readUInt32LE(start) > 0) yield start;
}

describe('a frame', () => {
  const [kept, dropped] = [digestOf(bytesOf('v')), digestOf(bytesOf('w'))];
  const ops = [
    put('k/ünï', 'v'),
    put('twice', 'old'),
    { op: 'remove', key: 'gone' },
    put('empty', ''),
    put('long', 'x'.repeat(3 * BLOCK)),
    { op: 'value', digest: kept, bytes: bytesOf('v') },
    { op: 'drop', digest: dropped },
    put('twice', 'new'),
  ] as const;

  it('fills blocks of its own and holds what was put into it, in order', () => {
    const bytes = encodeFrame(7, ops, 5);
    expect(bytes.length % BLOCK).toBe(0);
    const [frame, ...more] = framesIn(Buffer.concat([Buffer.alloc(BLOCK, 'torn'), bytes]), 5);
    expect(more).toEqual([]);
    expect(frame).toMatchObject({ number: 7, end: bytes.length + BLOCK });
    const read = decodeChanges(frame?.body ?? Buffer.alloc(0));
    const plain = (map: ReadonlyMap<string, Uint8Array | undefined>) =>
      Object.fromEntries([...map].map(([key, value]) => [key, value === undefined ? undefined : textOf(value)]));
    expect(plain(read.records)).toEqual({
      'k/ünï': 'v',
      twice: 'new',
      gone: undefined,
      empty: '',
      long: 'x'.repeat(3 * BLOCK),
    });
    expect(plain(read.values)).toEqual({ [kept]: 'v', [dropped]: undefined });
  });

  it('is none with a byte changed, cut short, or of another store', () => {
    const bytes = encodeFrame(7, ops, 5);
    const length = bytes.readUInt32LE(0);
    for (const position of [0, 5, 9, 16, 20, length - 1]) {
      const changed = Buffer.from(bytes);
      changed[position] = (changed[position] ?? 0) ^ 1;
      expect([...framesIn(changed, 5)]).toEqual([]);
    }
    expect([...framesIn(bytes.subarray(0, length - 1), 5)]).toEqual([]);
    expect([...framesIn(bytes, 6)]).toEqual([]);
  });
});

describe('what LMDB lacks', () => {
  it('is there after a kill, is given to LMDB, and goes on from there', async () => {
    await killedAfter(3);
    const store = await openAt('copy');
    expect(keysOf(store)).toEqual(['k/0', 'k/1', 'k/2', 'k/settled']);
    expect(textOf(store.get('k/2'))).toBe('value 2');
    await store.write([put('k/3')]);
    killedCopy('copy', 'again');
    await store.close();
    expect(keysOf(await openAt('again'))).toEqual(['k/0', 'k/1', 'k/2', 'k/3', 'k/settled']);
    expect(keysOf(await openAt('copy'))).toEqual(['k/0', 'k/1', 'k/2', 'k/3', 'k/settled']);
  });

  it('ends before a batch that was torn, and what comes next takes its place', async () => {
    await killedAfter(3);
    damage(1);
    const store = await openAt('copy');
    expect(keysOf(store)).toEqual(['k/0', 'k/1', 'k/settled']);
    await store.write([put('k/new')]);
    killedCopy('copy', 'again');
    expect(keysOf(await openAt('again'))).toEqual(['k/0', 'k/1', 'k/new', 'k/settled']);
  });

  it('is never passed over: a batch that is damaged, while later ones are there, is said, by a start and by a check', async () => {
    await killedAfter(3);
    damage(2);
    const refused = await openAt('copy').catch((error: unknown) => error);
    expect(refused).toMatchObject({ code: 'DATA_DAMAGED' });
    expect(String(refused)).toMatch(/batch 3 cannot be read, and batch 4 is there; LMDB ends with batch 1/);
    const found: string[] = [];
    await checkData(at('copy'), ({ problem }) => found.push(problem));
    expect(found).toContainEqual(expect.stringMatching(/batch 3 cannot be read/));
  });

  it('is counted by a check, which changes nothing', async () => {
    await killedAfter(3);
    const before = readFileSync(journalFile('copy', 'a'));
    expect(await checkData(at('copy'), () => undefined)).toMatchObject({ journal: 3 });
    expect(readFileSync(journalFile('copy', 'a')).equals(before)).toBe(true);
  });

  it('cannot be known without the files', async () => {
    await killedAfter(1);
    rmSync(journalFile('copy', 'b'));
    expect(await codeOf(() => openAt('copy'))).toBe('DATA_DAMAGED');
    rmSync(join(at('copy'), 'journal'), { recursive: true });
    expect(await codeOf(() => openAt('copy'))).toBe('DATA_DAMAGED');
  });
});

it('a journal of another store is not read', async () => {
  const other = await openAt('other');
  for (let n = 0; n < 5; n++) await other.write([put(`k/other ${n}`)]);
  await killedAfter(2);
  cpSync(journalFile('other', 'a'), journalFile('copy', 'b'));
  expect(keysOf(await openAt('copy'))).toEqual(['k/0', 'k/1', 'k/settled']);
});

it('a folder of before, without a journal, gets one', async () => {
  await (await openAt('data')).close();
  const root = open<Uint8Array, string>({ path: join(at('data'), 'records'), encoding: 'binary', maxDbs: 8 });
  const about = root.openDB<Uint8Array, string>('meta', { encoding: 'binary' });
  await Promise.all([about.put('schemaVersion', bytesOf('2')), about.remove('salt'), about.remove('settled')]);
  await root.close();
  rmSync(join(at('data'), 'journal'), { recursive: true });
  expect(await checkData(at('data'), () => undefined)).toMatchObject({ journal: 0 });
  const store = await openAt('data');
  await store.write([put('k/new')]);
  killedCopy('data', 'copy');
  expect(keysOf(await openAt('copy'))).toEqual(['k/new']);
});

it('its two files are used in turn, and hold what LMDB lacks at every moment', async () => {
  const size = 64 * 1024;
  const store = await openAt('data', size);
  const expected: string[] = [];
  for (let n = 0; n < 300; n++) {
    const key = `k/${String(n).padStart(4, '0')}`;
    await store.write([put(key, 'x'.repeat(5_000))]);
    expected.push(key);
    if (n % 60 === 59) {
      killedCopy('data', `copy ${n}`);
      expect(keysOf(await openAt(`copy ${n}`, size))).toEqual(expected);
    }
    if (n % 10 === 0) for await (const _ of store.storedValues()) break;
  }
  const sizes = readdirSync(join(at('data'), 'journal')).map(
    (name) => statSync(join(at('data'), 'journal', name)).size,
  );
  expect(sizes).toHaveLength(2);
  // 1.5 MB went through it
  for (const bytes of sizes) expect(bytes).toBeLessThan(600_000);
});

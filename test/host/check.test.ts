/** What `polaron check` finds, and that it changes nothing. */
import { createHash } from 'node:crypto';
import { readdirSync, readFileSync, rmSync, statSync, truncateSync, writeFileSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { open } from 'lmdb';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { checkData } from '../../host/check-data.ts';
import { checkFolder } from '../../host/check.ts';
import type { CheckCounts, Problem } from '../../host/check-report.ts';
import { compactData } from '../../host/compact.ts';
import { encodeDispatch, encodeKey, keys } from '../../store/records.ts';
import { openLmdbStore } from '../../store/lmdb-store.ts';
import type { WriteOp } from '../../store/store.ts';
import { codeOf, digestOf } from '../contract/store-contract.ts';
import { makeData, type MadeData } from '../support/data-folder.ts';
import { dispatchId } from '../actors/support/hub-world.ts';

let path = '';
let made: MadeData;
beforeEach(async () => {
  path = await mkdtemp(join(tmpdir(), 'polaron-check-'));
  made = await makeData(path);
});
afterEach(() => rm(path, { recursive: true, force: true }));

const file = (digest: string): string => join(path, 'blobs', digest.slice(0, 2), digest);
async function problems(): Promise<readonly Problem[]> {
  const found: Problem[] = [];
  await checkData(path, (problem) => found.push(problem));
  return found;
}
const texts = async (): Promise<string[]> => (await problems()).map(({ problem }) => problem);
async function write(...ops: readonly WriteOp[]): Promise<void> {
  const store = await openLmdbStore({ path, log: () => undefined });
  await store.write(ops);
  await store.close();
}
/** Names, sizes and bytes of all files but LMDB's table of readers. */
const everything = (): Record<string, string> =>
  Object.fromEntries(
    readdirSync(path, { recursive: true, withFileTypes: true })
      .filter((entry) => entry.isFile() && entry.name !== 'lock.mdb')
      .map(({ parentPath, name }) => [
        join(parentPath, name),
        createHash('sha256')
          .update(readFileSync(join(parentPath, name)))
          .digest('hex'),
      ]),
  );

it('a whole folder is whole, and nothing in it is changed', async () => {
  const before = everything();
  const counts: CheckCounts = { dispatches: 2, electrons: 103, values: 104, files: 1, journal: 0 };
  expect(await checkFolder(path)).toEqual({ problems: [], counts });
  expect(everything()).toEqual(before);
});

it('a value that is damaged or gone is named with every dispatch and electron that needs it', async () => {
  const { ended, large, list } = made;
  const bytes = readFileSync(file(large.digest));
  bytes[5] = 0;
  writeFileSync(file(large.digest), bytes);
  const named = { dispatch: ended, electron: 1, key: keys.electron(ended, 1), value: large.digest };
  const damaged = await problems();
  expect(damaged).toContainEqual({ ...named, problem: `it names value ${large.digest}, which is damaged` });
  expect(damaged.map(({ problem }) => problem)).toContain(
    `list ${list.digest}[1]: it names value ${large.digest}, which is damaged`,
  );
  expect(damaged.map(({ problem }) => problem)[0]).toMatch(/^file blobs.*its bytes have another digest$/);
  truncateSync(file(large.digest), 50);
  expect(await texts()).toContain(`it names value ${large.digest}, which is damaged`);
  rmSync(file(large.digest));
  const gone = await problems();
  expect(gone).toContainEqual({ ...named, problem: `it names value ${large.digest}, which is not there` });
  expect(gone).toHaveLength(2);
  expect((await checkFolder(path)).problems).toEqual(gone);
});

it('a small value whose bytes changed is found', async () => {
  const root = open<Uint8Array, string>({ path: join(path, 'records'), encoding: 'binary', maxDbs: 8 });
  const values = root.openDB<Uint8Array, Uint8Array>('values', { encoding: 'binary', keyEncoding: 'binary' });
  await values.put(Buffer.from(made.small.digest, 'hex'), Buffer.from('another value'));
  await root.close();
  const found = await problems();
  expect(found[0]).toEqual({
    problem: `value ${made.small.digest}: its bytes have another digest`,
    value: made.small.digest,
  });
  expect(found.filter(({ problem }) => problem.includes('which is damaged')).map(({ key }) => key)).toEqual(
    [
      keys.electron(made.ended, 0),
      keys.spec(made.ended),
      keys.spec(made.live),
      keys.expansion(made.ended, 3, 1),
    ].sort(),
  );
});

it('records that cannot be read, belong to nothing or contradict each other are found', async () => {
  const { ended, live } = made;
  const none = dispatchId(77);
  const bad = new Uint8Array([0xc1]);
  const remove = (key: string): WriteOp => ({ op: 'remove', key });
  const put = (key: string, value: Uint8Array): WriteOp => ({ op: 'put', key, value });
  const cases: readonly (readonly [WriteOp, string])[] = [
    [
      put(keys.electron(ended, 5), bad),
      `record ${keys.electron(ended, 5)} cannot be read: electron: the record has no version`,
    ],
    [put(keys.logs(none, 5, 1), readLogs()), `record ${keys.logs(none, 5, 1)} belongs to a dispatch that is not there`],
    [remove(keys.live(live)), `dispatch ${live} is accepted, and would never go on: record live/${live} is missing`],
    [put(keys.live(ended), new Uint8Array([1])), `dispatch ${ended} is completed and counts as live`],
    [put(keys.live(none), new Uint8Array([1])), `dispatch ${none} counts as live, and is not there`],
    [
      put('k/kim/x', encodeKey(none, made.small.digest)),
      `idempotency key k/kim/x names dispatch ${none}, which is not there`,
    ],
    [remove(keys.dispatch(live)), `dispatch ${live} has no status: record d/${live} is missing`],
    [put('e/x/1', bad), 'record e/x/1 names no dispatch'],
    [
      put(keys.dispatch(none), encodeDispatch({ status: 'completed', seq: 1, errors: [] })),
      `dispatch ${none}: record s/${none} is missing`,
    ],
  ];
  for (const [op, expected] of cases) {
    const key = op.op === 'value' ? '' : op.key;
    const store = await openLmdbStore({ path, log: () => undefined });
    const before = store.get(key);
    const kept = before === undefined ? undefined : Uint8Array.from(before);
    await store.write([op]);
    await store.close();
    expect(await texts()).toContain(expected);
    await write(kept === undefined ? remove(key) : put(key, kept));
    expect(await texts()).toEqual([]);
  }
});

it('a folder in use, of a newer version, or that is none is refused with its code', async () => {
  const store = await openLmdbStore({ path, log: () => undefined });
  expect(await codeOf(() => checkFolder(path))).toBe('DATA_IN_USE');
  expect(await codeOf(() => compactData(path, () => undefined))).toBe('DATA_IN_USE');
  await store.close();
  const root = open<Uint8Array, string>({ path: join(path, 'records'), encoding: 'binary', maxDbs: 8 });
  await root.openDB<Uint8Array, string>('meta', { encoding: 'binary' }).put('schemaVersion', Buffer.from('99'));
  await root.close();
  expect(await codeOf(() => checkFolder(path))).toBe('DATA_NEWER');
  for (const act of [checkFolder, (folder: string) => compactData(folder, () => undefined)])
    expect(await codeOf(() => act(join(path, 'nothing')))).toBe('USAGE');
  expect(readdirSync(path)).not.toContain('nothing');
});

it('compact removes what nothing refers to, and makes the file as small as what is left; all that is left is whole', async () => {
  const store = await openLmdbStore({ path, log: () => undefined });
  const pad = Array.from({ length: 3_000 }, (_, i) => Buffer.alloc(2_000, `padding ${i} `));
  await store.write(pad.map((bytes) => ({ op: 'value', digest: digestOf(bytes), bytes })));
  await store.close();
  const big = statSync(join(path, 'records', 'data.mdb')).size;
  // what an earlier one that was killed left
  writeFileSync(join(path, 'records', 'compacted'), '');
  const done = await compactData(path, () => undefined);
  expect(done.values).toBeGreaterThan(2_950);
  expect(done).toMatchObject({ before: expect.any(Number), after: statSync(join(path, 'records', 'data.mdb')).size });
  expect(done.after).toBeLessThan(big / 20);
  expect(readdirSync(join(path, 'records')).sort()).toEqual(['data.mdb', 'lock.mdb']);
  const { problems: none, counts } = await checkFolder(path);
  expect([none, counts?.electrons]).toEqual([[], 103]);
});

function readLogs(): Uint8Array {
  return Buffer.from('92 01 82 a6 73 74 64 6f 75 74 a0 a6 73 74 64 65 72 72 a0'.replaceAll(' ', ''), 'hex');
}

/**
 * Opens a data folder: lock, files, schema version. Whatever is wrong with it is found here, before LMDB maps a broken file.
 *
 *   polaron.lock   who uses it (folder-lock.ts)
 *   records/       LMDB: sub-databases records, values, meta
 *   journal/       batches that LMDB doesn't have yet (journal.ts)
 *   blobs/         large values (blob-files.ts)
 */
import { randomBytes, randomUUID } from 'node:crypto';
import {
  accessSync,
  closeSync,
  constants,
  existsSync,
  fstatSync,
  mkdirSync,
  openSync,
  readSync,
  realpathSync,
  rmSync,
} from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { crc32 } from 'node:zlib';
import { open, type Database, type RootDatabase } from 'lmdb';
import { PolaronError } from '../model/errors.ts';
import { makeBlobFolder, syncFolder } from './blob-files.ts';
import { clearLeftovers } from './blob-sweep.ts';
import { RESTORED_FILE, UNFINISHED_FILE } from './copy-folder.ts';
import { lockFolder } from './folder-lock.ts';
import { makeJournal, readJournal, type Unsettled } from './journal.ts';
import { makeFolder } from './make-folder.ts';
import { SCHEMA_VERSION } from './records.ts';
import type { StoreMeta } from './store.ts';

/** In records/, while LMDB's file is made small (compact.ts). */
export const COMPACTED = 'compacted';

export interface OpenFolder extends JournalState {
  readonly root: RootDatabase<Uint8Array, string>;
  readonly records: Database<Uint8Array, string>;
  readonly values: Database<Uint8Array, Uint8Array>;
  readonly about: Database<Uint8Array, string>;
  readonly blobFolder: string;
  readonly journalFolder: string;
  readonly meta: StoreMeta;
  /** Batches of the journal that LMDB lacks. */
  readonly unsettled: readonly Unsettled[];
  readonly unlock: () => void;
}

/** Raises DATA_IN_USE, DATA_NEWER, DATA_NOT_WRITABLE, DATA_DAMAGED. */
export async function openFolder(path: string): Promise<OpenFolder> {
  const unlock = enter(path);
  let root: Root | undefined;
  try {
    refuseUnfinished(path);
    const blobFolder = join(path, 'blobs');
    const records = join(path, 'records');
    try {
      await makeBlobFolder(blobFolder);
      await clearLeftovers(blobFolder, Date.now());
      mkdirSync(records, { recursive: true, mode: 0o700 });
      for (const folder of [blobFolder, join(blobFolder, 'tmp'), records, journalIn(path)])
        if (existsSync(folder)) accessSync(folder, constants.W_OK);
    } catch (error) {
      throw notWritable(path, error);
    }
    rmSync(join(records, COMPACTED), { recursive: true, force: true });
    const transactions = inspectDataFile(path, join(records, 'data.mdb'), 'r+');
    const databases = await openDatabases(path, records, transactions);
    ({ root } = databases);
    for (const folder of [blobFolder, records, path]) await syncFolder(folder);
    await syncAbove(realpathSync(path));
    return { ...databases, blobFolder, journalFolder: journalIn(path), unlock };
  } catch (error) {
    await root?.close();
    unlock();
    throw error;
  }
}

/** The names of the folder and of those above it, which may be new. One that we can't read was there before. */
async function syncAbove(path: string): Promise<void> {
  const above = dirname(path);
  if (above === path) return;
  await syncFolder(above).catch(() => undefined);
  await syncAbove(above);
}

function enter(path: string): () => void {
  try {
    makeFolder(resolve(path));
    return lockFolder(realpathSync(path));
  } catch (error) {
    if (error instanceof PolaronError) throw error;
    throw notWritable(path, error);
  }
}

async function openDatabases(
  path: string,
  folder: string,
  transactions: number,
): Promise<Omit<OpenFolder, 'blobFolder' | 'journalFolder' | 'unlock'>> {
  let root: RootDatabase<Uint8Array, string> | undefined;
  try {
    // one commit is under way at a time, so overlapping its sync with the next commit gains nothing
    root = open<Uint8Array, string>({ path: folder, encoding: 'binary', maxDbs: 8, overlappingSync: false });
    const about = root.openDB<Uint8Array, string>('meta', { encoding: 'binary' });
    const known = readVersion(path, about);
    if (known === undefined && transactions > MOST_BEGINNING) throw damaged(path, 'its schema version is missing');
    // The version is written last: where it is, the others are, too, and making them anew would hide that they are lost.
    const { records, values } = openParts(path, root, known === undefined);
    const meta = known === undefined ? await begin(path, about) : await goOn(path, about, known);
    const { seed, settled } = journalState(path, about, meta);
    return {
      root,
      about,
      records,
      values,
      meta,
      seed,
      settled,
      unsettled: readJournal(journalIn(path), seed, settled),
    };
  } catch (error) {
    await root?.close();
    throw error instanceof PolaronError ? error : openError(path, error);
  }
}

type Root = RootDatabase<Uint8Array, string>;
type Parts = Pick<OpenFolder, 'records' | 'values'>;

/** LMDB's transactions until a new folder has its version: more were made in one that has lost it. */
const MOST_BEGINNING = 32;

/** Raises DATA_DAMAGED when one is missing that isn't to be made. */
export function openParts(path: string, root: Root, create: boolean): Parts {
  // lmdb-js's types don't know `create`
  const options = { encoding: 'binary' as const, create };
  const records: Parts['records'] | undefined = root.openDB<Uint8Array, string>('records', options);
  const byDigest = { ...options, keyEncoding: 'binary' as const };
  const values: Parts['values'] | undefined = root.openDB<Uint8Array, Uint8Array>('values', byDigest);
  if (records === undefined || values === undefined) throw damaged(path, 'its records are missing');
  return { records, values };
}

async function begin(path: string, db: Database<Uint8Array, string>): Promise<StoreMeta> {
  const made = { history: randomUUID(), schemaVersion: SCHEMA_VERSION };
  await makeJournal(journalIn(path));
  // puts of one turn: one transaction
  await Promise.all([putVersion(db), db.put('history', Buffer.from(made.history))]);
  await db.flushed;
  return made;
}

const putVersion = (db: Database<Uint8Array, string>): Promise<unknown> =>
  Promise.all([db.put('schemaVersion', Buffer.from(String(SCHEMA_VERSION))), db.put('salt', randomBytes(16))]);

/** Of a folder that was used before: raised to this build's version, and of a history of its own when it was restored. */
async function goOn(path: string, db: Database<Uint8Array, string>, known: StoreMeta): Promise<StoreMeta> {
  const isRestored = existsSync(join(path, RESTORED_FILE));
  if (!hasJournal(path, known)) await makeJournal(journalIn(path));
  if (known.schemaVersion < SCHEMA_VERSION) {
    // what is written from now on is of this version: a build that can't read it refuses the folder as a whole
    await putVersion(db);
    await db.flushed;
  }
  return { schemaVersion: SCHEMA_VERSION, history: isRestored ? await renewed(path, db) : known.history };
}

const FIRST_WITH_JOURNAL = 3;
/** In `meta`: number of the last batch of the journal that LMDB has. */
export const SETTLED_KEY = 'settled';
export const journalIn = (path: string): string => join(path, 'journal');

/** A folder of before has none, and a backup, which is made when LMDB has all, gets its own at its first start. */
export const hasJournal = (path: string, { schemaVersion }: StoreMeta): boolean =>
  schemaVersion >= FIRST_WITH_JOURNAL && !existsSync(join(path, RESTORED_FILE));

/** What the journal's checksums begin with, and the last batch of it that LMDB has. */
export interface JournalState {
  readonly seed: number;
  readonly settled: number;
}

/** Raises DATA_DAMAGED. */
export function journalState(path: string, about: Database<Uint8Array, string>, { history }: StoreMeta): JournalState {
  const salt = about.get('salt');
  const settled = Number(Buffer.from(about.get(SETTLED_KEY) ?? [48]).toString());
  if (salt === undefined || !Number.isSafeInteger(settled))
    throw damaged(path, 'what it says of its journal cannot be read');
  return { seed: crc32(salt, crc32(history)), settled };
}

/** What a folder says of itself; undefined when it is new. Raises DATA_DAMAGED, DATA_NEWER. */
export function readVersion(path: string, db: Database<Uint8Array, string>): StoreMeta | undefined {
  const version = db.get('schemaVersion');
  const history = db.get('history');
  if (version === undefined && history === undefined) return undefined;
  const schemaVersion = Number(Buffer.from(version ?? []).toString() || Number.NaN);
  if (!Number.isSafeInteger(schemaVersion) || history === undefined)
    throw damaged(path, 'its schema version cannot be read');
  if (schemaVersion > SCHEMA_VERSION) {
    throw new PolaronError(
      'DATA_NEWER',
      `data folder ${path} has schema version ${schemaVersion}; this polaron reads up to ${SCHEMA_VERSION}`,
      { details: { path, schemaVersion } },
    );
  }
  return { history: Buffer.from(history).toString(), schemaVersion };
}

/** A restored backup begins a history of its own: what agents still hold of the old one isn't its. */
async function renewed(path: string, db: Database<Uint8Array, string>): Promise<string> {
  const history = randomUUID();
  await db.put('history', Buffer.from(history));
  await db.flushed;
  // a crash before this renews it once more
  rmSync(join(path, RESTORED_FILE));
  return history;
}

function refuseUnfinished(path: string): void {
  if (existsSync(join(path, UNFINISHED_FILE)))
    throw damaged(path, 'it is a backup that was not finished; make another one');
}

const MAGIC = 0xbeefc0de;
/** Where lmdb-js keeps them in each of its two meta pages. */
const META = { magic: 24, pageSize: 48, lastPage: 144, transaction: 152, bytes: 160 } as const;

/** LMDB maps the file and trusts it: one that was cut short would kill the process with SIGBUS. The number of transactions made in it; 0: it is new. */
export function inspectDataFile(path: string, file: string, flags: 'r' | 'r+'): number {
  let fd: number;
  try {
    fd = openSync(file, flags);
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return checkNew(path, file, 'missing');
    throw notWritable(path, error);
  }
  try {
    const { size } = fstatSync(fd);
    if (size === 0) return checkNew(path, file, 'empty');
    const first = metaAt(fd, 0);
    if (first === undefined) throw damaged(path, 'its LMDB file has no header');
    const second = metaAt(fd, first.pageSize);
    const newest = second !== undefined && second.transaction > first.transaction ? second : first;
    const expected = (newest.lastPage + 1n) * BigInt(first.pageSize);
    if (BigInt(size) < expected) throw damaged(path, `its LMDB file has ${size} bytes of ${expected}`);
    return Number(newest.transaction);
  } finally {
    closeSync(fd);
  }
}

/** A new folder has no LMDB file yet, but one that LMDB was in before has lost it: that must not look like a new one. */
function checkNew(path: string, file: string, what: string): 0 {
  if (existsSync(join(dirname(file), 'lock.mdb'))) throw damaged(path, `its LMDB file is ${what}`);
  return 0;
}

function metaAt(fd: number, offset: number): { pageSize: number; lastPage: bigint; transaction: bigint } | undefined {
  const page = Buffer.alloc(META.bytes);
  if (readSync(fd, page, 0, page.length, offset) < page.length || page.readUInt32LE(META.magic) !== MAGIC)
    return undefined;
  const pageSize = page.readUInt32LE(META.pageSize);
  if (pageSize < 512 || pageSize > 65_536) return undefined;
  return {
    pageSize,
    lastPage: page.readBigUInt64LE(META.lastPage),
    transaction: page.readBigUInt64LE(META.transaction),
  };
}

function openError(path: string, error: unknown): PolaronError {
  const message = error instanceof Error ? error.message : String(error);
  if (/permi|read-only|EACCES|EROFS|ENOSPC|EDQUOT|EMFILE|EIO/i.test(message)) return notWritable(path, error);
  return damaged(path, message, error);
}

export const notWritable = (path: string, cause: unknown): PolaronError =>
  new PolaronError(
    'DATA_NOT_WRITABLE',
    `data folder ${path} cannot be written: ${cause instanceof Error ? cause.message : String(cause)}`,
    {
      details: { path },
      cause,
    },
  );

const damaged = (path: string, reason: string, cause?: unknown): PolaronError =>
  new PolaronError('DATA_DAMAGED', `data folder ${path} cannot be read: ${reason}`, {
    details: { path, reason },
    cause,
  });

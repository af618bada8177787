/**
 * Looks through a whole data folder and says what is wrong with it: every digest, every reference, every record. Only reads. Meant for a process of its own
 * (check-process.ts): LMDB trusts its file, and a damaged one may end the process.
 */
import { createHash } from 'node:crypto';
import { createReadStream, readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { open, type Database, type RootDatabase } from 'lmdb';
import { isDigest, type Digest } from '../model/ids.ts';
import { PolaronError } from '../model/errors.ts';
import { readJournal } from '../store/journal.ts';
import {
  hasJournal,
  inspectDataFile,
  journalIn,
  journalState,
  openParts,
  readVersion,
  type JournalState,
} from '../store/lmdb-open.ts';
import { entriesOf } from '../store/lmdb-values.ts';
import { checkRecords } from './check-records.ts';
import type { CheckCounts, Report, StoredValues } from './check-report.ts';

/** Raises DATA_NEWER, and DATA_DAMAGED for what keeps it from looking at all. */
export async function checkData(path: string, report: Report): Promise<CheckCounts> {
  const counts = await withData(path, async (records, small, state) => {
    const journal = state === undefined ? 0 : checkJournal(path, state, report);
    const damaged = new Set<string>();
    const values = checkSmall(small, damaged, report);
    const files = await checkFiles(join(path, 'blobs'), damaged, report);
    const stored = storedValues(small, join(path, 'blobs'), damaged);
    return { ...checkRecords(records, stored, report), values, files, journal };
  });
  if (counts !== undefined) return counts;
  throw new PolaronError('DATA_DAMAGED', `data folder ${path} has no schema version`);
}

type Read<T> = (
  records: Database<Uint8Array, string>,
  values: Database<Uint8Array, Uint8Array>,
  journal: JournalState | undefined,
) => Promise<T>;

/** Undefined when the folder has no schema version. */
async function withData<T>(path: string, read: Read<T>): Promise<T | undefined> {
  const folder = join(path, 'records');
  inspectDataFile(path, join(folder, 'data.mdb'), 'r');
  const root: RootDatabase<Uint8Array, string> = open({ path: folder, encoding: 'binary', maxDbs: 8, readOnly: true });
  try {
    const about: Database<Uint8Array, string> | undefined = root.openDB('meta', { encoding: 'binary' });
    const meta = about === undefined ? undefined : readVersion(path, about);
    if (about === undefined || meta === undefined) return undefined;
    const { records, values } = openParts(path, root, false);
    return await read(records, values, hasJournal(path, meta) ? journalState(path, about, meta) : undefined);
  } finally {
    await root.close();
  }
}

function checkJournal(path: string, { seed, settled }: JournalState, report: Report): number {
  try {
    return readJournal(journalIn(path), seed, settled).length;
  } catch (error) {
    report({ problem: error instanceof Error ? error.message : String(error) });
    return 0;
  }
}

function checkSmall(values: Database<Uint8Array, Uint8Array>, damaged: Set<string>, report: Report): number {
  let count = 0;
  for (const { key, value } of entriesOf(values)) {
    const digest = Buffer.from(key).toString('hex');
    count++;
    if (createHash('sha256').update(value).digest('hex') === digest) continue;
    damaged.add(digest);
    report({ problem: `value ${digest}: its bytes have another digest`, value: digest });
  }
  return count;
}

async function checkFiles(folder: string, damaged: Set<string>, report: Report): Promise<number> {
  let count = 0;
  for (const part of readdirSync(folder)) {
    if (part === 'tmp') continue;
    for (const digest of readdirSync(join(folder, part))) {
      count++;
      const path = join(folder, part, digest);
      try {
        const hash = createHash('sha256');
        for await (const chunk of createReadStream(path, { highWaterMark: 1024 * 1024 })) hash.update(chunk);
        if (hash.digest('hex') === digest && digest.startsWith(part)) continue;
        report({ problem: `file blobs/${part}/${digest}: its bytes have another digest`, value: digest });
      } catch (error) {
        const why = error instanceof Error ? error.message : String(error);
        report({ problem: `file blobs/${part}/${digest} cannot be read: ${why}`, value: digest });
      }
      damaged.add(digest);
    }
  }
  return count;
}

function storedValues(
  values: Database<Uint8Array, Uint8Array>,
  folder: string,
  damaged: ReadonlySet<string>,
): StoredValues {
  const small = (digest: Digest): Uint8Array | undefined => values.get(Buffer.from(digest, 'hex'));
  const file = (digest: Digest): string => join(folder, digest.slice(0, 2), digest);
  return {
    find(digest) {
      if (!isDigest(digest)) return undefined;
      const size = small(digest)?.length ?? statSync(file(digest), { throwIfNoEntry: false })?.size;
      return size === undefined ? undefined : { size, whole: !damaged.has(digest) };
    },
    bytes: (digest) => small(digest) ?? readFileSync(file(digest)),
  };
}

import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import {
  cpSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  statfsSync,
  truncateSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { open } from 'lmdb';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { PolaronError } from '../../model/errors.ts';
import { openLmdbStore } from '../../store/lmdb-store.ts';
import type { Store } from '../../store/store.ts';
import { findImmutable, makeImmutable } from '../support/immutable.ts';
import { withRealPart } from '../support/real-part.ts';
import { bytesOf, codeOf, digestOf, put, textOf } from './store-contract.ts';

let path = '';
const folders: string[] = [];
const openAt = (
  where: string,
  more: { readonly flushTimeoutMs?: number; readonly settleMs?: number } = {},
): Promise<Store> => openLmdbStore({ path: where, log: () => undefined, ...more });

beforeEach(async () => {
  path = await mkdtemp(join(tmpdir(), 'polaron-disk-'));
  folders.push(path);
});
afterAll(async () => {
  for (const folder of folders) await rm(folder, { recursive: true, force: true });
});

describe('a data folder', () => {
  it('keeps records, values, half an upload and its history over a restart', async () => {
    const bytes = new Uint8Array(100_000).fill(7);
    const digest = digestOf(bytes);
    const first = await openAt(path);
    await first.write([put('a', '1'), { op: 'value', digest: digestOf(bytesOf('v')), bytes: bytesOf('v') }]);
    await (await first.openBlob(digest, bytes.length, { resume: true })).write(bytes.subarray(0, 60_000));
    await (await first.openBlob(digest, bytes.length)).write(bytes.subarray(0, 10));
    const parts = join(path, 'blobs', 'tmp');
    expect(readdirSync(parts)).toHaveLength(2);
    await first.close();
    const second = await openAt(path);
    expect(second.meta).toEqual(first.meta);
    expect(textOf(second.get('a'))).toBe('1');
    expect(textOf(second.smallValue(digestOf(bytesOf('v'))))).toBe('v');
    expect(readdirSync(parts), 'what nobody will go on with').toHaveLength(1);
    const anew = await second.openBlob(digest, bytes.length);
    expect(anew.received).toBe(0);
    await anew.abort();
    const upload = await second.openBlob(digest, bytes.length, { resume: true });
    expect(upload.received).toBe(60_000);
    await upload.write(bytes.subarray(60_000));
    await upload.finish();
    await second.close();
    expect(readdirSync(parts)).toEqual([]);
    const third = await openAt(path);
    expect(third.valueSize(digest)).toBe(100_000);
    await third.close();
  });

  it('spares the files that were stored or found within the hour, over a restart too, and clears what a removal left', async () => {
    const hourAgo = Date.now() / 1_000 - 3_700;
    const digests = [1, 2, 3].map((n) => digestOf(new Uint8Array(100_000).fill(n)));
    const [found, stored, old] = digests;
    if (found === undefined || stored === undefined || old === undefined) throw new Error('three');
    const file = (digest: string): string => join(path, 'blobs', digest.slice(0, 2), digest);
    const first = await openAt(path);
    for (const [i, digest] of digests.entries()) {
      const upload = await first.openBlob(digest, 100_000);
      await upload.write(new Uint8Array(100_000).fill(i + 1));
      await upload.finish();
      utimesSync(file(digest), hourAgo, hourAgo);
    }
    expect(first.hasValue(found)).toBe(true);
    await (await first.openBlob(stored, 100_000)).finish();
    await first.close();
    writeFileSync(join(path, 'blobs', 'tmp', `${old}.gone`), 'left by a kill');
    writeFileSync(join(path, 'blobs', 'tmp', `${old}.part`), 'given up');
    utimesSync(join(path, 'blobs', 'tmp', `${old}.part`), hourAgo - 86_400, hourAgo - 86_400);
    const second = await openAt(path);
    expect(readdirSync(join(path, 'blobs', 'tmp'))).toEqual([]);
    expect(second.dropValues(digests)).toEqual({ values: 1, bytes: 100_000, held: 2 });
    expect(digests.map((digest) => existsSync(file(digest)))).toEqual([true, true, false]);
    await second.close();
  });

  it('in use by this or another process is refused with its pid, until that one is gone, SIGKILL included', async () => {
    const store = await openAt(path);
    expect(await codeOf(() => openAt(path))).toBe('DATA_IN_USE');
    await store.close();
    await (await openAt(path)).close();

    // an honest holder: another living process, by pid and start time
    const holder = spawn(process.execPath, ['-e', 'setInterval(() => {}, 1000); console.log("up")'], {
      stdio: ['ignore', 'pipe', 'ignore'],
    });
    await once(holder.stdout, 'data');
    const started = (pid: number): string => {
      const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
      const ticks = stat.slice(stat.lastIndexOf(')') + 2).split(' ')[19];
      return `${readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim()} ${ticks}`;
    };
    const pid = holder.pid ?? 0;
    writeFileSync(join(path, 'polaron.lock'), JSON.stringify({ pid, started: started(pid) }));
    const refused = await openAt(path).catch((error: unknown) => error);
    expect(refused instanceof PolaronError && [refused.code, refused.details['pid']]).toEqual(['DATA_IN_USE', pid]);
    holder.kill('SIGKILL');
    await once(holder, 'exit');
    await (await openAt(path)).close();
    // the pid lives, but is another process than the one that took the lock
    writeFileSync(join(path, 'polaron.lock'), JSON.stringify({ pid: process.ppid, started: 'another boot 17' }));
    await (await openAt(path)).close();
    writeFileSync(join(path, 'polaron.lock'), 'garbage');
    await (await openAt(path)).close();
    expect(readdirSync(path).filter((name) => name.includes('lock'))).toEqual([]);
  });

  it('of a newer version is refused', async () => {
    await (await openAt(path)).close();
    const root = open<Uint8Array, string>({
      path: join(path, 'records'),
      encoding: 'binary',
      maxDbs: 8,
      overlappingSync: false,
    });
    await root.openDB<Uint8Array, string>('meta', { encoding: 'binary' }).put('schemaVersion', bytesOf('99'));
    await root.close();
    expect(await codeOf(() => openAt(path))).toBe('DATA_NEWER');
  });

  it('that cannot be written is refused', async () => {
    writeFileSync(join(path, 'file'), '');
    expect(await codeOf(() => openAt(join(path, 'file', 'data')))).toBe('DATA_NOT_WRITABLE');
    expect(await codeOf(() => openAt('/proc/polaron'))).toBe('DATA_NOT_WRITABLE');
    expect(await codeOf(() => openAt(join(path, 'file')))).toBe('DATA_NOT_WRITABLE');
  });

  it('with a damaged or truncated file is refused instead of killing the process', async () => {
    const store = await openAt(path);
    await store.write(Array.from({ length: 2_000 }, (_, i) => put(`k/${i}`, 'x'.repeat(200))));
    await store.close();
    const file = join(path, 'records', 'data.mdb');
    truncateSync(file, 40_960);
    expect(await codeOf(() => openAt(path))).toBe('DATA_DAMAGED');
    writeFileSync(file, Buffer.alloc(20_000, 'garbage'));
    expect(await codeOf(() => openAt(path))).toBe('DATA_DAMAGED');
    writeFileSync(file, 'short');
    expect(await codeOf(() => openAt(path))).toBe('DATA_DAMAGED');
  });
});

describe('a store whose process or disk fails', () => {
  it('of a killed process holds a prefix of its writes, all that was flushed, and no lock', async () => {
    const script = `
      import { openLmdbStore } from ${JSON.stringify(join(import.meta.dirname, '../../store/lmdb-store.ts'))};
      const store = await openLmdbStore({ path: process.argv[1], log: () => undefined });
      for (let i = 0; ; i++) {
        const flushed = store.write([0, 1, 2].map((j) => ({ op: 'put', key: 'k/' + String(i * 3 + j).padStart(8, '0'), value: Buffer.alloc(300) })));
        if (i % 50 === 0) {
          await flushed;
          process.stdout.write(i + ' ');
        }
      }`;
    const child = spawn(process.execPath, ['--import', 'tsx', '--input-type=module', '-e', script, path], {
      cwd: join(import.meta.dirname, '../..'),
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    let said = '';
    child.stdout.on('data', (chunk: Buffer) => {
      said += chunk.toString();
      if (said.length > 300) child.kill('SIGKILL');
    });
    await once(child, 'exit');
    const flushed = Math.max(...said.trim().split(' ').slice(0, -1).map(Number));
    const store = await openAt(path);
    const keys = [...store.range({ start: 'k/', end: 'k0' })].map((entry) => entry.key);
    expect(keys.length).toBeGreaterThanOrEqual((flushed + 1) * 3);
    expect(keys.length % 3).toBe(0);
    expect(keys).toEqual(keys.map((_, i) => `k/${String(i).padStart(8, '0')}`));
    await store.close();
  });

  it('takes a flush that gives no word in time for a failure', async () => {
    const store = await openAt(path, { flushTimeoutMs: 1 });
    const value = new Uint8Array(60_000);
    const slow = store.write(Array.from({ length: 1_000 }, (_, i) => ({ op: 'put', key: `k/${i}`, value })));
    const behind = new Promise(setImmediate).then(() => store.write([put('behind')]));
    expect(await codeOf(() => slow)).toBe('STORE_FAILED');
    expect(await codeOf(() => behind)).toBe('STORE_FAILED');
    expect((await store.failed).message).toContain('no word for 1 ms');
    expect(await codeOf(() => store.write([put('later')]))).toBe('STORE_FAILED');
    await store.close();
    const again = await openAt(path);
    expect([again.get('behind'), again.get('later')]).toEqual([undefined, undefined]);
    await again.close();
  });
});

withRealPart('chattr', findImmutable(), 'taking the right to write from root needs it', () => {
  it('a folder whose journal cannot be opened is let go of', async () => {
    await (await openAt(path)).close();
    const allow = makeImmutable(join(path, 'journal', 'b'));
    try {
      for (let attempt = 0; attempt < 2; attempt++) expect(await codeOf(() => openAt(path))).toBe('DATA_NOT_WRITABLE');
    } finally {
      allow();
    }
    await (await openAt(path)).close();
  });
});

describe('a full disk', () => {
  const real = process.env['POLARON_REQUIRE_REAL'] === '1';
  const root = process.getuid?.() === 0 && process.platform === 'linux';
  let disk = '';
  let mounted = false;
  const unhandled: unknown[] = [];
  const note = (reason: unknown): void => {
    unhandled.push(reason);
  };

  beforeAll(async () => {
    process.on('unhandledRejection', note);
    if (!root) return;
    disk = await mkdtemp(join(tmpdir(), 'polaron-full-'));
    try {
      execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=24m', 'tmpfs', disk], { stdio: 'ignore' });
      mounted = true;
    } catch {
      // not allowed in this container: said below
    }
  });
  afterAll(async () => {
    process.off('unhandledRejection', note);
    if (mounted) execFileSync('umount', ['-l', disk]);
    await rm(disk, { recursive: true, force: true });
  });

  it('takes what a killed process left in the journal piece by piece, as it fits', async ({ skip }) => {
    if (!mounted) skip('needs root to mount a tmpfs');
    const store = await openAt(path, { settleMs: 1_000_000 });
    const keys = Array.from({ length: 1_500 }, (_, i) => `k/${String(i).padStart(8, '0')}`);
    for (let i = 0; i < keys.length; i += 10) await store.write(keys.slice(i, i + 10).map((key) => put(key)));
    const small = join(disk, 'left');
    cpSync(path, small, { recursive: true, filter: (from) => !from.endsWith('lock') && !from.endsWith('lock.mdb') });
    await store.close();
    const { bavail, bsize } = statfsSync(disk);
    // all at once would want more than three times that
    writeFileSync(join(disk, 'ballast'), Buffer.alloc(bavail * bsize - 6 * 1024 ** 2));
    const again = await openAt(small);
    expect([...again.range({ start: 'k/', end: 'k0' })].map(({ key }) => key)).toEqual(keys);
    await again.write([put('more')]);
    await again.close();
    rmSync(join(small, 'journal'), { recursive: true });
    rmSync(join(disk, 'ballast'));
    const root = open<Uint8Array, string>({ path: join(small, 'records'), encoding: 'binary', maxDbs: 8 });
    const records = root.openDB<Uint8Array, string>('records', { encoding: 'binary' });
    expect([...records.getKeys()]).toEqual([...keys, 'more']);
    await root.close();
    rmSync(small, { recursive: true });
  });

  it('fails the store for good, and what is found afterwards is a prefix', async ({ skip }) => {
    if (!mounted && real) throw new Error('a tmpfs could not be mounted: run as root');
    if (!mounted) skip('needs root to mount a tmpfs');
    const data = join(disk, 'data');
    mkdirSync(data);
    const store = await openAt(data, { flushTimeoutMs: 3_000 });
    const value = 'x'.repeat(4_000);
    let last = -1;
    const fill = async (): Promise<unknown> => {
      for (let i = 0; i < 200; i++) {
        const ops = Array.from({ length: 100 }, (_, j) => put(`k/${String(i * 100 + j).padStart(8, '0')}`, value));
        await store.write(ops);
        last = i;
      }
      return 'the disk was not filled';
    };
    const failure = await fill().catch((error: unknown) => error);
    expect(failure instanceof PolaronError && failure.code).toBe('STORE_FAILED');
    expect(last).toBeGreaterThan(0);
    expect(await store.failed).toBe(failure);
    expect(await codeOf(() => store.write([put('small')]))).toBe('STORE_FAILED');
    expect(await codeOf(() => store.get('k/00000000'))).toBe('STORE_FAILED');
    await store.close();
    const again = await openAt(data);
    const keys = [...again.range({ start: 'k/', end: 'k0' })].map((entry) => entry.key);
    expect(keys.length).toBeGreaterThanOrEqual((last + 1) * 100);
    expect(keys.length % 100).toBe(0);
    expect(keys).toEqual(keys.map((_, i) => `k/${String(i).padStart(8, '0')}`));
    expect(again.get('small')).toBeUndefined();
    expect(await codeOf(() => again.openBlob(digestOf(bytesOf('x')), 10_000_000))).toBe('DISK_FULL');
    expect(await again.freeBytes()).toBeLessThan(24e6);
    await again.close();
    await new Promise((resolve) => {
      setTimeout(resolve, 200);
    });
    expect(unhandled).toEqual([]);
  });
});

/** The hub's identity on disk: whole or not there, and durable before the hub is known by it. */
import { mkdirSync, mkdtempSync, readdirSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { IDENTITY_FILE, loadIdentity, readIdentity, saveIdentity } from '../../host/data-folder.ts';

/** What was asked of the disk, in order, with the names of files as they were opened. */
const calls = vi.hoisted((): string[] => []);
vi.mock(import('node:fs'), async (original) => {
  const fs = await original();
  const opened = new Map<number, string>();
  const named = (path: unknown): string =>
    String(path)
      .split('/')
      .at(-1)
      ?.replace(/\.\d+$/, '.PID') ?? '';
  const openSync: typeof fs.openSync = (path, ...rest) => {
    const fd = fs.openSync(path, ...rest);
    opened.set(fd, named(path));
    return fd;
  };
  const writeFileSync: typeof fs.writeFileSync = (file, ...rest) => {
    calls.push(`write ${typeof file === 'number' ? opened.get(file) : named(file)}`);
    fs.writeFileSync(file, ...rest);
  };
  const fsyncSync: typeof fs.fsyncSync = (fd) => {
    calls.push(`sync ${opened.get(fd)}`);
    fs.fsyncSync(fd);
  };
  const renameSync: typeof fs.renameSync = (from, to) => {
    calls.push(`rename ${named(from)} ${named(to)}`);
    fs.renameSync(from, to);
  };
  return { ...fs, openSync, writeFileSync, fsyncSync, renameSync };
});

let data = '';
beforeEach(() => {
  data = join(mkdtempSync(join(tmpdir(), 'polaron-identity-')), 'data');
  mkdirSync(data);
  calls.length = 0;
});
afterEach(() => rmSync(join(data, '..'), { recursive: true, force: true }));

it('is renamed into place when its bytes are on disk, and its name is on disk before anybody hears it', () => {
  const durable = [
    `write ${IDENTITY_FILE}.PID`,
    `sync ${IDENTITY_FILE}.PID`,
    `rename ${IDENTITY_FILE}.PID ${IDENTITY_FILE}`,
    'sync data',
  ];
  const identity = loadIdentity(data);
  expect(calls).toEqual(durable);
  saveIdentity(data, { ...identity, port: 4_711 });
  expect(calls).toEqual([...durable, ...durable]);
  expect(loadIdentity(data)).toEqual({ ...identity, port: 4_711 });
  expect(calls).toHaveLength(8);
  expect(readdirSync(data)).toEqual([IDENTITY_FILE]);
  expect(statSync(join(data, IDENTITY_FILE)).mode & 0o777).toBe(0o600);
});

it('of another time stays when a new one cannot be written', () => {
  const identity = loadIdentity(data);
  // A folder in the way of the temporary file: the write fails before the rename.
  mkdirSync(join(data, `${IDENTITY_FILE}.${process.pid}`));
  expect(() => saveIdentity(data, { ...identity, port: 1 })).toThrow(/EISDIR/);
  expect(readIdentity(data)).toEqual(identity);
});

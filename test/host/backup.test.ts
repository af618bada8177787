/** Who may have a backup made where. */
import { chmodSync, existsSync, mkdirSync, readdirSync, statSync, symlinkSync, writeFileSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { backupInto, prepareBackup } from '../../host/backup.ts';
import { PolaronError } from '../../model/errors.ts';
import { codeOf } from '../contract/store-contract.ts';

let home = '';
let data = '';
beforeEach(async () => {
  home = await mkdtemp(join(tmpdir(), 'polaron-backup-'));
  data = join(home, 'data');
  mkdirSync(data);
  writeFileSync(join(data, 'hub-identity.json'), '{}', { mode: 0o600 });
});
afterEach(() => rm(home, { recursive: true, force: true }));

const copied = { values: 1, bytes: 2 };
const copy = async (folder: string): Promise<typeof copied> => {
  writeFileSync(join(folder, 'records'), 'copied');
  return copied;
};
const refused = async (folder: string, ticket: string): Promise<string> => {
  const error = await backupInto(data, copy, folder, ticket).catch((thrown: unknown) => thrown);
  if (!(error instanceof PolaronError)) throw new Error('it was not refused');
  return `${error.code}: ${error.message}`;
};

it('a folder that the asker made is filled, and its ticket goes last', async () => {
  const folder = join(home, 'to', 'backup');
  const ticket = prepareBackup(folder);
  expect(statSync(folder).mode & 0o777).toBe(0o700);
  expect(readdirSync(folder)).toEqual(['unfinished-backup']);
  expect(await backupInto(data, copy, folder, ticket)).toEqual(copied);
  expect(readdirSync(folder).sort()).toEqual(['hub-identity.json', 'records']);
  expect(statSync(join(folder, 'hub-identity.json')).mode & 0o777).toBe(0o600);
});

it('a copy that fails leaves the ticket: nobody takes the folder for a backup', async () => {
  const folder = join(home, 'backup');
  const ticket = prepareBackup(folder);
  const failing = (): Promise<never> => Promise.reject(new PolaronError('DISK_FULL', 'no room'));
  expect(await codeOf(() => backupInto(data, failing, folder, ticket))).toBe('DISK_FULL');
  expect(existsSync(join(folder, 'unfinished-backup'))).toBe(true);
  expect(() => prepareBackup(folder)).toThrow(/is not empty/);
});

it('a folder with anything in it is refused by the command', () => {
  const folder = join(home, 'full');
  mkdirSync(folder);
  writeFileSync(join(folder, 'thesis.tex'), '');
  expect(() => prepareBackup(folder)).toThrow(/full is not empty/);
  expect(readdirSync(folder)).toEqual(['thesis.tex']);
  expect(() => prepareBackup('/proc/polaron')).toThrow(/cannot be written/);
});

it('the hub writes nowhere else: not without the ticket, beside other files, through a link, into a folder that others may read, or into its data', async () => {
  const folder = join(home, 'backup');
  const ticket = prepareBackup(folder);
  expect(await refused('backup', ticket)).toMatch(/BAD_REQUEST: .*not absolute/);
  expect(await refused(join(home, 'none'), ticket)).toMatch(/no such folder/);
  expect(await refused(folder, 'guessed')).toMatch(/does not hold the ticket/);
  symlinkSync(folder, join(home, 'link'));
  expect(await refused(join(home, 'link'), ticket)).toMatch(/no such folder/);
  writeFileSync(join(folder, 'other'), '');
  expect(await refused(folder, ticket)).toMatch(/nothing else/);
  await rm(join(folder, 'other'));
  chmodSync(folder, 0o755);
  expect(await refused(folder, ticket)).toMatch(/user alone/);
  const inside = join(data, 'backup');
  expect(await refused(inside, prepareBackup(inside))).toMatch(/data folder/);
  expect(readdirSync(folder)).toEqual(['unfinished-backup']);
});

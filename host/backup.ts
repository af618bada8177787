/**
 * A backup of a running hub: into a folder that the asker has made, and where a file with a ticket shows that he may write there as the hub's own user.
 * Without that any user of the bus could make the hub write anywhere. The ticket goes last: what still has it isn't finished.
 */
import { randomBytes } from 'node:crypto';
import { chmodSync, readdirSync, realpathSync, writeFileSync } from 'node:fs';
import { copyFile, lstat, readdir, readFile, rm } from 'node:fs/promises';
import { isAbsolute, join, sep } from 'node:path';
import { PolaronError } from '../model/errors.ts';
import { syncFolder } from '../store/blob-files.ts';
import { UNFINISHED_FILE, type Copied } from '../store/copy-folder.ts';
import { makeFolder } from '../store/make-folder.ts';
import { IDENTITY_FILE } from './data-folder.ts';

/** On the asker's side: makes the folder (0700) and puts a ticket into it. Raises USAGE when there is something in it, DATA_NOT_WRITABLE. */
export function prepareBackup(folder: string): string {
  let found: readonly string[];
  const ticket = randomBytes(16).toString('hex');
  try {
    makeFolder(folder);
    found = readdirSync(folder);
    if (found.length === 0) chmodSync(folder, 0o700); // it will hold secrets
    if (found.length === 0) writeFileSync(join(folder, UNFINISHED_FILE), ticket, { mode: 0o600, flag: 'wx' });
  } catch (cause) {
    const why = cause instanceof Error ? cause.message : String(cause);
    throw new PolaronError('DATA_NOT_WRITABLE', `folder ${folder} cannot be written: ${why}`, { cause });
  }
  if (found.length > 0)
    throw new PolaronError('USAGE', `folder ${folder} is not empty`, {
      help: found.includes(UNFINISHED_FILE)
        ? 'It holds a backup that was not finished: remove it, or name another folder.'
        : 'Name a new or an empty folder.',
    });
  return ticket;
}

/** On the hub's side. Raises BAD_REQUEST when the folder isn't what `prepareBackup` made here, and what copying raises. */
export async function backupInto(
  data: string,
  copy: (folder: string) => Promise<Copied>,
  folder: string,
  ticket: string,
): Promise<Copied> {
  await check(data, folder, ticket);
  const copied = await copy(folder);
  await copyFile(join(data, IDENTITY_FILE), join(folder, IDENTITY_FILE));
  await syncFolder(folder);
  await rm(join(folder, UNFINISHED_FILE));
  await syncFolder(folder);
  return copied;
}

async function check(data: string, folder: string, ticket: string): Promise<void> {
  const bad = (why: string): PolaronError =>
    new PolaronError('BAD_REQUEST', `no backup is made in ${JSON.stringify(folder)}: ${why}`, {
      help: "Run `polaron backup` on the hub's machine, as the user that runs the hub.",
    });
  if (!isAbsolute(folder)) throw bad('the path is not absolute');
  const found = await lstat(folder).catch(() => undefined);
  if (found?.isDirectory() !== true) throw bad("there is no such folder on the hub's machine");
  if (found.uid !== process.getuid?.() || (found.mode & 0o077) !== 0)
    throw bad("it is not a folder of the hub's user alone");
  const inside = `${realpathSync(folder)}${sep}`.startsWith(`${realpathSync(data)}${sep}`);
  if (inside) throw bad('it lies in the data folder');
  const names = await readdir(folder);
  const said = names.join() === UNFINISHED_FILE ? await readFile(join(folder, UNFINISHED_FILE), 'utf8') : undefined;
  if (said !== ticket) throw bad('it does not hold the ticket of this request, and nothing else');
}

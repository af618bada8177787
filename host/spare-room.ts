/**
 * Room kept for the worst moment: a file in the data folder that is given back to a disk which others have filled, so that a failed store can be
 * opened again, read, and take the outcomes of what still runs. Made again when there is room.
 * New dispatches are refused long before (defaults.reserveBytes). Not here: recovering (recovery.ts).
 */
import { rmSync, statfsSync, statSync } from 'node:fs';
import { open, rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { Clock, Timer } from '../model/clock.ts';
import { defaults } from '../model/defaults.ts';

const SPARE_BYTES = 16 * 1024 * 1024;
const CHUNK_BYTES = 1024 * 1024;
/** With less than this free a disk counts as full, bytes. */
const SHORT_BYTES = 8 * 1024 * 1024;
const LOOK_MS = 2_000;

/** Bytes that this process may still use on the folder's disk; 0 when that can't be told. */
function freeBytes(folder: string): number {
  try {
    const { bavail, bsize } = statfsSync(folder);
    return bavail * bsize;
  } catch {
    return 0;
  }
}

export const isOutOfRoom = (folder: string): boolean => freeBytes(folder) < SHORT_BYTES;

const fileIn = (folder: string): string => join(folder, 'spare-room');

/** Gives the room back, if the disk is short of it. */
export function releaseSpareRoom(folder: string): void {
  if (isOutOfRoom(folder)) rmSync(fileIn(folder), { force: true });
}

/**
 * Makes it when it is missing and there is room, and gives it back when the disk is full; returns what ends that, and resolves when nothing is written any more.
 * First looks after a while: the file system would write it with the first syncs of a start, which wait for that.
 */
export function keepSpareRoom(folder: string, clock: Clock): () => Promise<void> {
  const file = fileIn(folder);
  let timer: Timer | undefined;
  let ended = false;
  const look = async (): Promise<void> => {
    const there = statSync(file, { throwIfNoEntry: false })?.size === SPARE_BYTES;
    // What fails leaves nothing half.
    if (!there && freeBytes(folder) > defaults.reserveBytes + SPARE_BYTES)
      await write(file, () => ended).catch(() => rm(file, { force: true }));
    else if (there) releaseSpareRoom(folder);
    if (!ended) timer = clock.after(LOOK_MS, again);
  };
  let looking = Promise.resolve();
  function again(): void {
    looking = look();
  }
  timer = clock.after(LOOK_MS, again);
  return () => {
    ended = true;
    timer?.cancel();
    return looking;
  };
}

/** Written out, since a hole would take no room. */
async function write(file: string, ended: () => boolean): Promise<void> {
  const handle = await open(file, 'w', 0o600);
  try {
    const chunk = Buffer.alloc(CHUNK_BYTES);
    for (let at = 0; at < SPARE_BYTES && !ended(); at += CHUNK_BYTES) await handle.write(chunk);
  } finally {
    await handle.close();
  }
}

/**
 * The small files of an agent's state folder: boot number, history, and who uses the folder. Each is written to a temporary name and
 * renamed, so that a reader never sees half of one. Not here: spool, values, bundles, runner processes.
 */
import { closeSync, fsyncSync, mkdirSync, openSync, readFileSync, renameSync, rmSync, writeSync } from 'node:fs';
import { randomUUID } from 'node:crypto';
import { join } from 'node:path';
import { PolaronError } from '../../model/errors.ts';
import { startTimeOf } from '../process/process-table.ts';

export interface StateFolder {
  readonly dir: string;
  /** Random, made with the folder: an agent that comes back in the same folder is the same agent (H6, H11). */
  readonly id: string;
  /** The boot number of this life: the stored one plus one, already on disk. */
  readonly epoch: number;
  /** As it is on disk. */
  readonly history: string;
  setEpoch(epoch: number): void;
  setHistory(history: string): void;
  /** Lets another process use the folder. */
  release(): void;
}

/** Takes the folder and counts the boot. Raises AGENT_NAME_TAKEN while another living process uses it. */
export function openStateFolder(dir: string): StateFolder {
  for (const part of ['values', 'scratch', 'runners', join('node_modules', '.bundles')]) {
    mkdirSync(join(dir, part), { recursive: true, mode: 0o700 });
  }
  const lock = join(dir, 'agent.pid');
  const owner = readText(lock).split(' ');
  const pid = Number(owner[0]);
  if (pid > 0 && pid !== process.pid && owner[1] !== '' && startTimeOf(pid) === owner[1]) {
    throw new PolaronError('AGENT_NAME_TAKEN', `the state folder ${dir} is in use by the agent of process ${pid}`, {
      details: { dir, pid },
      help: 'Stop that agent, or give this one another name or state folder.',
    });
  }
  replace(lock, `${process.pid} ${startTimeOf(process.pid) ?? ''}`);
  const stored = Number(readText(join(dir, 'epoch')));
  const epoch = (Number.isSafeInteger(stored) && stored > 0 ? stored : 0) + 1;
  const setEpoch = (n: number): void => replace(join(dir, 'epoch'), String(n));
  setEpoch(epoch);
  let id = readText(join(dir, 'id'));
  if (id === '') {
    id = randomUUID();
    replace(join(dir, 'id'), id);
  }
  let history = readText(join(dir, 'history'));
  return {
    dir,
    id,
    epoch,
    get history() {
      return history;
    },
    setEpoch,
    setHistory: (next) => {
      replace(join(dir, 'history'), next);
      history = next;
    },
    release: () => rmSync(lock, { force: true }),
  };
}

function readText(file: string): string {
  try {
    return readFileSync(file, 'utf8').trim();
  } catch {
    return '';
  }
}

function replace(file: string, text: string): void {
  const temporary = `${file}.${process.pid}`;
  const fd = openSync(temporary, 'w', 0o600);
  try {
    writeSync(fd, text);
    fsyncSync(fd);
    renameSync(temporary, file);
  } catch (error) {
    rmSync(temporary, { force: true });
    throw error;
  } finally {
    closeSync(fd);
  }
}

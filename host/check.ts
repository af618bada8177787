/** `polaron check`: has a process of its own read the data folder, and survives what that doesn't. */
import { spawn } from 'node:child_process';
import { realpathSync } from 'node:fs';
import { PolaronError } from '../model/errors.ts';
import { trusted } from '../model/trusted.ts';
import { holderOfFolder } from '../store/folder-lock.ts';
import { programArgs } from '../executors/program.ts';
import type { CheckCounts, Problem } from './check-report.ts';
import { requireDataFolder } from './compact.ts';

export interface CheckReport {
  readonly problems: readonly Problem[];
  /** Absent when it could not be read to its end. */
  readonly counts?: CheckCounts;
}

type Word =
  | { readonly type: 'problem'; readonly problem: Problem }
  | { readonly type: 'done'; readonly counts: CheckCounts }
  | { readonly type: 'failed'; readonly code: string; readonly message: string };

/** More problems than this are counted, not kept. */
const MOST_PROBLEMS = 10_000;

/** Raises USAGE, DATA_IN_USE, DATA_NEWER. Damage is a report, no error. */
export async function checkFolder(data: string): Promise<CheckReport> {
  requireDataFolder(data);
  const holder = holderOfFolder(realpathSync(data));
  if (holder !== undefined)
    throw new PolaronError('DATA_IN_USE', `data folder ${data} is in use by process ${holder}`, {
      help: 'Stop the hub first with `polaron stop`, or check a backup.',
      details: { path: data, pid: holder },
    });
  const problems: Problem[] = [];
  let more = 0;
  const { last, how } = await read({ path: data }, (problem) => {
    if (problems.length < MOST_PROBLEMS) problems.push(problem);
    else more++;
  });
  if (last?.type === 'failed' && last.code === 'DATA_NEWER') throw new PolaronError('DATA_NEWER', last.message);
  if (last?.type === 'failed') problems.push({ problem: last.message });
  else if (last === undefined) problems.push({ problem: diedOf(how) });
  if (more > 0) problems.push({ problem: `and ${more} more` });
  return { problems, ...(last?.type === 'done' ? { counts: last.counts } : {}) };
}

const diedOf = (how: string): string => `records/data.mdb is damaged: the process that read it died (${how})`;

/** Has a process read the folder; resolves with its last word, if it came to that, and how it ended. */
async function read(
  asked: { readonly path: string },
  onProblem: (problem: Problem) => void,
): Promise<{ readonly last: Exclude<Word, { type: 'problem' }> | undefined; readonly how: string }> {
  const child = spawn(process.execPath, programArgs('host/check-process'), {
    stdio: ['ignore', 'ignore', 'ignore', 'ipc'],
  });
  let last: Exclude<Word, { type: 'problem' }> | undefined;
  child.on('message', (message: unknown) => {
    const word = trusted<Word>(message);
    if (word.type === 'problem') onProblem(word.problem);
    else last = word;
  });
  child.send(asked);
  const how = await new Promise<string>((resolve) => {
    child.on('close', (code, signal) => resolve(signal ?? `exit code ${code}`));
  });
  return { last, how };
}

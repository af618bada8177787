/** How the store's costs grow with its records, in a process of its own (store-child.mjs). Not responsible for filling and timing. */
import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { field } from './field.ts';
import type { Keep } from './growth-report.ts';
import type { Bed } from './question.ts';
import { median, tidy } from './statistics.ts';

/** One store, filled further and further: a write of 100 records at once, on disk (µs, median of 50), a read of one (µs, median of 1,000), an open (ms). Raises Error when a record is not what was written. */
export async function growStore(bed: Bed, sizes: readonly number[], keep: Keep): Promise<void> {
  const folder = await bed.open(
    () => mkdtemp(join(tmpdir(), 'polaron-store-')),
    (path) => rm(path, { recursive: true, force: true }),
  );
  const child = await bed.open(() => start(join(folder, 'store')), end);
  for (const records of sizes) {
    child.send(records);
    const answer = await nextMessage(child);
    const one = {
      records,
      writeUs: tidy(median(numbers(field(answer, 'writes')))),
      readUs: tidy(median(numbers(field(answer, 'reads')))),
      openMs: tidy(Number(field(answer, 'openMs'))),
    };
    bed.say(`  ${records} records: ${JSON.stringify(one)}`);
    keep(one);
  }
}

async function start(path: string): Promise<ChildProcess> {
  // In a group of its own: a Ctrl-C leaves it alone until its parent ends it.
  const child = fork(fileURLToPath(new URL('./store-child.mjs', import.meta.url)), [path], { detached: true });
  await nextMessage(child);
  return child;
}

async function end(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const ended = once(child, 'exit');
  // Nobody needs what it holds.
  child.kill('SIGKILL');
  await ended;
}

async function nextMessage(child: ChildProcess): Promise<unknown> {
  const ended = once(child, 'exit').then(([code]) => {
    throw new Error(`the store's process ended with ${code ?? 'a signal'}`);
  });
  ended.catch(() => undefined);
  const [message] = await Promise.race([once(child, 'message'), ended]);
  return message;
}

const numbers = (list: unknown): number[] =>
  Array.isArray(list) ? list.filter((one): one is number => typeof one === 'number') : [];

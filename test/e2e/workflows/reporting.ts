/** Electrons that say how they are and what they know of themselves, and wait for the test's word. */
import { existsSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { context, electron, lattice } from 'polaron';

const told = electron(function told(_item: number) {
  const { dispatchId, nodeId, attempt, electronName, latticeName, user, metadata } = context();
  return { dispatchId, nodeId, attempt, electronName, latticeName, user, metadata };
});
export const inner = lattice(function inner(item: number) {
  return told(item);
});
export const about = lattice({ metadata: { team: 'vision', ticket: 'V-7' } }, function about(items: number[]) {
  const one = told(0);
  return { one, many: [items.length, told(items.length)] as const, inside: inner(1) };
});

async function opened(file: string): Promise<void> {
  const { signal } = context();
  while (!existsSync(file)) await sleep(5, undefined, { signal });
}

/** Writes in three steps, each when the test says so. The first attempt fails. */
const report = electron({ retries: { max: 1, delay: 0 } }, async function report(folder: string): Promise<string> {
  const { attempt, log, progress } = context();
  log('begun', { attempt, big: 2n });
  console.log(`attempt ${attempt} prints`);
  console.error('and warns');
  await opened(join(folder, `${attempt}-half`));
  progress(0.5, 'half');
  log('half way', { loss: 0.25, note: 'two words' });
  process.stdout.write('no end of line');
  await opened(join(folder, `${attempt}-done`));
  log('done');
  if (attempt === 1) throw new Error('try again');
  return 'reported';
});
export const reporting = lattice(function reporting(folder: string) {
  return report(folder);
});

/** Leaves files in its scratch folder, and ends as it is told. Says where it was. */
const litter = electron(async function litter(
  folder: string,
  how: 'return' | 'throw' | 'crash' | 'wait',
): Promise<string> {
  const { scratchDir, signal } = context();
  writeFileSync(join(scratchDir, 'left'), 'behind');
  writeFileSync(join(folder, how), scratchDir);
  if (how === 'throw') throw new Error('thrown');
  if (how === 'crash') process.kill(process.pid, 'SIGKILL');
  if (how === 'wait') await sleep(60_000, undefined, { signal });
  return scratchDir;
});
export const littering = lattice(function littering(folder: string) {
  return [litter(folder, 'return'), litter(folder, 'throw'), litter(folder, 'crash'), litter(folder, 'wait')];
});

/** What the signal's reason is, told by a file: nobody hears of what a stopped attempt returns. */
const stopped = electron({ timeout: '400ms' }, async function stopped(file: string): Promise<void> {
  const { signal } = context();
  await new Promise((resolve) => signal.addEventListener('abort', resolve));
  const { name, code, message } = Object(signal.reason);
  writeFileSync(file, JSON.stringify({ name, code, message }));
});
const patient = stopped.with({ name: 'patient', timeout: '10m' });
export const stopping = lattice(function stopping(byTimeout: string, byCancel: string) {
  return [stopped(byTimeout), patient(byCancel)];
});

/** Two electrons in threads of one process; one of them crashes it. */
import { setTimeout as sleep } from 'node:timers/promises';
import { isMainThread } from 'node:worker_threads';
import { electron, lattice } from 'polaron';

const inThread = electron.defaults({ isolation: 'thread' });
export const stays = inThread({ name: 'stays' }, async (ms: number): Promise<string> => {
  await sleep(ms);
  return isMainThread ? 'a process of its own' : 'a thread';
});
const crashes = inThread({ name: 'crashes' }, async (ms: number): Promise<void> => {
  await sleep(ms);
  process.kill(process.pid, 'SIGSEGV');
});
export const threads = lattice({ name: 'threads' }, () => [stays(700), crashes(300)]);

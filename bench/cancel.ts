/**
 * How long from `cancel()` until 1,000 running electrons of one dispatch have stopped, on three agents of this machine? Each has a runner process of its
 * own, and listens to its signal. Stopped: it has answered, which waits for the agents' word on every electron and for the disk; none is unconfirmed.
 */
import { mkdtempSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { freemem } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { cancel, dispatch } from 'polaron';
import { field } from './field.ts';
import type { Answer, Bed, Question } from './question.ts';
import { sleepers } from './sleepers.ts';
import { tidy } from './statistics.ts';

const electrons = 1_000;
const agents = 3;
/** What a runner takes for itself, with room. */
const runnerMiB = 20;
/** Left for everybody else. */
const spareMiB = 2_048;
/** No further electron has begun for so long: what runs by now is all that will. */
const stillMs = 30_000;

/** The agents' grace time for what doesn't listen, and a second. */
const stopGoal = { what: 'from cancel() to its answer, ms', limit: { atMost: 5_000 + 1_000 } };
const sizeGoal = { what: 'electrons that ran and were cancelled', limit: { atLeast: electrons } };
const unconfirmedGoal = { what: 'electrons whose agents had not confirmed', limit: { atMost: 0 } };

export const cancelled: Question = {
  id: 'cancel',
  asks: `a cancel of ${electrons} running electrons on ${agents} agents, until all have stopped`,
  bus: 'one',
  onlyNamed: `it needs ${Math.ceil((electrons * runnerMiB + spareMiB) / 1_024)} GiB of memory for its ${electrons} runners`,
  goals: [stopGoal, sizeGoal, unconfirmedGoal],
  notMeasured: ['a cancel of electrons that don’t listen, which the grace time and SIGTERM end'],
  measure,
};

async function measure(bed: Bed): Promise<Answer> {
  const freeMiBBefore = freeMiB();
  const room = Math.max(1, Math.floor((freeMiBBefore - spareMiB) / runnerMiB));
  const wanted = Math.min(bed.most ?? electrons, electrons, room);
  const hub = await bed.freshHub({ agents: 0 });
  for (let n = 1; n <= agents; n++) await hub.join(`a${n}`, Math.ceil(wanted / agents));
  const folder = mkdtempSync(join(hub.home, 'sleepers-'));
  const [begun, signalled] = [join(folder, 'begun'), join(folder, 'signalled')];
  for (const file of [begun, signalled]) writeFileSync(file, '');
  const id = await dispatch(sleepers)(begun, signalled, wanted);
  const startedInMs = await grown(begun, wanted);
  const running = statSync(begun).size;
  const freeMiBWhileRunning = freeMiB();
  const began = performance.now();
  const reply: unknown = await cancel(id);
  const stoppedMs = performance.now() - began;
  const stopped = count(reply, 'cancelled') + count(reply, 'more');
  const unconfirmed = count(reply, 'unconfirmed');
  // By their signal; the rest was ended by SIGTERM or SIGKILL.
  const bySignal = statSync(signalled).size;
  return {
    figures: {
      wanted,
      running,
      startedInMs: tidy(startedInMs),
      stoppedMs: tidy(stoppedMs),
      bySignal,
      cancelled: stopped,
      unconfirmed,
      freeMiBBefore,
      freeMiBWhileRunning,
    },
    got: {
      [stopGoal.what]: stoppedMs,
      [sizeGoal.what]: Math.min(running, stopped),
      [unconfirmedGoal.what]: unconfirmed,
    },
    text: `${running} of ${wanted} ran (begun within ${tidy(startedInMs)} ms; ${freeMiBBefore} MiB free before, ${freeMiBWhileRunning} MiB then); ${bySignal} stopped by their signal`,
  };
}

/** Waits until all run, or no further one begins; ms from the first to the last. */
async function grown(file: string, wanted: number): Promise<number> {
  let [size, first, last] = [0, performance.now(), performance.now()];
  while (size < wanted && performance.now() - last < stillMs) {
    await sleep(20);
    const now = statSync(file).size;
    if (now === size) continue;
    last = performance.now();
    if (size === 0) first = last;
    size = now;
  }
  return last - first;
}

/** Linux says what programs could have; elsewhere what nobody uses. */
function freeMiB(): number {
  if (process.platform !== 'linux') return Math.round(freemem() / 1024 ** 2);
  const kilobytes = /^MemAvailable:\s+(\d+) kB/m.exec(readFileSync('/proc/meminfo', 'utf8'))?.[1];
  return Math.round(kilobytes === undefined ? freemem() / 1024 ** 2 : Number(kilobytes) / 1_024);
}

/** Of a number, or of a list's entries. */
function count(document: unknown, key: string): number {
  const value = field(document, key);
  return Array.isArray(value) ? value.length : typeof value === 'number' ? value : 0;
}

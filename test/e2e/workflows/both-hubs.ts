/** What may happen to an electron, for both-hubs.test.ts: the same on a real hub and on one inside a test. */
import { setTimeout as sleep } from 'node:timers/promises';
import { context, electron, lattice } from 'polaron';

const attempted = electron(
  { retries: { max: 2, delay: '10ms', notOn: ['TypeError'] } },
  function attempted(fails: number, kind: 'RangeError' | 'TypeError'): number {
    const { attempt } = context();
    if (attempt > fails) return attempt;
    throw kind === 'TypeError' ? new TypeError(`${kind} ${attempt}`) : new RangeError(`${kind} ${attempt}`);
  },
);
export const attempts = lattice(function attempts() {
  return [
    attempted(0, 'RangeError'),
    attempted(2, 'RangeError'),
    attempted(1, 'TypeError'),
    attempted(9, 'RangeError'),
  ];
});

const hangs = electron(async function hangs(): Promise<number> {
  await sleep(60_000, undefined, { signal: context().signal });
  return 1;
});
// at the top level: the agent finds it by its name when it gets so far within its time
const hangsInAll = hangs.with({ name: 'hangsInAll', timeout: { total: '300ms' } });
const reports = electron(
  { timeout: { silence: '200ms' }, retries: { max: 1, delay: 0 } },
  async function reports(): Promise<string> {
    const { attempt, signal } = context();
    context().log(`attempt ${attempt}`, { attempt });
    if (attempt === 1) await sleep(60_000, undefined, { signal });
    context().progress(1);
    return 'heard';
  },
);
export const timed = lattice(function timed() {
  return {
    attempt: hangs.with({ timeout: '200ms', retries: { max: 1, delay: '10ms' } })(),
    total: hangsInAll(),
    heard: reports(),
  };
});
export const late = lattice({ timeout: '300ms' }, function late() {
  return hangs();
});

const where = electron(function where(x: number) {
  const { nodeId, attempt, dispatchId, signal } = context();
  return { nodeId, attempt, x, dispatch: typeof dispatchId, aborted: signal.aborted };
});
export const nodes = lattice(function nodes(xs: number[]) {
  return [where(1), xs.map((x) => x), where(2)];
});

const nowhere = electron({ needs: ['unobtainium'], timeout: { queue: '200ms' } }, function nowhere() {
  return 1;
});
export const unplaced = lattice(function unplaced() {
  return nowhere();
});

const join = electron(function join(parts: readonly Uint8Array[]): Uint8Array {
  return Uint8Array.from(parts.flatMap((part) => [...part.subarray(0, 4)]));
});
const filled = electron(function filled(length: number): Uint8Array {
  return new Uint8Array(length).fill(length % 251);
});
/** Values in messages, in the store, and in files. */
export const sizes = lattice(function sizes() {
  return join([filled(10), filled(70_000), filled(1_500_000)]);
});

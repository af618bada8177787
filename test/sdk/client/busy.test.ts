/** A hub that has no room: what the SDK does until it has. */
import { expect, it, vi } from 'vitest';
import { PolaronError } from '../../../model/errors.ts';
import { withPatience } from '../../../sdk/client/patience.ts';
import { Turnstile } from '../../../model/turnstile.ts';
import { Connection } from '../../../sdk/client/connection.ts';
import { FakeBroker } from './fake-bus.ts';
import { sum, world } from './world.ts';

const busy = (): PolaronError => new PolaronError('HUB_BUSY', 'full');

/** A connection over which the hub has answered before. */
function contacted(): Connection {
  const broker = new FakeBroker();
  const servers = ['nats://fake:4222'];
  const target = { servers, user: 'ann', identity: 'u.ann', from: 'option bus' };
  const connection = new Connection({ target: () => target, dial: async () => broker.connect('u.ann') });
  connection.markContacted();
  return connection;
}

it('is asked again, with growing pauses of random length, until it takes the dispatch', async () => {
  const { hub, sdk } = world();
  hub.failNext.set('submit', Array.from({ length: 5 }, busy));
  const random = vi.spyOn(Math, 'random');
  const began = performance.now();
  await sdk.dispatch(sum)(1, 2);
  const tookMs = performance.now() - began;
  expect(hub.count('submit')).toBe(6);
  expect(random.mock.calls.length).toBeGreaterThanOrEqual(5);
  // 40 + 80 + 160 + 320 + 640 ms, at least half of it.
  expect(tookMs).toBeGreaterThan(600);
  random.mockRestore();
});

it('is not taken for one that went away: an outage has its own patience, begun anew after each answer', async () => {
  const connection = contacted();
  const failures = ['HUB_BUSY', 'HUB_BUSY', 'HUB_BUSY', 'NO_RESPONDERS', 'HUB_BUSY', 'NO_RESPONDERS'] as const;
  let tries = 0;
  const attempt = async (): Promise<string> => {
    const code = failures[tries++];
    if (code !== undefined) throw new PolaronError(code, 'no');
    return 'taken in';
  };
  expect(await withPatience(connection, { outageMs: 100, busyMs: Infinity }, attempt)).toBe('taken in');
  await expect(withPatience(connection, { outageMs: 50 }, () => Promise.reject(busy()))).rejects.toMatchObject({
    code: 'HUB_BUSY',
  });
  await connection.close();
});

it.each([
  ['REQUEST_TIMEOUT', 'does not answer'],
  ['NO_RESPONDERS', 'went away'],
] as const)('that keeps a wait is told apart from others, %s: %s', async (code, words) => {
  const connection = contacted();
  const warn = vi.spyOn(process, 'emitWarning').mockImplementation(() => undefined);
  const attempt = async (): Promise<number> => {
    if (warn.mock.calls.length === 0) throw new PolaronError(code, 'no');
    return 1;
  };
  await withPatience(connection, { outageMs: Infinity }, attempt);
  expect(warn.mock.calls.map(([text]) => String(text))).toEqual([expect.stringContaining(words)]);
  warn.mockRestore();
  await connection.close();
});

it('gets at most 256 submissions of one client at once, in order', async () => {
  const turnstile = new Turnstile(2);
  const begun: number[] = [];
  const ends: (() => void)[] = [];
  const all = [0, 1, 2, 3, 4].map((n) =>
    turnstile.run(async () => {
      begun.push(n);
      await new Promise<void>((resolve, reject) => ends.push(n === 1 ? () => reject(new Error('one')) : resolve));
      return n;
    }),
  );
  const ended = Promise.allSettled(all);
  const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));
  await turn();
  expect(begun).toEqual([0, 1]);
  ends[1]?.();
  await turn();
  expect(begun).toEqual([0, 1, 2]);
  for (let n = 0; n < 5; n++) {
    ends[n]?.();
    await turn();
  }
  expect((await ended).map(({ status }) => status)).toEqual(['fulfilled', 'rejected', ...Array(3).fill('fulfilled')]);
  expect(await turnstile.run(() => Promise.resolve('again'))).toBe('again');
});

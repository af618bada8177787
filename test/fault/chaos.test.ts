/** Chaos with real processes, a little of it: `npm run chaos` is the same for as long as one likes (chaos/main.ts). */
import { expect, it } from 'vitest';
import { anyServer } from '../support/nats-server.ts';
import { mixedRoles } from './chaos/account.ts';
import { runRound } from './chaos/round.ts';
import { Tally } from './chaos/tally.ts';

const seed = Date.now() % 1_000_000;

it('ten strikes at hub, agents, runners and broker, while lattices run: every promise is held', {
  timeout: 180_000,
}, async () => {
  const bus = anyServer === undefined ? 'embedded' : 'nats-server';
  const round = await runRound({
    seed,
    strikes: 10,
    roles: mixedRoles,
    bus,
    isolate: process.env['POLARON_TEST_ISOLATE'] === '1',
  });
  console.log(`seed ${seed}, ${bus}: ${Tally.line(round)}`);
  expect(round.verdict.violations).toEqual([]);
  expect(round.account.dispatched.length).toBeGreaterThan(0);
  expect(round.account.blows.some(({ running }) => running > 0)).toBe(true);
});

/**
 * `npm run chaos -- [--kills 200] [--role hub,agent,…|all] [--bus embedded|nats-server|both] [--isolate] [--quick] [--seed N] [--from N]`: rounds of chaos.
 * `--quick` kills alone, one right after the other. `--role all` is every role, and now and then all at once. Prints a line a round; the last one tells how many struck what. Exit code 1 when a promise was broken.
 */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { mixedRoles, roles, type Role } from './account.ts';
import { anyServer } from '../../support/nats-server.ts';
import type { BusKind } from './parts.ts';
import { runRound } from './round.ts';
import { Tally } from './tally.ts';

/** A round's, at most. */
const STRIKES = 20;

const { values: given } = parseArgs({
  options: {
    kills: { type: 'string', default: '200' },
    role: { type: 'string', default: 'all' },
    bus: { type: 'string', default: anyServer === undefined ? 'embedded' : 'both' },
    seed: { type: 'string' },
    from: { type: 'string', default: '0' },
    isolate: { type: 'boolean', default: false },
    quick: { type: 'boolean', default: false },
  },
});

const say = (line: string): void => void process.stdout.write(`${line}\n`);

function usage(text: string): never {
  say(`chaos: ${text}`);
  process.exit(2);
}

function count(name: 'kills' | 'from' | 'seed', text: string): number {
  const value = Number(text);
  return Number.isSafeInteger(value) && value >= 0 ? value : usage(`--${name}: "${text}" is no whole number`);
}

function wantedRoles(): readonly Role[] {
  const names = given.role.split(',');
  const found = roles.filter((role) => names.includes(role));
  if (found.length !== names.length) usage(`--role: expected some of ${roles.join()}; found "${given.role}"`);
  return found.includes('all') ? mixedRoles : found;
}

function buses(): readonly BusKind[] {
  const { bus } = given;
  if (bus === 'both') return ['nats-server', 'embedded'];
  return bus === 'embedded' || bus === 'nats-server' ? [bus] : usage(`--bus: "${bus}" is none`);
}

const [kills, from] = [count('kills', given.kills), count('from', given.from)];
const seed = given.seed === undefined ? Date.now() % 1_000_000 : count('seed', given.seed);
const kinds = buses();
const wanted = wantedRoles();
const tally = new Tally();
const interrupted = new AbortController();
process.on('SIGINT', () => {
  if (interrupted.signal.aborted) process.exit(130);
  interrupted.abort();
  say('chaos: ends after this round');
});

say(`chaos: kills ${from + 1} to ${kills} of ${given.role} on ${kinds.join(' and ')}, --seed ${seed}`);
let done = from;
while (done < kills && !interrupted.signal.aborted) {
  const strikes = Math.min(STRIKES, kills - done);
  // by the kill, not by the round: --from finds the same rounds
  const roundSeed = seed * 10_000 + done;
  const bus = kinds[Math.floor(done / STRIKES) % kinds.length] ?? 'embedded';
  const began = performance.now();
  const options = { seed: roundSeed, strikes, roles: wanted, bus, isolate: given.isolate, quick: given.quick };
  const round = await runRound(options).catch((error: unknown) => String(error));
  done += strikes;
  const where = `${done}/${kills} ${bus}, ${((performance.now() - began) / 1_000).toFixed(0)} s`;
  const next = `go on with --seed ${seed} --from ${done}`;
  if (typeof round === 'string') {
    tally.violations++;
    say(`${where}: BROKEN the round did not come to its end: ${round}; ${next}`);
    continue;
  }
  tally.add(round);
  say(`${where}: ${Tally.line(round)}; ${next}`);
  for (const violation of round.verdict.violations) say(`  BROKEN ${violation}`);
  if (round.verdict.violations.length > 0) {
    writeFileSync(join(round.home, 'blows.json'), JSON.stringify(round.account.blows));
    say(`  what is left of it, blows.json says what was struck when: ${round.home}`);
  }
}
say(tally.summary());
process.exit(tally.violations === 0 ? 0 : 1);

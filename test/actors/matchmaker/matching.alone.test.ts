/** What a match costs the hub's process with 10,000 agents and 100,000 electrons that wait (at most 50 µs), and what a sync costs beside them. */
import { beforeEach, describe, expect, it } from 'vitest';
import type { Requirement } from '../../../bus/protocol/actors.ts';
import type { Manifest } from '../../../bus/protocol/agent.ts';
import { digestOf } from '../../../bus/value/digest.ts';
import type { ValueInfo } from '../../../model/outcome.ts';
import { ManyAgents, requirement } from './many-agents.ts';

const AGENTS = 10_000;
const manifest: Manifest = {
  dispatch: 'd',
  user: 'kim',
  lattice: 'l',
  argv: [],
  captures: {},
  expiresAt: 0,
  strict: false,
};
const WAITING = 100_000;
/** On a machine so slow, or so busy, that a look at every agent takes more than a millisecond: a twentieth of that. */
let mostUs = 50;

let some: ManyAgents;
/**
 * Microseconds for one of `count`. The least of several batches: the first are carried out by code that is not compiled yet, and others may use the machine meanwhile.
 */
function timed(what: string, act: () => number, batches = 1): number {
  let least = Number.POSITIVE_INFINITY;
  for (let n = 0; n < batches; n++) {
    const from = performance.now();
    const count = act();
    least = Math.min(least, ((performance.now() - from) * 1_000) / count);
  }
  console.log(`${what}: ${least.toFixed(1)} µs`);
  return least;
}

/** Each class waits with its share; of several users and dispatches. */
function wait(classes: readonly Requirement[]): void {
  const dispatches = Math.max(1, Math.floor(100 / classes.length));
  const electrons = Math.ceil(WAITING / classes.length / dispatches);
  for (const one of classes) for (let n = 0; n < dispatches; n++) some.wait(one, electrons, `u${n % 7}`);
}

/** One electron ends at a time, and the place that it had is given again. */
function oneByOne(rounds: number): number {
  let given = 0;
  for (let n = 0; n < rounds; n++) {
    some.end(ended++);
    given += some.pair();
  }
  expect(given).toBeGreaterThanOrEqual(rounds);
  return given;
}
let ended: number;

beforeEach(() => {
  some = new ManyAgents();
  ended = 0;
});

it('without the pools each match would look at every agent, which costs so much', () => {
  for (let n = 0; n < AGENTS; n++) some.join({ slots: 4 });
  let most = 0;
  const look = (): number => {
    for (let n = 0; n < 20; n++) for (const agent of some.agents) most = Math.max(most, agent.credit(some.now).free);
    return 20;
  };
  const each = timed('a look at every agent', look, 5);
  expect(most).toBe(4);
  mostUs = Math.max(mostUs, each / 20);
});

const sites = Array.from({ length: 300 }, (_, n) => `site=s${n}`);

describe('a match', () => {
  it('of one class, first with free agents and then with full ones', () => {
    for (let n = 0; n < AGENTS; n++) some.join({ slots: 4 });
    some.pair();
    wait([requirement('process')]);
    expect(timed('one class, free agents', () => some.pair())).toBeLessThan(mostUs);
    expect(timed('one class, full agents', () => oneByOne(5_000))).toBeLessThan(mostUs);
  });

  it('of 300 classes that all agents serve', () => {
    for (let n = 0; n < AGENTS; n++) some.join({ slots: 4, capabilities: ['process', ...sites] });
    some.pair();
    wait(sites.map((site) => requirement('process', site)));
    expect(timed('300 classes, free agents', () => some.pair())).toBeLessThan(mostUs);
    expect(timed('300 classes, full agents', () => oneByOne(3_000))).toBeLessThan(mostUs);
  });

  it('of 300 classes of which each agent serves its own and a common one, with labels and amounts that no other has', () => {
    for (let n = 0; n < AGENTS; n++) {
      const own = [`host=h${n}`, `memory=${16 + n / 1_000}GiB`, 'cpus=8'];
      some.join({ slots: 4, capabilities: ['process', sites[n % sites.length] ?? '', ...own] });
    }
    some.pair();
    wait([requirement('process'), ...sites.map((site) => requirement('process', site))]);
    expect(timed('300 sites, free agents', () => some.pair())).toBeLessThan(mostUs);
    expect(timed('300 sites, full agents', () => oneByOne(3_000))).toBeLessThan(mostUs);
  });

  it('of 100 classes that take amounts, until none is left and then as they are given back', () => {
    for (let n = 0; n < AGENTS; n++)
      some.join({ slots: 8, capabilities: ['process', `memory=${32 + (n % 64)}GiB`, 'gpus=4'] });
    some.pair();
    const classes = Array.from({ length: 100 }, (_, n) => requirement('process', `memory>=${8 + n / 8}GiB`, 'gpus>=1'));
    wait(classes);
    expect(timed('100 classes with amounts, free agents', () => some.pair())).toBeLessThan(mostUs);
    expect(timed('100 classes with amounts, taken agents', () => oneByOne(1_000), 30)).toBeLessThan(mostUs);
  });
});

describe('a match by what agents have', () => {
  const value = (name: string, size: number): ValueInfo => ({ digest: digestOf(Buffer.from(name)), size });
  const usage = { startedAt: 0, endedAt: 0 };
  const MiB = 1024 ** 2;

  it('of 100 bundles that a hundred agents each have, more than are looked at', () => {
    for (let n = 0; n < AGENTS; n++) some.join({ slots: 4 });
    some.pair();
    const bundles = Array.from({ length: 100 }, (_, n) => value(`bundle ${n}`, 100_000));
    some.agents.forEach((agent, n) => {
      const bundle = bundles[n % 100];
      if (bundle !== undefined) some.near.sent(agent, { manifest: { ...manifest, bundle }, inputs: [] });
    });
    for (const bundle of bundles) some.wait(requirement('process'), WAITING / 100, 'kim', { bundle });
    expect(timed('100 bundles, free agents', () => some.pair())).toBeLessThan(mostUs);
    expect(timed('100 bundles, full agents', () => oneByOne(5_000))).toBeLessThan(mostUs);
  });

  it('of electrons that each have four large inputs, each of them on ten agents', () => {
    for (let n = 0; n < AGENTS; n++) some.join({ slots: 4 });
    some.pair();
    const inputs = Array.from({ length: 6_000 }, (_, n) => value(`input ${n}`, (1 + (n % 9)) * MiB));
    inputs.forEach((one, n) => {
      for (let of = 0; of < 10; of++) {
        const agent = some.agents[(n * 7 + of * 997) % AGENTS];
        if (agent !== undefined) some.near.made(agent, { status: 'completed', value: one, usage });
      }
    });
    const four = (node: number): ValueInfo[] =>
      [0, 1, 2, 3].flatMap((n) => inputs[(node * 4 + n * 1_501) % inputs.length] ?? []);
    const large = Array.from({ length: WAITING / 100 }, (_, node) => [node, four(node)] as const);
    for (let n = 0; n < 100; n++) some.wait(requirement('process'), WAITING / 100, `u${n % 7}`, { large });
    expect(timed('four large inputs, free agents', () => some.pair())).toBeLessThan(mostUs);
    expect(timed('four large inputs, full agents', () => oneByOne(5_000))).toBeLessThan(mostUs);
  });
});

it('a sync costs as much among 10,000 agents as among a hundred', () => {
  const costs = [100, AGENTS].map((agents) => {
    some = new ManyAgents();
    for (let n = 0; n < agents; n++) some.join({ slots: 1, capabilities: ['process', ...sites] });
    some.wait(requirement('process', 'tape'), WAITING);
    wait(sites.map((site) => requirement('process', site)));
    some.pair();
    const rounds = 4_000;
    return timed(
      `a sync and a turn, ${agents} agents`,
      () => {
        for (let n = 0; n < rounds; n++) {
          const agent = some.agents[n % agents];
          if (agent !== undefined) some.sync(agent);
          some.pair();
        }
        return rounds;
      },
      5,
    );
  });
  expect(costs[1]).toBeLessThan(mostUs);
  expect((costs[1] ?? 0) / (costs[0] ?? 1)).toBeLessThan(4);
});

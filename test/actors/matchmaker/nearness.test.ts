/** Who is given an electron when several have room: by what they have of it, compared with a look at every agent. */
import { describe, expect, it } from 'vitest';
import type { AgentState } from '../../../actors/matchmaker/agent-state.ts';
import { Stocks } from '../../../actors/matchmaker/stocks.ts';
import type { Materials } from '../../../bus/protocol/actors.ts';
import type { Manifest } from '../../../bus/protocol/agent.ts';
import { digestOf } from '../../../bus/value/digest.ts';
import type { Outcome, ValueInfo } from '../../../model/outcome.ts';
import { randomFrom } from '../support/graphs.ts';
import { ManyAgents, requirement } from './many-agents.ts';

const MiB = 1024 ** 2;
const value = (name: string, size: number): ValueInfo => ({ digest: digestOf(Buffer.from(name)), size });
const manifestOf = (bundle: ValueInfo): Manifest => ({
  dispatch: 'd',
  user: 'kim',
  lattice: 'l',
  bundle,
  argv: [],
  captures: {},
  expiresAt: 0,
  strict: false,
});
const usage = { startedAt: 0, endedAt: 0 };
const completed = (made: ValueInfo): Outcome => ({ status: 'completed', value: made, usage });
const bundle = value('bundle', 50_000);
const process = requirement('process');

/** Agents, and which of them are given what waits. */
class Some extends ManyAgents {
  has(agent: AgentState, ...values: readonly ValueInfo[]): void {
    for (const one of values) this.near.made(agent, completed(one));
  }
  runs(agent: AgentState, code = bundle, inputs: readonly ValueInfo[] = []): void {
    this.near.sent(agent, { manifest: manifestOf(code), inputs });
  }
  /** Who gets these, in their order. */
  gives(electrons: number, materials: Materials): (AgentState | undefined)[] {
    const before = this.given.length;
    this.wait(process, electrons, 'kim', materials);
    this.pair();
    const given = new Map(this.given.slice(before).map(({ node, agent }) => [node, agent]));
    return Array.from({ length: electrons }, (_, node) => given.get(node));
  }
}
const large = (...values: readonly ValueInfo[]): Materials => ({ bundle, large: [[0, values]] });

describe('an electron goes to', () => {
  it('the agent that made its large input, though another has more room', () => {
    const some = new Some();
    some.join({ slots: 8 });
    const made = some.join({ slots: 1 });
    some.has(made, value('a', MiB));
    expect(some.gives(1, large(value('a', MiB)))).toEqual([made]);
  });

  it('the agent that was given its input or its bundle before', () => {
    const some = new Some();
    some.join({ slots: 4 });
    const fetched = some.join({ slots: 4 });
    some.runs(fetched, bundle, [value('a', MiB)]);
    expect(some.gives(1, large(value('a', MiB)))).toEqual([fetched]);
    expect(some.gives(1, { bundle })).toEqual([fetched]);
  });

  it('the one that has more bytes of its inputs, and among equals the one with most room', () => {
    const some = new Some();
    const [little, much] = [some.join({ slots: 8 }), some.join({ slots: 2 })];
    some.has(little, value('a', MiB), value('b', MiB));
    some.has(much, value('c', 3 * MiB));
    expect(some.gives(1, large(value('a', MiB), value('b', MiB), value('c', 3 * MiB)))).toEqual([much]);
    const equal = some.join({ slots: 4 });
    some.has(equal, value('c', 3 * MiB));
    expect(some.gives(1, large(value('c', 3 * MiB)))).toEqual([equal]);
  });

  it('the one that has its own input as well, however many have what all use', () => {
    const some = new Some();
    const agents = Array.from({ length: 40 }, () => some.join({ slots: 4 }));
    const [model, own] = [value('model', 100 * MiB), value('own', 99 * MiB)];
    for (const agent of agents) some.has(agent, model);
    const [whole] = agents.slice(-1);
    if (whole === undefined) throw new Error('there is one');
    some.has(whole, own);
    expect(some.gives(1, large(model, own))).toEqual([whole]);
  });

  it('any other when that one has no room: it waits for nobody', () => {
    const some = new Some();
    const [full, free] = [some.join({ slots: 1 }), some.join({ slots: 1 })];
    some.has(full, value('a', MiB));
    expect(some.gives(2, { bundle, large: [0, 1].map((node) => [node, [value('a', MiB)]]) })).toEqual([full, free]);
  });

  it('one that can serve it, whatever others have', () => {
    const some = new Some();
    const [near, gpu] = [some.join({ slots: 4 }), some.join({ slots: 4, capabilities: ['process', 'gpu'] })];
    some.join({ slots: 2, capabilities: ['process', 'gpu'] });
    some.has(near, value('a', MiB));
    some.wait(requirement('process', 'gpu'), 1, 'kim', large(value('a', MiB)));
    some.pair();
    expect(some.given.map(({ agent }) => agent)).toEqual([gpu]);
  });
});

it('for its bundle alone an agent is preferred while it has at least half as much room', () => {
  const some = new Some();
  const [has, other] = [some.join({ slots: 8 }), some.join({ slots: 8 })];
  some.runs(has);
  const given = some.gives(8, { bundle });
  expect(given.filter((agent) => agent === has).length).toBeGreaterThan(4);
  expect(given).toContain(other);
});

it('each item of a map goes where its own input is, and a turn gives as many as without', () => {
  const some = new Some();
  const agents = Array.from({ length: 4 }, () => some.join({ slots: 4 }));
  const inputs = Array.from({ length: 12 }, (_, item) => value(`item ${item}`, MiB));
  inputs.forEach((one, item) => {
    const agent = agents[item % 4];
    if (agent !== undefined) some.has(agent, one);
  });
  const given = some.gives(12, { bundle, large: inputs.map((one, item) => [item, [one]]) });
  expect(given).toEqual(inputs.map((_, item) => agents[item % 4]));
});

it('with equal knowledge the choice is what it is without', () => {
  const keys = [{}, { bundle }].map((materials) => {
    const some = new Some();
    for (let n = 0; n < 3; n++) some.runs(some.join({ slots: 5 - n, queue: 2 }));
    return some.gives(15, materials).map((agent) => agent?.key);
  });
  expect(keys[1]).toEqual(keys[0]);
});

it('what an agent had is forgotten with it', () => {
  const some = new Some();
  const [had, more] = [some.join({ slots: 1 }), some.join({ slots: 2 })];
  some.has(had, value('a', MiB));
  some.near.forget(had);
  expect(some.gives(1, large(value('a', MiB)))).toEqual([more]);
});

it.each([1, 2, 3, 4, 5, 6])('is what a look at every agent finds (seed %i)', (seed) => {
  const upTo = randomFrom(seed);
  const some = new Some();
  const values = Array.from({ length: 12 }, (_, n) => value(`v${n}`, (1 + upTo(20)) * 100_000));
  const bundles = Array.from({ length: 3 }, (_, n) => value(`b${n}`, (1 + upTo(20)) * 50_000));
  /** What each has, told once more. */
  const known = new Map<AgentState, Set<ValueInfo>>();
  const pick = <T>(from: readonly T[]): T => {
    const one = from[upTo(from.length)];
    if (one === undefined) throw new Error('nothing to pick');
    return one;
  };
  for (let n = 0; n < 6; n++) known.set(some.join({ slots: 1 + upTo(6), queue: upTo(3) }), new Set());
  let ended = 0;
  let near = 0;
  for (let step = 0; step < 800; step++) {
    const agent = pick(some.agents);
    const what = upTo(7);
    if (what === 0) {
      const one = pick(values);
      some.has(agent, one);
      known.get(agent)?.add(one);
    } else if (what === 1) {
      const [code, one] = [pick(bundles), pick(values)];
      some.runs(agent, code, [one]);
      known.get(agent)?.add(code).add(one);
    } else if (what === 2 && upTo(10) === 0) {
      some.near.forget(agent);
      known.get(agent)?.clear();
    } else if (what < 5) {
      if (ended < some.given.length) some.end(ended++);
    } else {
      const wants = [...new Set(Array.from({ length: upTo(4) }, () => pick(values)))];
      const code = pick(bundles);
      const free = some.agents.some((one) => one.credit(some.now).free > 0);
      const roomOf = (one: AgentState): number => one.credit(some.now)[free ? 'free' : 'total'];
      const valuesOf = (one: AgentState): number =>
        wants.reduce((sum, each) => sum + (known.get(one)?.has(each) === true ? each.size : 0), 0);
      const bytesOf = (one: AgentState): number => valuesOf(one) + (known.get(one)?.has(code) === true ? code.size : 0);
      const most = Math.max(...some.agents.map(roomOf));
      // of those that have most room, any may be the one that others are measured by
      const firsts = some.agents.filter((one) => most > 0 && roomOf(one) === most);
      const allowed = firsts.flatMap((first) => {
        const may = (one: AgentState): boolean =>
          one === first || (roomOf(one) > 0 && (valuesOf(one) > valuesOf(first) || 2 * roomOf(one) >= most));
        const able = some.agents.filter(may);
        const bytes = Math.max(...able.map(bytesOf));
        if (bytesOf(first) === bytes) return [first];
        const best = able.filter((one) => bytesOf(one) === bytes);
        return best.filter((one) => roomOf(one) === Math.max(...best.map(roomOf)));
      });
      const rooms = new Map(some.agents.map((one) => [one, roomOf(one)]));
      const [given] = some.gives(1, { bundle: code, ...(wants.length === 0 ? {} : { large: [[0, wants]] }) });
      if (most === 0) {
        expect([step, given]).toEqual([step, undefined]);
        while (ended < some.given.length) some.end(ended++);
        some.pair();
        continue;
      }
      expect([step, allowed.map(({ key }) => key)]).toEqual([step, expect.arrayContaining([given?.key])]);
      if (given !== undefined && (rooms.get(given) ?? 0) < most) near++;
    }
  }
  expect(near).toBeGreaterThan(5);
});

describe('what is believed of agents', () => {
  const some = new ManyAgents();
  const [a, b, c] = [some.join(), some.join(), some.join()];
  const [x, y, z] = [value('x', 1).digest, value('y', 1).digest, value('z', 1).digest];

  it('is bounded for each, and the one that wasn’t used for longest goes first', () => {
    const stocks = new Stocks({ ofAgent: 2, inAll: 100 });
    for (const digest of [x, y, x, z, z]) stocks.note(a, digest);
    expect([x, y, z].map((digest) => stocks.has(a, digest))).toEqual([true, false, true]);
    expect([...stocks.holders(y)]).toEqual([]);
    stocks.note(a, y);
    expect([x, y, z].map((digest) => stocks.has(a, digest))).toEqual([false, true, true]);
    expect(stocks.size).toBe(2);
  });

  it('is bounded in all', () => {
    const stocks = new Stocks({ ofAgent: 2, inAll: 3 });
    for (const agent of [a, b, c]) for (const digest of [x, y]) stocks.note(agent, digest);
    expect(stocks.size).toBe(3);
    expect([...stocks.holders(y)]).toEqual([b, c]);
    // what went is noted anew though it was the last that this agent was known by
    stocks.note(a, y);
    expect([...stocks.holders(y)]).toEqual([c, a]);
    expect(stocks.size).toBe(3);
  });

  it('is forgotten whole', () => {
    const stocks = new Stocks({ ofAgent: 9, inAll: 9 });
    for (const agent of [a, b]) for (const digest of [x, y]) stocks.note(agent, digest);
    stocks.forget(a);
    expect([stocks.size, [...stocks.holders(x)], stocks.has(a, y)]).toEqual([2, [b], false]);
    stocks.note(a, y);
    expect([...stocks.holders(y)]).toEqual([b, a]);
  });
});

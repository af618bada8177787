/** Amounts as the matchmaker gives them out and takes them back: over outcomes, losses, refusals, cancels and its own restart. */
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { requirementOf } from '../../../actors/requirement.ts';
import type { RunEntry } from '../../../bus/protocol/agent.ts';
import type { Token } from '../../../model/outcome.ts';
import type { FakeAgent } from '../support/fake-agent.ts';
import { settle } from '../support/fake-clock.ts';
import { def, template } from '../support/graphs.ts';
import {
  begin,
  found,
  id,
  inputsDigest,
  join,
  judge,
  LEASE,
  lattice,
  listed,
  manifest,
  matchmaker,
  outcome,
  ready,
  task,
  tell,
  world,
} from '../support/matchmaker-rig.ts';

beforeEach(() => begin());
afterEach(() => {
  matchmaker.stop();
  world.close();
});

const large = def('train', { needs: ['memory>=32GiB'] });
async function want(nodes: readonly number[], electron = large): Promise<void> {
  const requirement = requirementOf(electron, 'kim');
  const whose = { user: 'kim', root: id };
  tell({ type: 'match.request', dispatch: id, nodes, requirement, priority: 0, resumed: false, ...whose });
  await settle();
}
async function send(n: number, token: Token = [100, 1], electron = large): Promise<void> {
  const how = { manifest, electron, name: `train[${n}]`, path: undefined, template, inputs: [], split: false };
  tell({ type: 'attempt.send', agent: 'lab.a1', task: task(n), token, inputsDigest, ...how });
  await settle();
}
const given = (): readonly number[] => found().map(([, node]) => node);
const entry = (n: number, token?: Token): RunEntry => ({ ...listed(n, token), takes: ['memory>=32GiB'] });
const machine = (amount = '64GiB') => ({ capabilities: ['process', `memory=${amount}`], queue: 100 });

describe('an amount is taken', () => {
  let a1: FakeAgent;
  beforeEach(async () => {
    a1 = await join('a1', 8, machine());
    await want([0, 1, 2, 3, 4]);
    expect(given()).toEqual([0, 1]);
    await send(0);
  });

  it('until the outcome came, though it is not judged yet; others are not held up', async () => {
    await ready([7]);
    expect(given()).toEqual([0, 1, 7]);
    void a1.done(outcome(0));
    await settle();
    expect(given()).toEqual([0, 1, 7, 2]);
    judge(1, 0);
    await settle();
    expect(given()).toEqual([0, 1, 7, 2]);
  });

  it('until the agent refused it, or it is given back unsent', async () => {
    a1.answer = ({ tasks }) => ({ refused: tasks.map((one) => ({ task: one.task, reason: 'busy' })) });
    await send(1);
    expect(given()).toEqual([0, 1, 2]);
    tell({ type: 'attempt.abandoned', agent: 'lab.a1', task: task(2) });
    await settle();
    expect(given()).toEqual([0, 1, 2, 3]);
  });

  it('while a cancelled attempt is being stopped', async () => {
    tell({ type: 'attempt.cancel', agent: 'lab.a1', task: task(0), token: [100, 1], reason: 'no' });
    a1.run = [entry(0)];
    await a1.sync();
    await settle();
    expect(given()).toEqual([0, 1]);
    a1.run = [];
    await a1.sync();
    await settle();
    expect(given()).toEqual([0, 1, 2]);
  });

  it('by what an agent runs on though its lease ended, until it no longer lists it', async () => {
    await world.clock.advance(LEASE + 1_000);
    tell({ type: 'attempt.abandoned', agent: 'lab.a1', task: task(1) });
    a1.run = [entry(0)];
    const reply = await a1.sync();
    await settle();
    expect([reply, given()]).toMatchObject([{ drop: [{ task: task(0) }] }, [0, 1, 2]]);
    a1.run = [];
    await a1.sync();
    await settle();
    expect(given()).toEqual([0, 1, 2, 3]);
  });

  it('as much as the agent offers now: less of it takes nothing back', async () => {
    a1.run = [entry(0)];
    await a1.sync({ capabilities: ['process', 'memory=96GiB'] });
    await settle();
    expect(given()).toEqual([0, 1, 2]);
    a1.base = { ...a1.base, capabilities: ['process', 'memory=32GiB'] };
    await a1.sync();
    void a1.done(outcome(0));
    await settle();
    expect(given()).toEqual([0, 1, 2]);
  });
});

it('an electron never queues for an amount behind a full agent, and while one waits nothing else queues there: it has its turn at the next slot', async () => {
  const a1 = await join('a1', 1, machine());
  await ready([2, 3, 4]);
  expect(given()).toEqual([2, 3, 4]);
  await want([0, 1]);
  await ready([5, 6, 7]);
  expect(given()).toEqual([2, 3, 4]);
  for (const n of [2, 3, 4]) {
    await send(n);
    void a1.done(outcome(n));
  }
  await settle();
  // a turn of the others first, and no more than the slot
  expect(given()).toEqual([2, 3, 4, 5]);
  await send(5);
  void a1.done(outcome(5));
  await settle();
  expect(given()).toEqual([2, 3, 4, 5, 0]);
});

it('what an agent lists after a restart of the hub holds its amounts again, claims included', async () => {
  matchmaker.stop();
  world.close();
  begin({ roster: [{ agent: 'lab.a1', epoch: 1 }] });
  await want([0, 1, 2]);
  tell({ type: 'attempt.recovered', agent: 'lab.a1', task: task(5), token: [99, 1] });
  const a1 = await join('a1', 8, { ...machine('96GiB'), run: [entry(5, [99, 1]), entry(6, [99, 1])] });
  expect(lattice.filter(({ message }) => message.type === 'attempt.claimed')).toHaveLength(1);
  expect(given()).toEqual([0]);
  // the claim is refused, and runs until the agent no longer lists it
  tell({ type: 'attempt.refused', agent: 'lab.a1', task: task(6), token: [99, 1] });
  a1.run = [entry(5, [99, 1]), entry(6, [99, 1])];
  await a1.sync({ run: a1.run });
  await settle();
  expect(given()).toEqual([0]);
  a1.run = [entry(5, [99, 1])];
  await a1.sync({ run: a1.run });
  await settle();
  expect(given()).toEqual([0, 1]);
  void a1.done(outcome(5, [99, 1]));
  await settle();
  expect(given()).toEqual([0, 1, 2]);
});

it('an adopted claim holds its amount until its outcome', async () => {
  await join('a0', 1);
  const a1 = await join('a1', 8, { ...machine('32GiB'), run: [entry(6, [99, 1])], history: 'h1' });
  tell({ type: 'attempt.recovered', agent: 'lab.a1', task: task(6), token: [99, 1] });
  await want([0]);
  expect(given()).toEqual([]);
  void a1.done(outcome(6, [99, 1]));
  await settle();
  expect(given()).toEqual([0]);
});

it('an agent that says it can not run such electrons is given none of them until it offers something else', async () => {
  const a1 = await join('a1', 2, machine());
  a1.answer = ({ tasks }) => ({ refused: tasks.map((one) => ({ task: one.task, reason: 'capability' })) });
  await want([0]);
  await send(0);
  await want([0]);
  await ready([1]);
  expect(given()).toEqual([0, 1]);
  expect(matchmaker.why(id)[0]?.why).toMatchObject({ kind: 'capability', nearest: { agent: 'lab.a1' } });
  a1.base = { ...a1.base, capabilities: ['process', 'memory=64GiB', 'more'] };
  await a1.sync();
  await settle();
  expect(given()).toEqual([0, 1, 0]);
});

describe('why', () => {
  it('tells the largest amount that an agent offers, and runs it when one with more joins', async () => {
    await want([0]);
    await join('a1', 8, machine('48GiB'));
    await want([1], def('huge', { needs: ['memory>=128GiB'] }));
    await join('a2', 8, machine());
    expect(matchmaker.why(id, 1)[0]?.why).toEqual({
      kind: 'capability',
      needs: ['memory>=128GiB', 'process'],
      nearest: { agent: 'lab.a1', lacks: ['memory>=128GiB'] },
      most: [{ need: 'memory>=128GiB', offers: '64GiB', agent: 'lab.a2', as: 'largest' }],
    });
    expect(matchmaker.unoffered(id)).toEqual([
      { needs: ['memory>=128GiB', 'process'], missing: ['memory>=128GiB'], electrons: 1 },
    ]);
    await join('a3', 1, machine('128GiB'));
    expect(found()).toContainEqual(['lab.a3', 1]);
  });

  it('tells how much is in use while it waits for that only', async () => {
    await join('a1', 8, machine());
    await want([0], def('most', { needs: ['memory>=48GiB'] }));
    await want([1]);
    expect(matchmaker.why(id, 1)[0]?.why).toEqual({
      kind: 'slot',
      needs: ['memory>=32GiB', 'process'],
      agents: 1,
      slots: 8,
      ahead: 0,
      taken: [{ need: 'memory>=32GiB', agent: 'lab.a1', used: '48GiB', has: '64GiB' }],
    });
  });
});

/** Why a dispatch's electrons have no agent, as the matchmaker tells it. */
import { afterEach, beforeEach, expect, it } from 'vitest';
import { requirementOf } from '../../../actors/requirement.ts';
import type { Concurrency } from '../../../model/graph.ts';
import { settle } from '../support/fake-clock.ts';
import { def } from '../support/graphs.ts';
import { dispatchId } from '../support/hub-world.ts';
import { begin, id, isLattice, join, listed, matchmaker, send, task, tell, world } from '../support/matchmaker-rig.ts';

beforeEach(() => {
  begin();
  // somebody takes what is found for them
  for (let n = 2; n < 6; n++) world.probe('lattice', dispatchId(n), isLattice);
});
afterEach(() => {
  matchmaker.stop();
  world.close();
});

async function want(
  nodes: readonly number[],
  o: { needs?: readonly string[]; concurrency?: Concurrency; dispatch?: typeof id; resumed?: boolean } = {},
): Promise<void> {
  const { needs = [], concurrency, dispatch = id, resumed = false } = o;
  const requirement = requirementOf(def('e', { needs, ...(concurrency === undefined ? {} : { concurrency }) }), 'kim');
  const whose = { user: 'kim', root: dispatch };
  tell({ type: 'match.request', dispatch, nodes, requirement, priority: 0, resumed, ...whose });
  await settle();
}

it('no agent is there; the nearest lacks something', async () => {
  await want([1, 2], { needs: ['gpu', 'cuda'] });
  const needs = ['cuda', 'gpu', 'process'];
  expect(matchmaker.why(id)).toEqual([{ why: { kind: 'capability', needs }, electrons: 2, first: [1, 2] }]);
  await join('a1', 1);
  await join('a2', 1, { capabilities: ['process', 'gpu'] });
  const nearest = { agent: 'lab.a2', lacks: ['cuda'] };
  expect(matchmaker.why(id)).toEqual([{ why: { kind: 'capability', needs, nearest }, electrons: 2, first: [1, 2] }]);
});

it('what is offered under the name of what is lacking is told: another unit, another label', async () => {
  await join('a1', 1, { capabilities: ['process', 'memory=64GiB', 'site=cern'] });
  const told = async (dispatch: typeof id, need: string): Promise<unknown> => {
    await want([1], { needs: [need], dispatch });
    const [first] = matchmaker.why(dispatch);
    return first?.why.kind === 'capability' ? first.why.most : first;
  };
  const of = { agent: 'lab.a1', as: 'instead' };
  expect(await told(id, 'memory>=32')).toEqual([{ need: 'memory>=32', offers: 'memory=64GiB', ...of }]);
  expect(await told(dispatchId(2), 'site=lab')).toEqual([{ need: 'site=lab', offers: 'site=cern', ...of }]);
  expect(await told(dispatchId(3), 'gpus>=1')).toBeUndefined();
});

it('all slots are taken, and who has its turn besides', async () => {
  const a1 = await join('a1', 1);
  await want([1]);
  await want([0, 1, 2, 3, 4, 5, 6], { dispatch: dispatchId(2) });
  await want([2, 3]);
  const slot = { kind: 'slot', needs: ['process'], agents: 1, slots: 1, ahead: 1 };
  expect(matchmaker.why(id)).toEqual([
    { why: slot, electrons: 2, first: [2, 3] },
    { why: { kind: 'agent', agent: 'lab.a1' }, electrons: 1, first: [1] },
  ]);
  expect(matchmaker.why(dispatchId(2))).toEqual([{ why: slot, electrons: 7, first: [0, 1, 2, 3, 4] }]);
  expect(matchmaker.why(id, 3)).toEqual([{ why: slot, electrons: 1, first: [3] }]);
  send(1);
  await settle();
  a1.run = [listed(1)];
  await a1.sync();
  expect(matchmaker.why(id).map(({ why }) => why.kind)).toEqual(['slot']);
});

it('others hold its key; the key is named without its user', async () => {
  await join('a1', 8);
  const concurrency = { key: 'db', limit: 2 };
  await want([0], { concurrency, dispatch: dispatchId(2) });
  await want([1, 2, 3], { concurrency });
  const held = { held: 2, holders: [`${dispatchId(2)}_0`, task(1)] };
  expect(matchmaker.why(id)[0]).toEqual({ why: { kind: 'key', ...concurrency, ...held }, electrons: 2, first: [2, 3] });
});

it('the hub has restarted', async () => {
  matchmaker.stop();
  world.close();
  begin({ roster: [{ agent: 'lab.a1', epoch: 1 }] });
  await want([0], { resumed: true });
  await want([1], { concurrency: { key: 'db', limit: 1 } });
  expect(matchmaker.why(id)).toEqual([{ why: { kind: 'restart' }, electrons: 2, first: [1, 0] }]);
});

it('it has not begun', async () => {
  const requirement = requirementOf(def('e'), 'kim');
  expect(matchmaker.why(id, undefined, { requirement, electrons: 3 })).toMatchObject([{ why: { kind: 'capability' } }]);
  await join('a1', 1);
  for (let n = 2; n < 6; n++) await want([0], { dispatch: dispatchId(n) });
  expect(matchmaker.why(id, undefined, { requirement, electrons: 3 })).toEqual([
    { why: { kind: 'room', ahead: 3 }, electrons: 3, first: [] },
  ]);
});

/** What the matchmaker tells of dispatches that wait for their turn without a supervisor. */
import { afterEach, beforeEach, expect, it } from 'vitest';
import { settle } from '../support/fake-clock.ts';
import { dispatchId } from '../support/hub-world.ts';
import {
  begin,
  id,
  inputsDigest,
  join,
  listed,
  matchmaker,
  outcome,
  ready,
  taken,
  tell,
  unheard,
  world,
} from '../support/matchmaker-rig.ts';

beforeEach(() => begin());
afterEach(() => {
  matchmaker.stop();
  world.close();
});

const request = async (n: number, priority: number, resumed = false): Promise<void> => {
  const requirement = { key: 'process', capabilities: ['process'] };
  const dispatch = dispatchId(n);
  const whose = { user: 'kim', root: dispatch };
  tell({ type: 'match.request', dispatch, nodes: [0, 1], requirement, priority, resumed, ...whose });
  await settle();
};
const ahead = (...priorities: number[]): number[] =>
  priorities.map((priority) => matchmaker.waitingAhead('process', priority));

it('counts dispatches that wait, by what they need and from a priority on', async () => {
  for (const [n, priority] of [0, 2, 1, 2, -1].entries()) await request(n + 2, priority);
  expect(ahead(3, 2, 1, 0, -1, -2)).toEqual([0, 2, 3, 4, 5, 5]);
  expect(matchmaker.waitingAhead('gpu', 0)).toBe(0);
  tell({ type: 'match.withdraw', dispatch: dispatchId(3), nodes: [0, 1] });
  await settle();
  expect(ahead(2)).toEqual([1]);
});

it('counts what waits for the first syncs after a restart, too', async () => {
  matchmaker.stop();
  begin({ roster: [{ agent: 'lab.a1', epoch: 1 }] });
  await request(2, 0, true);
  await request(3, 0, true);
  expect(ahead(0)).toEqual([2]);
  await join('a1', 1);
  expect(taken).toBeGreaterThan(0);
  expect(ahead(0)[0]).toBeLessThan(2);
});

it('says so when the wait for the first syncs ends, also with nothing left to give out', async () => {
  matchmaker.stop();
  begin({ roster: [{ agent: 'lab.a1', epoch: 1 }] });
  await request(2, 0, true);
  tell({ type: 'match.withdraw', dispatch: dispatchId(2), nodes: [0, 1] });
  await settle();
  const before = taken;
  await join('a1', 1);
  expect(taken).toBeGreaterThan(before);
  expect(ahead(0)).toEqual([0]);
});

it('says when something was given out, and when something was withdrawn', async () => {
  await ready([1, 2]);
  const before = taken;
  await join('a1', 4);
  expect(taken).toBeGreaterThan(before);
  const given = taken;
  tell({ type: 'lattice.gone', dispatch: id });
  await settle();
  expect(taken).toBeGreaterThan(given);
});

it('says when an agent claims an attempt of a dispatch that has no supervisor, or reports its outcome', async () => {
  const agent = await join('a1');
  world.system.stop(world.system.address('lattice', id));
  expect(unheard).toEqual([]);
  await agent.sync({ run: [{ ...listed(1, [1, 1]), inputsDigest }] });
  await settle();
  expect(unheard).toEqual([id]);
  world.system.stop(world.system.address('electron', `${id}_2`));
  void agent.done(outcome(2));
  await settle();
  expect(unheard).toEqual([id, id]);
});

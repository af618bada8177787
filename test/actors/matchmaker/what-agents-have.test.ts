/** What the matchmaker takes an agent to have: from what it sent and was told, until the agent is gone or begins anew. */
import { afterEach, beforeEach, expect, it } from 'vitest';
import { digestOf } from '../../../bus/value/digest.ts';
import type { FakeAgent } from '../support/fake-agent.ts';
import { settle } from '../support/fake-clock.ts';
import { def, template } from '../support/graphs.ts';
import {
  begin,
  found,
  id,
  inputsDigest,
  join,
  LEASE,
  manifest,
  matchmaker,
  requirement,
  task,
  tell,
  world,
} from '../support/matchmaker-rig.ts';

const value = { digest: digestOf(Buffer.from('made')), size: 1e6 };
const bundle = { digest: digestOf(Buffer.from('code')), size: 50_000 };
const usage = { startedAt: 1, endedAt: 2 };
const onGpu = { key: 'gpu\nprocess', capabilities: ['gpu', 'process'] };
let more: FakeAgent;
let made: FakeAgent;

beforeEach(async () => {
  begin();
  more = await join('more', 3);
  made = await join('made', 2, { capabilities: ['process', 'gpu'] });
  tell({ type: 'match.request', ...asked([0]), requirement: onGpu });
  await settle();
  const token = [100, 1] as const;
  const how = { manifest: { ...manifest, bundle }, electron: def('train'), name: 'train', path: undefined };
  const sent = { task: task(0), token, inputsDigest, ...how, template, inputs: [], split: false };
  tell({ type: 'attempt.send', agent: 'lab.made', ...sent });
  await settle();
  // it isn't judged yet
  void made.done({ task: task(0), token, inputsDigest, outcome: { status: 'completed', value, usage } });
  await settle();
});
afterEach(() => {
  matchmaker.stop();
  world.close();
});

const asked = (nodes: readonly number[]) =>
  ({ dispatch: id, nodes, requirement, priority: 0, user: 'kim', root: id, resumed: false }) as const;
async function whoGets(materials: object): Promise<string | undefined> {
  tell({ type: 'match.request', ...asked([1]), ...materials });
  await settle();
  return found().find(([, node]) => node === 1)?.[0];
}

it('what it made', async () => {
  expect(await whoGets({ large: [[1, [value]]] })).toBe('lab.made');
});

it('the code that it was sent', async () => {
  expect(await whoGets({ bundle })).toBe('lab.made');
});

it('nothing that others ask for', async () => {
  const other = { digest: digestOf(Buffer.from('other')), size: 1e6 };
  expect(await whoGets({ bundle: other, large: [[1, [other]]] })).toBe('lab.more');
});

it('nothing when it began anew', async () => {
  await made.sync({ epoch: 2, instance: 'made.again', run: [] });
  await settle();
  expect(await whoGets({ bundle, large: [[1, [value]]] })).toBe('lab.more');
});

it('nothing after its lease', async () => {
  for (let ms = 0; ms <= LEASE; ms += 1_000) {
    await world.clock.advance(1_000);
    await more.sync();
    await settle();
  }
  await made.sync();
  await settle();
  expect(matchmaker.agents().map(({ state }) => state)).toEqual(['live', 'live']);
  expect(await whoGets({ bundle, large: [[1, [value]]] })).toBe('lab.more');
});

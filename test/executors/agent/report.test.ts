/** The reporter by itself: what becomes of outcomes whose report goes unanswered. */
import { expect, it } from 'vitest';
import { encodeEnvelope, decodeBody, decodeEnvelope } from '../../../bus/codec.ts';
import type { FinishedTask } from '../../../bus/protocol/agent.ts';
import { parseDone } from '../../../bus/protocol/wire-agent.ts';
import { Channel } from '../../../executors/agent/channel.ts';
import { Reporter } from '../../../executors/agent/report.ts';
import { spoolRecord } from '../../../executors/agent/spool.ts';
import { digestOf } from '../../../bus/value/digest.ts';
import { sameToken, type Token } from '../../../model/outcome.ts';
import { FakeClock, settle } from '../../actors/support/fake-clock.ts';
import { FakeNetwork } from '../../support/fake-bus.ts';
import { taskId } from '../../support/fake-hub.ts';
import { noLog } from '../../support/log-list.ts';

it('an older outcome whose report fails does not take the place of a newer one that is under way (A2)', async () => {
  const network = new FakeNetwork();
  const clock = new FakeClock();
  const heard: Token[] = [];
  let answering = false;
  network.connect('hub.n1').subscribe('up.done', (message) => {
    const { outcomes } = parseDone(decodeBody(decodeEnvelope(message.data).body));
    for (const { token } of outcomes) heard.push(token);
    if (answering) message.respond(encodeEnvelope('hub.n1', { all: 'committed' }));
  });
  const bus = network.connect('a.s1.a1');
  let current: Token = [1, 1];
  const reporter = new Reporter({
    channel: new Channel(bus, 'a.s1.a1', noLog, () => clock.monotonic()),
    subject: 'up.done',
    clock,
    random: () => 0,
    epoch: () => 1,
    wanted: (_task, token) => sameToken(token, current),
    judged: () => true,
    answered: () => undefined,
  });
  const finished = (token: Token): FinishedTask => ({
    task: taskId(1),
    token,
    inputsDigest: digestOf(new Uint8Array()),
    outcome: { status: 'cancelled', usage: { startedAt: 1, endedAt: 2 } },
  });
  reporter.add(spoolRecord([finished([1, 1])]).tasks);
  await settle();
  current = [1, 2];
  reporter.add(spoolRecord([finished([1, 2])]).tasks);
  await clock.advance(10);
  expect(heard).toEqual([
    [1, 1],
    [1, 2],
  ]);
  answering = true;
  bus.disconnect();
  await settle();
  bus.reconnect();
  reporter.nudge();
  await settle();
  expect(heard.slice(2)).toEqual([[1, 2]]);
  expect(reporter.unsettled).toBe(0);
  reporter.stop();
});

/** How the gateway tells an assign that may yet arrive from one that never will (H4). What comes in from agents: test/actors/edges.test.ts. */
import { beforeEach, describe, expect, it } from 'vitest';
import { AgentGateway } from '../../../actors/matchmaker/gateway.ts';
import type { BusMessage } from '../../../bus/bus.ts';
import { decodeBody, decodeEnvelope, encodeBody, encodeEnvelope } from '../../../bus/codec.ts';
import type { Assign, AssignedTask } from '../../../bus/protocol/agent.ts';
import { parseControl, parseSyncReply } from '../../../bus/protocol/wire-agent.ts';
import { digestOf } from '../../../bus/value/digest.ts';
import { taskIdOf } from '../../../model/ids.ts';
import { FakeNetwork } from '../../support/fake-bus.ts';
import { makeLogList, type LogList } from '../../support/log-list.ts';
import { FakeAgent } from '../support/fake-agent.ts';
import { def, template } from '../support/graphs.ts';
import { dispatchId, subjects } from '../support/hub-world.ts';

const id = dispatchId(1);
function assign(over: Partial<AssignedTask> = {}, argv: readonly string[] = []): Assign {
  const task: AssignedTask = {
    task: taskIdOf(id, 1),
    token: [100, 1],
    inputsDigest: digestOf(new Uint8Array()),
    manifest: 0,
    electron: 0,
    name: 'train[1]',
    template,
    inputs: [],
    split: false,
    timeoutMs: 0,
    ...over,
  };
  const manifest = { dispatch: id, user: 'kim', lattice: 'l', argv, captures: {}, expiresAt: 0, strict: false };
  const electrons = [def('train')];
  return {
    epoch: 1,
    instance: 'folder.boot',
    hub: 100,
    history: 'h1',
    n: 1,
    manifests: [manifest],
    electrons,
    tasks: [task],
  };
}

let network: FakeNetwork;
let logs: LogList;
let gateway: AgentGateway;
beforeEach(() => {
  network = new FakeNetwork();
  logs = makeLogList();
  const bus = network.connect('hub.n1');
  gateway = new AgentGateway({ bus, subjects, by: 'hub.n1', version: '0.0.0', log: logs.log, monotonic: () => 0 });
});
const send = (one: Assign, timeoutMs = 30): Promise<unknown> => gateway.assign('lab.a1', one, timeoutMs);

describe('an assign', () => {
  it('is answered with what the agent takes', async () => {
    const agent = new FakeAgent(network);
    expect(await send(assign(), 5_000)).toEqual({ refused: [] });
    expect(agent.assigns).toEqual([assign()]);
  });

  it('that is larger than the bus allows is PAYLOAD_TOO_LARGE', async () => {
    const agent = new FakeAgent(network);
    await expect(send(assign({}, ['x'.repeat(2 ** 20)]))).rejects.toMatchObject({ code: 'PAYLOAD_TOO_LARGE' });
    expect(agent.assigns).toEqual([]);
  });

  it('that goes unanswered because it is none is BAD_MESSAGE, with what does not fit', async () => {
    network.connect('a.lab.a1').subscribe(subjects.down('lab', 'a1', 'assign'), () => undefined);
    await expect(send(assign())).rejects.toMatchObject({ code: 'REQUEST_TIMEOUT' });
    await expect(send(assign({ name: 'x'.repeat(301) }))).rejects.toMatchObject({
      code: 'BAD_MESSAGE',
      message: 'assign.tasks[0].name: expected text of at most 300, got text of 301 characters',
    });
  });

  it('whose answer cannot be read counts as unanswered: it may run', async () => {
    network.connect('a.lab.a1').subscribe(subjects.down('lab', 'a1', 'assign'), (message) => {
      message.respond(encodeEnvelope('a.lab.a1', { refused: 'all' }));
    });
    await expect(send(assign())).rejects.toMatchObject({ code: 'REQUEST_TIMEOUT' });
    expect([gateway.dropped, logs.entries[0]?.fields['code']]).toEqual([1, 'BAD_MESSAGE']);
  });
});

describe('a sync of another protocol', () => {
  const later = (subject: string, by = 'a.lab.a1'): Promise<BusMessage> => {
    const body = encodeBody({ epoch: 1, whatComesLater: true });
    return network.connect(by).request(subject, encodeBody({ v: 2, by, body }), { timeoutMs: 30 });
  };

  it('is answered in its own envelope with what the hub speaks, and dropped', async () => {
    const stop = gateway.listen({ sync: fail, done: fail, log: fail, progress: fail });
    const envelope = decodeBody((await later(subjects.up('lab', 'a1', 'sync'))).data);
    expect(envelope).toMatchObject({ v: 2, by: 'hub.n1' });
    const { body } = bodied(envelope);
    expect(parseSyncReply(decodeBody(body))).toEqual({ type: 'other-version', protocol: 1, version: '0.0.0' });
    await expect(later(subjects.up('lab', 'a1', 'done'))).rejects.toMatchObject({ code: 'REQUEST_TIMEOUT' });
    expect([gateway.dropped, logs.entries[0]?.fields['code']]).toEqual([2, 'WRONG_VERSION']);
    stop();
  });
});

describe('a sync that offers what can not be read', () => {
  it.each([
    ['GPU', /"GPU" is no name: .* \(such as "gpu"\)/],
    ['memory>=8GiB', /what is offered is said with one =/],
    ['has space', /white space/],
    ['', /there is no name/],
    [`label=${'x'.repeat(5_000)}`, /is no value: 1 to 100/],
  ])(
    'is answered with it and what is wrong, and reaches nobody; other agents are heard (%#)',
    async (capability, says) => {
      const heard: string[] = [];
      const stop = gateway.listen({
        sync: (agent, _, reply) => {
          heard.push(agent);
          reply({ type: 'not-ready' });
        },
        done: fail,
        log: fail,
        progress: fail,
      });
      const answer = await new FakeAgent(network, 'bad').sync({ capabilities: ['process', capability] });
      expect(answer).toEqual({
        type: 'unreadable-offer',
        capability: capability.slice(0, 200),
        problem: expect.stringMatching(says) as unknown,
      });
      expect(logs.entries.map(({ fields, message }) => [fields['code'], message])).toEqual([
        ['CAPABILITY_INVALID', expect.stringContaining('agent lab.bad: the hub refuses what it offers') as unknown],
      ]);
      expect(await new FakeAgent(network, 'good').sync({ capabilities: ['process', 'memory=8GiB'] })).toEqual({
        type: 'not-ready',
      });
      expect(heard).toEqual(['lab.good']);
      stop();
    },
  );
});

const fail = (): never => {
  throw new Error('nothing of it is for the hub');
};

function bodied(envelope: unknown): { readonly body: Uint8Array } {
  if (typeof envelope === 'object' && envelope !== null && 'body' in envelope && envelope.body instanceof Uint8Array)
    return { body: envelope.body };
  throw new Error('no envelope');
}

describe('control', () => {
  it('resolves when the agent has heard', async () => {
    const told: unknown[] = [];
    const agent = network.connect('a.lab.a1');
    agent.subscribe(subjects.down('lab', 'a1', 'control'), (message) => {
      told.push(parseControl(decodeBody(decodeEnvelope(message.data).body)));
      message.respond(encodeEnvelope('a.lab.a1', { ok: true }));
    });
    await gateway.control('lab.a1', { type: 'drain', graceMs: 5 }, 1_000);
    expect(told).toEqual([{ type: 'drain', graceMs: 5 }]);
    await expect(gateway.control('lab.a2', { type: 'drain' }, 30)).rejects.toMatchObject({ retryable: true });
  });
});

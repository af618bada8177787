/** How the gateway tells an assign that may yet arrive from one that never will (H4). What comes in from agents: test/actors/edges.test.ts. */
import { beforeEach, describe, expect, it } from 'vitest';
import { AgentGateway } from '../../../actors/matchmaker/gateway.ts';
import { encodeEnvelope } from '../../../bus/codec.ts';
import type { Assign, AssignedTask } from '../../../bus/protocol/agent.ts';
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
  gateway = new AgentGateway({ bus, subjects, by: 'hub.n1', log: logs.log, monotonic: () => 0 });
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

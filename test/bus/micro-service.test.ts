/** What a micro service answers, and to whom. Against the schemas of the real `nats` command: test/contract/micro-services.test.ts. */
import { beforeEach, describe, expect, it } from 'vitest';
import type { BusHandler } from '../../bus/bus.ts';
import { MicroService } from '../../bus/micro-service.ts';
import { isPrivateReply } from '../../bus/reply.ts';
import { PolaronError } from '../../model/errors.ts';
import { FakeNetwork } from '../support/fake-bus.ts';

const started = Date.UTC(2026, 0, 2);
let network: FakeNetwork;
let service: MicroService<'list' | 'wait'>;
beforeEach(() => {
  network = new FakeNetwork();
  service = new MicroService({
    bus: network.connect('hub.n1'),
    prefix: 'polaron',
    name: 'polaron-dispatcher',
    id: 'n1',
    version: '1.2.3',
    description: 'answers',
    startedAt: started,
    metadata: () => ({ node: 'n1' }),
    endpoints: [
      { name: 'list', subject: 'polaron.api.*.list', queueGroup: 'dispatchers' },
      { name: 'wait', subject: 'polaron.api.*.wait', data: () => ({ waiting: 2 }) },
    ],
  });
});
const ask = async (subject: string): Promise<unknown> => {
  const answer = await network.connect('o.eye').request(subject, new Uint8Array(), { timeoutMs: 5_000 });
  return JSON.parse(Buffer.from(answer.data).toString());
};
const own = { name: 'polaron-dispatcher', id: 'n1', version: '1.2.3', metadata: { node: 'n1' } };

describe('a micro service', () => {
  it('answers everybody, its name and its id, until it is ended', async () => {
    const end = service.listen();
    for (const of of ['', '.polaron-dispatcher', '.polaron-dispatcher.n1']) {
      expect(await ask(`$SRV.PING${of}`)).toEqual({ type: 'io.nats.micro.v1.ping_response', ...own });
      expect(await ask(`$SRV.INFO${of}`)).toMatchObject({ type: 'io.nats.micro.v1.info_response', ...own });
      expect(await ask(`$SRV.STATS${of}`)).toMatchObject({ type: 'io.nats.micro.v1.stats_response', ...own });
    }
    await expect(ask('$SRV.PING.polaron-dispatcher.n2')).rejects.toMatchObject({ code: 'NO_RESPONDERS' });
    end();
    await expect(ask('$SRV.PING')).rejects.toMatchObject({ code: 'NO_RESPONDERS' });
  });

  it('tells what was asked of it, in nanoseconds, with a last error even where there was none', () => {
    service.count('list', 1.5);
    service.count('list', 0.5, new PolaronError('BAD_MESSAGE', 'limit is a text'));
    expect(service.stats()).toEqual({
      type: 'io.nats.micro.v1.stats_response',
      ...own,
      started: '2026-01-02T00:00:00.000Z',
      endpoints: [
        {
          name: 'list',
          subject: 'polaron.api.*.list',
          queue_group: 'dispatchers',
          num_requests: 2,
          num_errors: 1,
          last_error: 'BAD_MESSAGE',
          processing_time: 2_000_000,
          average_processing_time: 1_000_000,
        },
        {
          name: 'wait',
          subject: 'polaron.api.*.wait',
          queue_group: '',
          num_requests: 0,
          num_errors: 0,
          last_error: '',
          processing_time: 0,
          average_processing_time: 0,
          data: { waiting: 2 },
        },
      ],
    });
  });

  it('gives no answer where it would be heard as a word of its own', async () => {
    service.listen();
    const said: string[] = [];
    const hear: BusHandler = ({ subject }) => void said.push(subject);
    const bus = network.connect('hub.n2');
    for (const subject of ['polaron.up.lab.a1.done', '$SRV.INFO', '_INBOX.o.eye.1']) bus.subscribe(subject, hear);
    for (const reply of ['polaron.up.lab.a1.done', '$SRV.INFO', '_INBOX.o.eye.1'])
      network.deliver('$SRV.PING', new Uint8Array(), network.connect('o.eye'), reply);
    await ask('$SRV.PING');
    expect(said).toEqual(['_INBOX.o.eye.1']);
  });
});

it('an answer goes to a subject that is nobody else’s, or nowhere', () => {
  for (const reply of ['_INBOX.u.kim.1', '_R_.abc', 'polaronic.inbox'])
    expect(isPrivateReply(reply, 'polaron')).toBe(true);
  for (const reply of [undefined, '$SRV.PING', '$SYS.REQ', 'polaron.api.kim.cancel', 'polaron.up.a.b.done'])
    expect(isPrivateReply(reply, 'polaron')).toBe(false);
});

/** What is told of dispatches and electrons, and what is left out. */
import { beforeEach, describe, expect, it } from 'vitest';
import { eventPublisher } from '../../actors/events.ts';
import { ElectronJournal } from '../../actors/electron/journal.ts';
import type { ElectronServices, ElectronWork, PublishEvent } from '../../actors/services.ts';
import type { EventBody } from '../../bus/protocol/api.ts';
import { parseEvent } from '../../bus/protocol/wire-api.ts';
import { makeSubjects } from '../../bus/subjects.ts';
import { trusted } from '../../model/trusted.ts';
import { FakeNetwork } from '../support/fake-bus.ts';
import { FakeClock, settle } from './support/fake-clock.ts';

const dispatch = '01jd3k9x2m4n5p6q7r8s-n1';
const base = { user: 'ann', dispatch, seq: 3, transient: false } as const;

describe('the event publisher', () => {
  let clock: FakeClock;
  let told: { readonly subject: string; readonly body: EventBody }[];
  let publish: PublishEvent;
  let journal: (node: number) => ElectronJournal;
  beforeEach(() => {
    clock = new FakeClock();
    told = [];
    const bus = new FakeNetwork().connect('hub.n1');
    bus.subscribe('polaron.event.>', (message) => {
      const body = parseEvent(JSON.parse(Buffer.from(message.data).toString('utf8')));
      told.push({ subject: message.subject, body });
    });
    const events = eventPublisher(bus, makeSubjects(), clock);
    ({ publish } = events);
    const services = trusted<ElectronServices>({ ...events, lastSeq: () => 3 });
    journal = (node) =>
      new ElectronJournal(trusted<ElectronWork>({ ...base, node, name: 'step' }), services, undefined);
  });
  const types = (): string[] => told.map(({ body }) => `${body.type} ${body.node ?? ''}`.trim());

  it('tells each on its subject, with whatever name and data, as JSON', async () => {
    const data = {
      agent: 'here.a',
      attempt: 2,
      error: { code: 'X', message: 'a "quoted"\nline, ü, \u2028 and \\ too' },
    };
    publish({ ...base, type: 'electron.completed', node: 7, electron: 'na"me\\ \n ü', data });
    publish({ ...base, type: 'dispatch.completed' });
    await settle();
    expect(told).toEqual([
      {
        subject: `polaron.event.ann.${dispatch}.electron.completed`,
        body: {
          dispatch,
          type: 'electron.completed',
          seq: 3,
          transient: false,
          at: clock.now(),
          node: 7,
          electron: 'na"me\\ \n ü',
          data,
        },
      },
      {
        subject: `polaron.event.ann.${dispatch}.dispatch.completed`,
        body: { dispatch, type: 'dispatch.completed', seq: 3, transient: false, at: clock.now() },
      },
    ]);
  });

  it('leaves out that an electron was assigned when it has ended within a moment', async () => {
    const one = journal(1);
    one.assigned('here.a');
    await clock.advance(99);
    one.ended('completed', 4, 'here.a', 1, undefined);
    await clock.advance(1_000);
    expect(types()).toEqual(['electron.completed 1']);
  });

  it('tells after a moment that an electron was assigned, of each that waited so long and of no other', async () => {
    const [one, two, three] = [journal(1), journal(2), journal(3)];
    one.assigned('here.a');
    await clock.advance(90);
    two.assigned('here.a');
    await clock.advance(20);
    three.assigned('here.a');
    expect(types()).toEqual([]);
    await clock.advance(90);
    expect(types()).toEqual(['electron.assigned 1', 'electron.assigned 2']);
    three.ended('failed', 4, 'here.a', 1, { code: 'TASK_THREW', message: 'no' });
    await clock.advance(1_000);
    expect(types()).toEqual(['electron.assigned 1', 'electron.assigned 2', 'electron.failed 3']);
    expect(told[2]?.body.data).toEqual({ agent: 'here.a', attempt: 1, error: { code: 'TASK_THREW', message: 'no' } });
  });

  it('tells in order what passes on the way', async () => {
    const [one, two] = [journal(1), journal(2)];
    one.assigned('here.a');
    two.assigned('here.a');
    one.passing('electron.running', { agent: 'here.a' });
    await settle();
    expect(types()).toEqual(['electron.assigned 1', 'electron.running 1']);
    one.ended('completed', 4, 'here.a', 1, undefined);
    await clock.advance(300);
    expect(types()).toEqual([
      'electron.assigned 1',
      'electron.running 1',
      'electron.completed 1',
      'electron.assigned 2',
    ]);
  });

  it('tells of no more than ten thousand later: the wait must not hold memory', async () => {
    for (let n = 0; n < 10_002; n++) journal(n).assigned('here.a');
    await settle();
    expect(types()).toEqual(['electron.assigned 10000', 'electron.assigned 10001']);
  });
});

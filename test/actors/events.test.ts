/** What is told of dispatches and electrons, and what is left out. */
import { beforeEach, describe, expect, it } from 'vitest';
import { eventPublisher } from '../../actors/events.ts';
import type { PublishEvent } from '../../actors/services.ts';
import type { EventBody } from '../../bus/protocol/api.ts';
import { parseEvent } from '../../bus/protocol/wire-api.ts';
import { makeSubjects } from '../../bus/subjects.ts';
import { FakeNetwork } from '../support/fake-bus.ts';
import { FakeClock, settle } from './support/fake-clock.ts';

const dispatch = '01jd3k9x2m4n5p6q7r8s-n1';
const base = { user: 'ann', dispatch, seq: 3, transient: false } as const;
const electron = (node: number, type: 'assigned' | 'running' | 'completed', name = 'step') =>
  ({ ...base, type: `electron.${type}`, node, electron: name, transient: type !== 'completed' }) as const;

describe('the event publisher', () => {
  let clock: FakeClock;
  let told: { readonly subject: string; readonly body: EventBody }[];
  let publish: PublishEvent;
  beforeEach(() => {
    clock = new FakeClock();
    told = [];
    const bus = new FakeNetwork().connect('hub.n1');
    bus.subscribe('polaron.event.>', (message) => {
      const body = parseEvent(JSON.parse(Buffer.from(message.data).toString('utf8')));
      told.push({ subject: message.subject, body });
    });
    publish = eventPublisher(bus, makeSubjects(), clock);
  });
  const types = (): string[] => told.map(({ body }) => `${body.type} ${body.node ?? ''}`.trim());

  it('tells each on its subject, with whatever name and data, as JSON', async () => {
    const data = {
      agent: 'here.a',
      attempt: 2,
      error: { code: 'X', message: 'a "quoted"\nline, ü, \u2028 and \\ too' },
    };
    publish({ ...electron(7, 'completed', 'na"me\\ \n ü'), data });
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
    publish(electron(1, 'assigned'));
    await clock.advance(99);
    publish(electron(1, 'completed'));
    await clock.advance(1_000);
    expect(types()).toEqual(['electron.completed 1']);
  });

  it('tells after a moment that an electron was assigned, of each that waited so long and of no other', async () => {
    publish(electron(1, 'assigned'));
    await clock.advance(90);
    publish(electron(2, 'assigned'));
    await clock.advance(20);
    publish(electron(3, 'assigned'));
    expect(types()).toEqual([]);
    await clock.advance(90);
    expect(types()).toEqual(['electron.assigned 1', 'electron.assigned 2']);
    publish(electron(3, 'completed'));
    await clock.advance(1_000);
    expect(types()).toEqual(['electron.assigned 1', 'electron.assigned 2', 'electron.completed 3']);
  });

  it('tells in order what passes on the way', async () => {
    publish(electron(1, 'assigned'));
    publish(electron(2, 'assigned'));
    publish(electron(1, 'running'));
    await settle();
    expect(types()).toEqual(['electron.assigned 1', 'electron.running 1']);
    publish(electron(1, 'completed'));
    await clock.advance(300);
    expect(types()).toEqual([
      'electron.assigned 1',
      'electron.running 1',
      'electron.completed 1',
      'electron.assigned 2',
    ]);
  });
});

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
    ({ publish } = eventPublisher(bus, makeSubjects(), clock));
  });

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

  it('makes nothing that nobody would hear', () => {
    const bus = new FakeNetwork().connect('hub.n1');
    const asked: string[] = [];
    let made = 0;
    bus.publish = () => ++made > 0;
    bus.reaches = (prefix) => asked.push(prefix) > 1;
    const { publish: tell } = eventPublisher(bus, makeSubjects(), clock);
    tell({ ...base, type: 'dispatch.started' });
    expect(made).toBe(0);
    tell({ ...base, type: 'dispatch.completed' });
    expect([made, asked]).toEqual([1, ['polaron.event.ann', 'polaron.event.ann']]);
  });

  it('tells what is too large for a message without its data', async () => {
    publish({ ...base, type: 'electron.failed', node: 7, electron: 'a', data: { message: 'x'.repeat(2_000_000) } });
    await settle();
    expect(told.map(({ body }) => body)).toEqual([
      { dispatch, type: 'electron.failed', seq: 3, transient: false, at: clock.now(), node: 7, electron: 'a' },
    ]);
  });
});

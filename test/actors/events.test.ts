/** What is told of dispatches and electrons, and what is left out. */
import { beforeEach, describe, expect, it } from 'vitest';
import { eventPublisher } from '../../actors/events.ts';
import { makeMoment } from '../../actors/moment.ts';
import type { Lingering, Moment, PublishEvent } from '../../actors/services.ts';
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

  it('tells what is too large for a message without its data', async () => {
    publish({ ...base, type: 'electron.failed', node: 7, electron: 'a', data: { message: 'x'.repeat(2_000_000) } });
    await settle();
    expect(told.map(({ body }) => body)).toEqual([
      { dispatch, type: 'electron.failed', seq: 3, transient: false, at: clock.now(), node: 7, electron: 'a' },
    ]);
  });
});

describe('a moment', () => {
  let clock: FakeClock;
  let moment: Moment;
  let told: string[];
  const one = (name: string): Lingering => ({ tell: () => told.push(name) });
  beforeEach(() => {
    clock = new FakeClock();
    moment = makeMoment(clock);
    told = [];
  });

  it('is over after 100 to 200 ms, for each that waited so long and for no other', async () => {
    moment.wait(one('a'));
    await clock.advance(90);
    moment.wait(one('b'));
    await clock.advance(20);
    moment.wait(one('c'));
    expect(told).toEqual([]);
    await clock.advance(90);
    expect(told).toEqual(['a', 'b']);
    await clock.advance(100);
    expect(told).toEqual(['a', 'b', 'c']);
    expect(clock.waiting).toBe(0);
  });

  it('says nothing of what was forgotten meanwhile', async () => {
    const [a, b] = [one('a'), one('b')];
    moment.wait(a);
    await clock.advance(100);
    moment.wait(b);
    moment.forget(a);
    moment.forget(b);
    await clock.advance(1_000);
    expect(told).toEqual([]);
  });

  it('ends at once for all when that is asked for, and goes on', async () => {
    moment.wait(one('a'));
    await clock.advance(100);
    moment.wait(one('b'));
    moment.end();
    expect(told).toEqual(['a', 'b']);
    moment.wait(one('c'));
    await clock.advance(300);
    expect(told).toEqual(['a', 'b', 'c']);
  });

  it('holds no more than ten thousand: others are told at once', () => {
    for (let n = 0; n < 10_002; n++) moment.wait(one(String(n)));
    expect(told).toEqual(['10000', '10001']);
  });
});

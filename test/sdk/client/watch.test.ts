/** watch: order, no gaps, over lost events and reconnections; it ends with the dispatch. */
import { describe, expect, it } from 'vitest';
import type { DispatchEvent } from '../../../sdk/types.ts';
import { watchDispatch } from '../../../sdk/client/watch.ts';
import { electron } from '../../../sdk/electron.ts';
import { lattice } from '../../../sdk/lattice.ts';
import type { FakeHub } from './fake-hub.ts';
import { until, world, type World } from './world.ts';

const one = electron(function one(x: number): number {
  return x;
});
const ten = lattice(function ten() {
  return Array.from({ length: 10 }, (_, i) => one(i));
});

async function collect(events: AsyncIterable<DispatchEvent>, into: DispatchEvent[] = []): Promise<DispatchEvent[]> {
  for await (const event of events) into.push(event);
  return into;
}
const brief = (events: readonly DispatchEvent[]): string[] =>
  events.map((e) => (e.electron === undefined ? e.type : `${e.type} ${e.electron}`));
const completions = (from: number, to: number): string[] =>
  Array.from({ length: to - from }, (_, i) => `electron.completed one[${from + i}]`);

function completeSome(hub: FakeHub, id: string, from: number, to: number): void {
  for (let node = from; node < to; node++) hub.completeElectron(id, node, node);
}
const finish = (hub: FakeHub, id: string): void => hub.end(id, 'completed', []);

async function running(w: World): Promise<string> {
  return w.sdk.dispatch(ten)();
}
const subscribed = (w: World): boolean =>
  [...w.broker.subs].some((sub) => sub.tokens[1] === 'event' && sub.bus.identity === 'u.ann');

describe('watch', () => {
  it('replays what happened in order, then goes on live, and ends with the dispatch', async () => {
    const w = world();
    const id = await running(w);
    completeSome(w.hub, id, 0, 5);
    const seen: DispatchEvent[] = [];
    const done = collect(w.sdk.watch(id, { from: 'start' }), seen);
    await until(() => seen.length === 7, 'the past');
    w.hub.electron(id, 5, 'running');
    completeSome(w.hub, id, 5, 10);
    finish(w.hub, id);
    await done;
    expect(brief(seen)).toEqual([
      'dispatch.accepted',
      'dispatch.started',
      ...completions(0, 5),
      'electron.running one[5]',
      ...completions(5, 10),
      'dispatch.completed',
    ]);
    const seqs = seen.map((e) => e.seq);
    expect(seqs).toEqual(seqs.toSorted((a, b) => a - b));
    expect(subscribed(w)).toBe(false);
  });

  it('from now on tells only what comes', async () => {
    const w = world();
    const id = await running(w);
    completeSome(w.hub, id, 0, 5);
    const done = collect(w.sdk.watch(id));
    await until(() => w.hub.count('snapshot') === 1, 'the snapshot');
    await until(() => subscribed(w), 'the subscription');
    completeSome(w.hub, id, 5, 6);
    finish(w.hub, id);
    expect(brief(await done)).toEqual([...completions(5, 6), 'dispatch.completed']);
  });

  it('ends at once for a dispatch that has ended', async () => {
    const w = world();
    const id = await running(w);
    completeSome(w.hub, id, 0, 10);
    finish(w.hub, id);
    expect(brief(await collect(w.sdk.watch(id)))).toEqual(['dispatch.completed']);
    expect(brief(await collect(w.sdk.watch(id, { from: 'start' })))).toHaveLength(13);
  });

  it('fills holes that lost events leave, from the records', async () => {
    const w = world();
    const id = await running(w);
    const seen: DispatchEvent[] = [];
    const done = collect(w.sdk.watch(id), seen);
    await until(() => w.hub.count('snapshot') === 1, 'the snapshot');
    for (const seq of [3, 5, 6, 9]) w.hub.lostEvents.add(seq);
    for (let node = 0; node < 10; node++) {
      completeSome(w.hub, id, node, node + 1);
      await new Promise((resolve) => setImmediate(resolve));
    }
    finish(w.hub, id);
    await done;
    expect(brief(seen)).toEqual([...completions(0, 10), 'dispatch.completed']);
  });

  it('notices a hole by a transient event', async () => {
    const w = world();
    const id = await running(w);
    const seen: DispatchEvent[] = [];
    const done = collect(w.sdk.watch(id), seen);
    await until(() => w.hub.count('snapshot') === 1, 'the snapshot');
    w.hub.lostEvents.add(3);
    completeSome(w.hub, id, 0, 1);
    w.hub.event(id, { type: 'electron.progress', transient: true, electron: 'one[1]', data: { fraction: 0.5 } });
    await until(() => seen.length > 0, 'an event');
    await until(() => seen.length === 2, 'both');
    expect(brief(seen)).toEqual(['electron.completed one[0]', 'electron.progress one[1]']);
    finish(w.hub, id);
    await done;
  });

  it('ends although the last event was lost', async () => {
    const w = world();
    const id = await running(w);
    const done = collect(watchDispatch(w.sdk.hub().api, id, {}, { quietMs: 20 }));
    await until(() => w.hub.count('snapshot') === 1, 'the snapshot');
    w.hub.lostEvents.add(3);
    finish(w.hub, id);
    expect(brief(await done)).toEqual(['dispatch.completed']);
  });

  it('survives reconnections without a gap', async () => {
    const w = world();
    const id = await running(w);
    const seen: DispatchEvent[] = [];
    const done = collect(watchDispatch(w.sdk.hub().api, id, { from: 'start' }, { quietMs: 60_000 }), seen);
    for (let node = 0; node < 10; node++) {
      await until(() => subscribed(w), 'the subscription');
      completeSome(w.hub, id, node, node + 1);
      if (node % 3 === 0) for (const bus of w.broker.buses) if (bus.identity === 'u.ann') bus.lose();
    }
    finish(w.hub, id);
    await done;
    expect(brief(seen).slice(2)).toEqual([...completions(0, 10), 'dispatch.completed']);
  });

  it('goes on over a hub that was away', async () => {
    const w = world();
    const id = await running(w);
    const seen: DispatchEvent[] = [];
    const done = collect(w.sdk.watch(id, { from: 'start' }), seen);
    await until(() => seen.length === 2, 'the beginning');
    w.broker.up = false;
    w.broker.cut();
    completeSome(w.hub, id, 0, 10);
    finish(w.hub, id);
    await new Promise((resolve) => setTimeout(resolve, 60));
    w.broker.up = true;
    w.hub.start(w.broker.connect('hub.n'));
    await done;
    expect(brief(seen).slice(2)).toEqual([...completions(0, 10), 'dispatch.completed']);
  });

  it('holds a bounded number of events for a slow reader and loses none', async () => {
    const w = world();
    const id = await running(w);
    const seen: DispatchEvent[] = [];
    const events = watchDispatch(w.sdk.hub().api, id, {}, { buffered: 3, quietMs: 60_000 });
    const first = events.next();
    await until(() => w.hub.count('snapshot') === 1, 'the snapshot');
    completeSome(w.hub, id, 0, 1);
    const { value } = await first;
    if (value !== undefined) seen.push(value);
    // Four at once: the last one drops them all, and nothing comes after it.
    completeSome(w.hub, id, 1, 5);
    await new Promise((resolve) => setTimeout(resolve, 20));
    const done = collect(events, seen);
    await until(() => seen.length === 5, 'what was dropped');
    completeSome(w.hub, id, 5, 10);
    finish(w.hub, id);
    await done;
    expect(brief(seen)).toEqual([...completions(0, 10), 'dispatch.completed']);
    expect(w.hub.count('snapshot')).toBeGreaterThan(1);
  });

  it('drops repeated and late events', async () => {
    const w = world();
    const id = await running(w);
    const done = collect(w.sdk.watch(id));
    await until(() => w.hub.count('snapshot') === 1, 'the snapshot');
    completeSome(w.hub, id, 0, 2);
    w.hub.event(id, { type: 'electron.completed', transient: false, electron: 'one[0]', seq: 3 });
    w.hub.event(id, { type: 'electron.completed', transient: false, electron: 'one[1]', seq: 4 });
    finish(w.hub, id);
    expect(brief(await done)).toEqual([...completions(0, 2), 'dispatch.completed']);
  });

  it('stops with its signal, and lets go of the bus when the loop is left', async () => {
    const w = world();
    const id = await running(w);
    const stop = new AbortController();
    const done = collect(w.sdk.watch(id, { signal: stop.signal }));
    await until(() => subscribed(w), 'the subscription');
    stop.abort(new Error('enough'));
    await expect(done).rejects.toThrow('enough');
    for await (const event of w.sdk.watch(id, { from: 'start' })) {
      expect(event.type).toBe('dispatch.accepted');
      break;
    }
    expect(subscribed(w)).toBe(false);
    await until(() => [...w.broker.buses].every((bus) => bus.identity !== 'u.ann'), 'the idle close');
  });

  it('says that a dispatch is unknown', async () => {
    const w = world();
    await expect(collect(w.sdk.watch('no such id'))).rejects.toMatchObject({ code: 'UNKNOWN_DISPATCH' });
    await expect(collect(w.sdk.watch('0123456789abcdefgh99-n'))).rejects.toMatchObject({ code: 'UNKNOWN_DISPATCH' });
  });
});

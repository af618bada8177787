/** Whose turn it is among dispatches that wait without a supervisor, and which dispatches may. */
import { describe, expect, it } from 'vitest';
import { firstNeedOf, type FirstNeed } from '../../../actors/dispatcher/first-need.ts';
import { WaitingRoom } from '../../../actors/dispatcher/waiting-room.ts';
import { makeDispatchId, type DispatchId } from '../../../model/ids.ts';
import { NO_TIMEOUTS, type ElectronDef, type WireGraph } from '../../../model/graph.ts';
import { def, electron, graphOf, map, valueNamed } from '../support/graphs.ts';

const id = (n: number): DispatchId => makeDispatchId(1_000 + n, new Uint8Array(10), 'n1');
const need = (...capabilities: string[]): FirstNeed => ({
  requirement: { key: capabilities.join('\n'), capabilities },
  electrons: 1,
});
const fronts = (room: WaitingRoom) => [...room.fronts()].map(({ key, priority }) => `${key} ${priority}`);

describe('the room', () => {
  it('gives the turn to the highest priority, then to who came first', () => {
    const room = new WaitingRoom();
    for (const [n, priority] of [0, 1, 0, 2, 1].entries()) room.add(id(n), need('gpu'), priority, 'kim');
    const order: DispatchId[] = [];
    for (let front = [...room.fronts()][0]; front !== undefined; front = [...room.fronts()][0]) {
      const next = room.take(front.key, front.priority);
      if (next !== undefined) order.push(next);
    }
    expect(order).toEqual([3, 1, 4, 0, 2].map(id));
    expect(room.size).toBe(0);
  });

  it('lets users take turns: who sent thousands holds up only his own', () => {
    const room = new WaitingRoom();
    for (let n = 0; n < 2_000; n++) room.add(id(n), need('gpu'), 0, 'kim');
    for (let n = 2_000; n < 2_003; n++) room.add(id(n), need('gpu'), 0, 'lee');
    const order = Array.from({ length: 8 }, () => room.take('gpu', 0));
    expect(order).toEqual([0, 2_000, 1, 2_001, 2, 2_002, 3, 4].map(id));
    room.add(id(2_003), need('gpu'), 0, 'lee');
    expect([room.take('gpu', 0), room.take('gpu', 0)]).toEqual([5, 2_003].map(id));
  });

  it('takes nobody of a lower priority than asked for', () => {
    const room = new WaitingRoom();
    room.add(id(0), need('gpu'), 1, 'kim');
    room.add(id(1), need('gpu'), 0, 'kim');
    expect([room.take('gpu', 1), room.take('gpu', 1), room.take('gpu', 0)]).toEqual([id(0), undefined, id(1)]);
  });

  it('keeps apart what asks for different agents, and passes over who left out of turn', () => {
    const room = new WaitingRoom();
    room.add(id(0), need('gpu'), 0, 'kim');
    room.add(id(1), need('gpu'), 0, 'kim');
    room.add(id(2), need('disk'), 5, 'kim');
    expect(fronts(room)).toEqual(['gpu 0', 'disk 5']);
    expect([room.remove(id(0)), room.remove(id(0)), room.needOf(id(0))]).toEqual([true, false, undefined]);
    expect([room.take('gpu', 0), room.take('disk', 5)]).toEqual([id(1), id(2)]);
    expect(fronts(room)).toEqual([]);
  });

  it('goes through thousands in order, some of them gone', () => {
    const room = new WaitingRoom();
    for (let n = 0; n < 10_000; n++) room.add(id(n), need('gpu'), 0, 'kim');
    for (let n = 0; n < 10_000; n += 3) room.remove(id(n));
    const order = Array.from({ length: room.size }, () => room.take('gpu', 0));
    expect(order).toEqual(
      Array.from({ length: 10_000 }, (_, n) => n)
        .filter((n) => n % 3 !== 0)
        .map(id),
    );
  });
});

describe('a dispatch may wait without a supervisor', () => {
  const literal = { value: valueNamed('x').digest };
  const withDef = (over: Partial<ElectronDef>): WireGraph => ({
    ...graphOf([], [electron(0)]),
    electrons: [def('f', over)],
  });

  it('when all that could begin asks for the same agents', () => {
    const two = graphOf(['f', 'g'], [electron(0), electron(1, [literal]), electron(1, [0]), electron(0, [], [1])]);
    expect(firstNeedOf(two, 'kim')).toEqual({
      requirement: { key: 'process', capabilities: ['process'] },
      electrons: 2,
    });
    const gpu = firstNeedOf(withDef({ needs: ['gpu', 'cuda'] }), 'kim');
    expect(gpu?.requirement.key).toBe('cuda\ngpu\nprocess');
  });

  it('when a map that it has waits for an electron', () => {
    const later = graphOf(['f'], [electron(0), map('m', 0, [electron(0, [{ item: 0 }])])]);
    expect(firstNeedOf(later, 'kim')?.electrons).toBe(1);
  });

  it.each([
    ['has nothing to run', graphOf([], [])],
    ['may cut a list at once', graphOf(['f'], [electron(0), map('m', literal, [electron(0)])])],
    ['has a time that runs while it queues', withDef({ timeouts: { ...NO_TIMEOUTS, queueMs: 1 } })],
    ['has a time for all of an electron', withDef({ timeouts: { ...NO_TIMEOUTS, totalMs: 1 } })],
    [
      'asks for different agents',
      { ...graphOf([], [electron(0), electron(1)]), electrons: [def('f'), def('g', { needs: ['gpu'] })] },
    ],
  ])('but not one that %s', (_, graph) => {
    expect(firstNeedOf(graph, 'kim')).toBeUndefined();
  });
});

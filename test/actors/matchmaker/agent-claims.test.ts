/** Attempts that an agent lists and that no record names, since an earlier life of the hub gave them out: H1, H5 and H8 of docs/protocol.md. */
import { describe, expect, it } from 'vitest';
import type { AgentEffect } from '../../../actors/matchmaker/agent-state.ts';
import type { RunEntry } from '../../../bus/protocol/agent.ts';
import type { TaskId } from '../../../model/ids.ts';
import { dropped, entry, lost, Talk, task, token } from '../support/talk.ts';

const OLD = 50;
const old = (n: number, over: Partial<RunEntry> = {}): RunEntry => entry(n, { token: token(1, OLD), ...over });
const claimed = ({ effects }: { readonly effects: readonly AgentEffect[] }): TaskId[] =>
  effects.flatMap((effect) => (effect.type === 'claimed' ? effect.entries.map((one) => one.task) : []));
const free = (talk: Talk): number => talk.state.credit(talk.now).free;

describe('an attempt from an earlier life of the hub', () => {
  it('that is not held is a claim, neither dropped nor held, and is claimed again until somebody decides', () => {
    const talk = new Talk(1);
    for (let i = 0; i < 2; i++) {
      const answer = talk.sync({ run: [old(1)] });
      expect([claimed(answer), dropped(answer), lost(answer)]).toEqual([[task(1)], [], []]);
    }
    expect(talk.state.holds(task(1))).toBeUndefined();
  });

  it('is held like any other once it is adopted, and lost when it is not listed any more', () => {
    const talk = new Talk(1);
    talk.sync({ run: [old(1)] });
    talk.state.recover(task(1), token(1, OLD), undefined);
    const answer = talk.sync({ run: [old(1)] });
    expect([claimed(answer), dropped(answer)]).toEqual([[], []]);
    expect(answer.effects).toEqual([{ type: 'started', task: task(1), token: token(1, OLD), startedAt: 5 }]);
    expect(lost(talk.sync())).toEqual([task(1)]);
  });

  it('is dropped once it is refused, and never claimed again', () => {
    const talk = new Talk(1);
    talk.sync({ run: [old(1)] });
    talk.state.refuse(task(1), token(2, OLD));
    expect(claimed(talk.sync({ run: [old(1)] }))).toEqual([task(1)]);
    talk.state.refuse(task(1), token(1, OLD));
    for (let i = 0; i < 2; i++) {
      const answer = talk.sync({ run: [old(1)] });
      expect([claimed(answer), dropped(answer)]).toEqual([[], [[task(1), token(1, OLD)]]]);
    }
    talk.sync();
    expect(lost(talk.sync())).toEqual([]);
  });

  it('takes a slot until it has ended, or its drop is told', () => {
    const talk = new Talk().join();
    expect(free(talk)).toBe(2);
    talk.sync({ run: [old(1), old(2), old(3, { state: 'done' })] });
    expect([free(talk), talk.state.running]).toEqual([0, 2]);
    talk.state.finish(task(1), token(1, OLD));
    expect(free(talk)).toBe(1);
    talk.state.refuse(task(2), token(1, OLD));
    expect(free(talk)).toBe(1);
    talk.sync({ run: [old(1, { state: 'done' }), old(2), old(3, { state: 'done' })] });
    expect(free(talk)).toBe(2);
    // Adopted, one that has ended takes none either.
    talk.state.recover(task(1), token(1, OLD), undefined);
    expect([free(talk), talk.state.held]).toEqual([2, 1]);
    talk.sync();
    expect([free(talk), talk.state.held]).toEqual([2, 0]);
  });

  it('of an agent of another history is dropped: it was never given out here', () => {
    const answer = new Talk(1).sync({ history: 'another', run: [old(1)] });
    expect([claimed(answer), dropped(answer)]).toEqual([[], [[task(1), token(1, OLD)]]]);
  });

  it('is dropped when the agent has been given a newer one since', () => {
    const talk = new Talk().join();
    talk.send(1);
    const answer = talk.sync({ run: [old(1)] });
    expect([claimed(answer), dropped(answer), lost(answer)]).toEqual([[], [[task(1), token(1, OLD)]], []]);
  });

  it('that followed the recorded one stands for it: that is lost only if the claim is refused', () => {
    const newer = old(1, { token: token(2, OLD) });
    const talk = new Talk(1);
    talk.state.recover(task(1), token(1, OLD), undefined);
    const answer = talk.sync({ run: [newer] });
    expect([claimed(answer), lost(answer)]).toEqual([[task(1)], []]);
    talk.state.refuse(task(1), token(2, OLD));
    const later = talk.sync({ run: [newer] });
    expect([dropped(later), lost(later)]).toEqual([[[task(1), token(2, OLD)]], [task(1)]]);
  });

  it('is claimed anew when the agent comes back after its lease', () => {
    const talk = new Talk().join();
    talk.sync({ run: [old(1)] });
    expect(talk.state.expire()).toEqual([]);
    talk.state.refuse(task(1), token(1, OLD));
    expect(claimed(talk.sync({ run: [old(1)] }))).toEqual([task(1)]);
  });

  it('that was adopted and then gave way to another agent is dropped', () => {
    const talk = new Talk(1);
    talk.sync({ run: [old(1)] });
    talk.state.recover(task(1), token(1, OLD), undefined);
    talk.state.refuse(task(1), token(1, OLD));
    expect(talk.state.holds(task(1))).toBeUndefined();
    talk.sync({ run: [old(1)] });
    talk.state.refuse(task(1), token(1, OLD));
    expect(dropped(talk.sync({ run: [old(1)] }))).toEqual([[task(1), token(1, OLD)]]);
  });
});

it('a done attempt that the hub holds takes no slot as soon as it is listed', () => {
  const talk = new Talk().join();
  talk.state.recover(task(1), token(1, OLD), undefined);
  expect(free(talk)).toBe(1);
  talk.sync({ run: [old(1, { state: 'done' })] });
  expect(free(talk)).toBe(2);
});

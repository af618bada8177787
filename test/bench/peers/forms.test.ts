import { describe, expect, it } from 'vitest';
import { Interrupted } from '../../../bench/openings.ts';
import { figuresOf } from '../../../bench/peers/driven-peer.ts';
import { readDriverLine } from '../../../bench/peers/driver-protocol.ts';
import { measureForms } from '../../../bench/peers/forms.ts';

/** Each form's figures run by run, the last one for ever. */
function runsOf(name: string, byForm: Readonly<Record<string, readonly number[]>>) {
  const done: string[] = [];
  const measure = async (form: string) => {
    const list = byForm[form] ?? [];
    const value = list[Math.min(done.filter((one) => one === form).length, list.length - 1)];
    done.push(form);
    if (value === undefined) throw new Error(`${form} broke`);
    return { [name]: value };
  };
  return { measure, done };
}

describe('the forms of a workload on a peer', () => {
  it('are compared by the fastest: the smallest time', async () => {
    const { measure } = runsOf('step', { slow: [20], fast: [10], slower: [30] });
    const { fastest, text } = await measureForms(['slow', 'fast', 'slower'], 3, measure);
    expect(fastest).toMatchObject({ form: 'fast', figures: { step: { median: 10, runs: [10, 10, 10] } } });
    expect(text).toBe('fast: step 10 (10–10); slow: step 20 (20–20); slower: step 30 (30–30)');
  });

  it('are compared by the fastest: the largest rate', async () => {
    const { measure } = runsOf('rate', { slow: [100], fast: [200] });
    expect((await measureForms(['slow', 'fast'], 1, measure)).fastest).toMatchObject({
      figures: { rate: { median: 200 } },
    });
  });

  it('warm up until a run is clearly faster no more, and none of those runs counts', async () => {
    const { measure, done } = runsOf('step', { one: [100, 50, 20, 10] });
    const { fastest } = await measureForms(['one'], 2, measure);
    expect(fastest?.figures['step']?.runs).toEqual([10, 10]);
    // Four that got faster, three that didn't, two that count.
    expect(done).toHaveLength(9);
  });

  it('say why one has no figures, and the others keep theirs', async () => {
    const { measure } = runsOf('step', { good: [10], bad: [] });
    const { fastest, forms, text } = await measureForms(['bad', 'good'], 1, measure);
    expect(fastest).toMatchObject({ form: 'good', figures: { step: { median: 10 } } });
    expect(forms['bad']).toEqual({ failed: 'bad broke' });
    expect(text).toContain('bad: not measured: bad broke');
  });

  it('say so when there is none', async () => {
    const { measure } = runsOf('step', {});
    expect(await measureForms([], 1, measure)).toMatchObject({
      fastest: undefined,
      text: expect.stringMatching('nothing'),
    });
    expect(await measureForms(['bad'], 1, measure)).toMatchObject({
      fastest: undefined,
      text: expect.stringMatching('bad broke'),
    });
  });

  it('end with an interrupt, which is no result', async () => {
    const measure = () => Promise.reject(new Interrupted());
    await expect(measureForms(['one', 'two'], 1, measure)).rejects.toThrow(Interrupted);
  });
});

describe("a driver's raw figures", () => {
  it('get the names that the workloads of Polaron have', () => {
    const hundred = Array.from({ length: 100 }, (_, index) => index);
    expect(figuresOf('W1', [3, 1, 2])).toEqual({ step: 2 });
    expect(figuresOf('W2', [5])).toEqual({ rate: 5 });
    expect(figuresOf('W3', [6])).toEqual({ rate: 6 });
    expect(figuresOf('W4', hundred)).toEqual({ p50: 50, p99: 99 });
  });
});

describe('a line of a driver', () => {
  it('is its word, or chatter', () => {
    expect(readDriverLine('{"ready":true}')).toEqual({ kind: 'ready' });
    expect(readDriverLine('{"values":[1,2.5]}')).toEqual({ kind: 'values', values: [1, 2.5] });
    expect(readDriverLine('{"error":"W1: wrong value"}')).toEqual({ kind: 'error', error: 'W1: wrong value' });
    for (const chatter of ['', 'Listening', '[1,2]', 'null', '7', '{"level":"warn"}', '{"values":7}', '{"values"']) {
      expect(readDriverLine(chatter)).toBeUndefined();
    }
  });

  it('without figures, or with one that is none, is an error', () => {
    for (const line of ['{"values":[]}', '{"values":[1,null]}', '{"values":["1"]}']) {
      expect(readDriverLine(line)).toMatchObject({ kind: 'error', error: expect.stringMatching('no figures') });
    }
  });
});

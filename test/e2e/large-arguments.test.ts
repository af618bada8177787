/** What may be larger than a message of the bus on its way to an agent: references by the thousand, and what no message can carry. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { dispatch, getResult, getValue } from 'polaron';
import { RealHub } from '../support/real-hub.ts';
import { allFail, wide, wideResult } from './workflows/wide.ts';

const hub = new RealHub();
beforeAll(() => hub.start());
afterAll(() => hub.close());

const COUNT = 11_000;

describe('references that are larger than a message', () => {
  it('are stored and pulled by the agent when they are the arguments of an electron', async () => {
    const id = await dispatch(wide)(COUNT);
    expect(await getValue(id)).toBe(`all: ${COUNT}, ${(COUNT * (COUNT - 1)) / 2}`);
    expect((await (await getResult(id)).electrons.get('total')).attempts).toBe(1);
  });

  it("are stored and pulled by the user's process when they are a lattice's result", async () => {
    const { values } = await getValue(await dispatch(wideResult)(COUNT));
    expect([values.length, values[0], values.at(-1)]).toEqual([COUNT, 0, COUNT - 1]);
  });
});

describe('an electron that no message can carry', () => {
  // An electron's options travel with every assign, and so do inputs of up to 64 KiB each.
  const script = `
    import { dispatch, electron, getResult, lattice } from 'polaron';
    const env = { LARGE: 'x'.repeat(Number(process.argv[2])) };
    const lengths = electron({ env }, function lengths(...texts) { return texts.map((text) => text.length); });
    const small = electron(function small(x) { return x; });
    const flow = lattice(function flow() {
      return [small(1), lengths(...'abcd'.split('').map((letter) => letter.repeat(60_000)))];
    });
    const result = await getResult(await dispatch(flow)(), { wait: true });
    console.log(JSON.stringify({ status: result.status, error: result.error, small: await (await result.electrons.get('small')).value() }));
  `;

  it('fails with a code and what takes the room; the others complete', async () => {
    const { out, err } = await hub.script(script, ['900000']);
    expect(err).toBe('');
    const said: unknown = JSON.parse(out);
    expect(said).toMatchObject({ status: 'failed', small: 1, error: { node: 'lengths', code: 'PAYLOAD_TOO_LARGE' } });
    expect(out).toMatch(/command line: \d+ bytes, the electron's options: 900\d\d\d, its arguments: 24\d\d\d\d\)/);
  });

  it('runs when all of it fits', async () => {
    const { out } = await hub.script(script, ['100000', 'x'.repeat(100_000)]);
    expect(JSON.parse(out)).toMatchObject({ status: 'completed' });
  });
});

it('thousands of failures with long messages reach who waits for them, and who lists them', async () => {
  const id = await dispatch(allFail)(1_500);
  const result = await getResult(id, { wait: true });
  if (result.status !== 'failed') throw new Error(result.status);
  expect(result.error).toMatchObject({ code: 'TASK_THREW', message: expect.stringContaining('number') });
  const last = result.errors.at(-1);
  expect(last).toMatchObject({ node: '', message: expect.stringMatching(/^\d+ more electrons failed/) });
  expect(result.errors.length + Number.parseInt(last?.message ?? '', 10)).toBe(1_501);
  await expect(getValue(id)).rejects.toMatchObject({ code: 'WORKFLOW_FAILED' });
  let failed = 0;
  for await (const one of result.electrons.list({ status: 'failed' })) {
    expect(one.error?.message.length).toBeGreaterThan(3_000);
    failed++;
  }
  expect(failed, 'the map itself failed, too').toBe(1_501);
  const shown = await hub.polaron(['show', id, '--json']);
  expect(JSON.parse(shown.out)).toMatchObject({ id, status: 'failed' });
});

/** When the hub takes in no further dispatch, and when it does again. */
import { expect, it } from 'vitest';
import { Admission, type AdmissionLimits } from '../../../actors/dispatcher/admission.ts';
import { dispatchId } from '../support/hub-world.ts';

const limits: AdmissionLimits = { submitting: 2, backlog: 10, backlogBytes: 100, dispatches: 3, nodes: 50 };
const refused = { code: 'HUB_BUSY', retryable: true };
const done = (): Promise<string> => Promise.resolve('taken in');

function begin(): { readonly disk: { backlog: number; backlogBytes: number }; readonly admission: Admission } {
  const disk = { backlog: 0, backlogBytes: 0 };
  return { disk, admission: new Admission(disk, limits) };
}

it('takes in so many at once, and the next when one is done or failed', async () => {
  const { admission } = begin();
  let end: (error?: Error) => void = () => undefined;
  const first = admission.enter(() => new Promise<void>((_, reject) => (end = reject)));
  const second = admission.enter(() => new Promise<void>(() => undefined));
  await expect(admission.enter(done)).rejects.toMatchObject(refused);
  end(new Error('no'));
  await expect(first).rejects.toThrow('no');
  expect(await admission.enter(done)).toBe('taken in');
  void second;
});

it.each([
  ['records', { backlog: 11 }, /11 records wait/],
  ['bytes', { backlogBytes: 101 }, /101 bytes wait/],
] as const)('takes in nothing while too many %s wait for the disk', async (_what, over, message) => {
  const { admission, disk } = begin();
  Object.assign(disk, { backlog: 10, backlogBytes: 100 });
  expect(await admission.enter(done)).toBe('taken in');
  Object.assign(disk, over);
  await expect(admission.enter(done)).rejects.toMatchObject({ ...refused, message: expect.stringMatching(message) });
  Object.assign(disk, { backlog: 0, backlogBytes: 0 });
  expect(await admission.enter(done)).toBe('taken in');
});

it('holds so many dispatches that have not ended, and so many electrons, counted once each', async () => {
  const { admission } = begin();
  admission.add(dispatchId(1), 10);
  admission.add(dispatchId(2), 10);
  admission.add(dispatchId(2), 39);
  expect(await admission.enter(done)).toBe('taken in');
  admission.add(dispatchId(2), 40);
  await expect(admission.enter(done)).rejects.toMatchObject({ message: expect.stringMatching(/50 electrons/) });
  admission.ended(dispatchId(1));
  admission.ended(dispatchId(1));
  admission.add(dispatchId(3), 1);
  admission.add(dispatchId(4), 1);
  await expect(admission.enter(done)).rejects.toMatchObject({ message: expect.stringMatching(/3 dispatches/) });
  for (const n of [2, 3, 4]) admission.ended(dispatchId(n));
  expect([admission.size, admission.has(dispatchId(2)), await admission.enter(done)]).toEqual([0, false, 'taken in']);
});

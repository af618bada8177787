/** Ends of a map's items around encoded values: decoded as `Promise.allSettled` gives them. */
import { expect, it } from 'vitest';
import { valueInfoOf } from '../../../bus/value/digest.ts';
import { encodeList, encodePointer } from '../../../bus/value/list.ts';
import { FULFILLED, mayPoint, partsOf, REJECTED, withContent } from '../../../bus/value/settled.ts';
import { encodeSplit } from '../../../bus/value/split.ts';
import { decodeValue, encodeValue } from '../../../bus/value/value.ts';

const value = (x: unknown): Uint8Array => encodeValue(x, 'x');

it('a list of ends is an array of results and reasons, whatever the values are', () => {
  const shared = { deep: [1] };
  const cyclic: { self?: unknown; when: Date } = { when: new Date(5) };
  cyclic.self = cyclic;
  const list = encodeList([
    withContent(FULFILLED, value([shared, shared])),
    withContent(REJECTED, value({ node: 'train[1]', message: 'boom', code: 'TASK_THREW' })),
    withContent(FULFILLED, value(undefined)),
    withContent(FULFILLED, encodeSplit([1, 'two'], 'x')),
    withContent(FULFILLED, value(cyclic)),
  ]);
  const decoded: unknown = decodeValue(list);
  const [first, ...rest]: unknown[] = Array.isArray(decoded) ? decoded : [];
  expect(first).toEqual({ status: 'fulfilled', value: [shared, shared] });
  expect(rest).toEqual([
    { status: 'rejected', reason: { node: 'train[1]', message: 'boom', code: 'TASK_THREW' } },
    { status: 'fulfilled', value: undefined },
    { status: 'fulfilled', value: [1, 'two'] },
    { status: 'fulfilled', value: cyclic },
  ]);
});

it('a pointer in one is found, and followed when it is decoded', () => {
  const large = value('x'.repeat(100));
  const end = withContent(FULFILLED, encodePointer(valueInfoOf(large)));
  expect([
    mayPoint(end),
    partsOf(end).some(mayPoint),
    partsOf(withContent(FULFILLED, value(1))).some(mayPoint),
  ]).toEqual([true, true, false]);
  expect(decodeValue(end, () => large)).toEqual({ status: 'fulfilled', value: 'x'.repeat(100) });
});

it('what ended in no way that is known is refused', () => {
  for (const bytes of [Uint8Array.of(5), Uint8Array.of(5, 0), Uint8Array.of(5, 2, 1, 1)])
    expect(() => decodeValue(bytes)).toThrow(expect.objectContaining({ code: 'BAD_MESSAGE' }));
});

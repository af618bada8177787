import { expect, it } from 'vitest';
import { Pins } from '../../store/pins.ts';
import { bytesOf, digestOf } from '../contract/store-contract.ts';

const one = digestOf(bytesOf('1'));
const two = digestOf(bytesOf('2'));

it('a pin holds for the time it should, at whatever moment it was made, and ends within twice of it', () => {
  for (const at of [0, 1, 500, 999, 1_000, 1_001, 5_500]) {
    let now = 10;
    const pins = new Pins(1_000, () => now);
    now += at;
    pins.add(one);
    now += 1_000;
    expect([at, pins.has(one), pins.has(two)]).toEqual([at, true, false]);
    now += 1_001;
    expect([at, pins.has(one)]).toEqual([at, false]);
  }
});

it('a pin that is made again holds on', () => {
  let now = 0;
  const pins = new Pins(1_000, () => now);
  for (; now < 10_000; now += 900) {
    if (now > 0) expect(pins.has(one)).toBe(true);
    pins.add(one);
  }
});

it('what was pinned before the start may be anything, for as long as a pin holds', () => {
  let now = 77;
  const pins = new Pins(1_000, () => now);
  expect(pins.settled).toBe(false);
  now += 999;
  expect(pins.settled).toBe(false);
  now += 1;
  expect(pins.settled).toBe(true);
});

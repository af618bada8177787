/** What a picture costs: CPU time, since the machine may be busy. Measured under a load of 24 on two cores, which makes it up to twice of a quiet one's. */
import { expect, test } from 'vitest';
import { drawSeen, graphOf, random } from './samples.ts';

function cpuMs(body: () => void): number {
  const before = process.cpuUsage();
  body();
  const { user, system } = process.cpuUsage(before);
  return (user + system) / 1_000;
}

test('200 nodes are laid out within a second, 10,000 are cut and drawn within a few', () => {
  const some = graphOf(random(200, 2, 20));
  const draw = () => drawSeen('svg', some, []);
  draw();
  // Measured 0.55 to 0.7 s; the first time, with the loading of the layout and cold code, 0.9 s.
  expect(Math.min(cpuMs(draw), cpuMs(draw), cpuMs(draw))).toBeLessThan(1_000);
  const many = graphOf(random(10_000, 2, 300));
  // Measured 2.4 s.
  expect(cpuMs(() => drawSeen('svg', many, []))).toBeLessThan(6_000);
});

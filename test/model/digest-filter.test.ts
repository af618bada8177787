import { createHash } from 'node:crypto';
import { expect, it } from 'vitest';
import { DigestFilter } from '../../model/digest-filter.ts';
import { isDigest, type Digest } from '../../model/ids.ts';

const digest = (n: number): Digest => {
  const text = createHash('sha256').update(String(n)).digest('hex');
  if (!isDigest(text)) throw new Error(text);
  return text;
};

it('finds all that was added, and one in some hundreds of the rest, others with each turn', () => {
  const count = 60_000;
  const digests = Array.from({ length: 2 * count }, (_, i) => digest(i));
  const wrong = [0, 5].map((turn) => {
    const filter = new DigestFilter(count, turn);
    const [added, others] = [digests.slice(0, count), digests.slice(count)];
    for (const one of added) filter.add(one);
    expect(added.filter((one) => !filter.has(one))).toEqual([]);
    return others.filter((one) => filter.has(one));
  });
  for (const found of wrong) {
    expect(found.length).toBeGreaterThan(0);
    expect(found.length).toBeLessThan(count / 200);
  }
  const [first = [], second = []] = wrong;
  expect(second.filter((one) => first.includes(one)).length).toBeLessThan(first.length / 10);
});

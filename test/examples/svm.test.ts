/** examples/svm.ts and examples/sweep.ts, run in this process, against the same experiment in plain loops. */
import { describe, expect, it } from 'vitest';
import { cleanPenguins, loadPenguins, scaleFeatures, splitStratified } from '../../examples/penguins.ts';
import { runExperiment } from '../../examples/svm.ts';
import { sweep } from '../../examples/sweep.ts';
import { scoreByHand, splitByHand } from './penguins-by-hand.ts';

describe('the penguin experiment', () => {
  it('drops exactly the penguins without measures, and splits the rest by species', async () => {
    const samples = cleanPenguins.local(loadPenguins.local());
    expect(samples).toHaveLength(344 - 2);
    const { train, test } = splitStratified.local(samples, 0.3, 42);
    expect([train.length, test.length]).toEqual([240, 102]);
    const share = (label: number): number => test.filter((sample) => sample.label === label).length;
    expect([share(0), share(1), share(2)]).toEqual([45, 20, 37]);
    const scaled = scaleFeatures.local({ train, test });
    const byHand = splitByHand();
    expect(byHand.dropped).toBe(2);
    expect(scaled.test.map(({ label }) => label)).toEqual(byHand.test.y);
    scaled.test.forEach(({ features }, index) => {
      features.forEach((feature, column) =>
        expect(feature).toBeCloseTo(byHand.test.x[index]?.[column] ?? Number.NaN, 9),
      );
    });
  });

  it.each([
    [1, 0.7],
    [0.01, 0.001],
    [100, 10],
  ])('with C %d and gamma %d has the accuracy of libsvm called directly', async (C, gamma) => {
    const score = await runExperiment.local(C, gamma);
    const { correct, total } = scoreByHand(C, gamma);
    expect(score).toEqual({ accuracy: correct / total, correct, total });
  });

  it('tells more than nine of ten penguins right, and a bad C and gamma fewer', async () => {
    expect((await runExperiment.local(1, 0.7)).accuracy).toBeGreaterThan(0.9);
    expect((await runExperiment.local(0.01, 0.001)).accuracy).toBeLessThan(0.9);
  });
});

describe('the sweep', () => {
  it('scores every point of a grid whose size is known only at run time, and picks the best', async () => {
    const { best, candidates } = await sweep.local({ from: -2, to: 1 }, { from: -3, to: 0 });
    expect(candidates).toHaveLength(16);
    const byHand = candidates.map(({ C, gamma }) => scoreByHand(C, gamma).correct / scoreByHand(C, gamma).total);
    expect(candidates.map(({ accuracy }) => accuracy)).toEqual(byHand);
    expect(best.accuracy).toBe(Math.max(...byHand));
  });

  it('fails on an empty grid with a message that says why', async () => {
    await expect(sweep.local({ from: 1, to: 0 }, { from: 0, to: 0 })).rejects.toThrow(/grid is empty/);
  });
});

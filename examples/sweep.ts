/**
 * A grid over C and gamma: one electron makes the grid, so that its size is known only at run time, `.map` scores every point of it,
 * and a fan-in picks the best.
 *
 *     npx tsx examples/sweep.ts
 */
import { realpathSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { dispatch, electron, getValue, lattice } from 'polaron';
import { cleanPenguins, loadPenguins, scaleFeatures, splitStratified } from './penguins.ts';
import { type Score, scoreSvm, trainSvm } from './svm.ts';

export interface Range {
  /** Powers of ten, both ends included. */
  readonly from: number;
  readonly to: number;
}
export interface Point {
  readonly C: number;
  readonly gamma: number;
}
export interface Candidate extends Point {
  readonly accuracy: number;
}

export const makeGrid = electron(function makeGrid(C: Range, gamma: Range): Point[] {
  const powers = ({ from, to }: Range): number[] => {
    const values: number[] = [];
    for (let power = from; power <= to; power++) values.push(10 ** power);
    return values;
  };
  return powers(C).flatMap((c) => powers(gamma).map((g) => ({ C: c, gamma: g })));
});

export const label = electron(function label(point: Point, score: Score): Candidate {
  return { ...point, accuracy: score.accuracy };
});

/** The most accurate candidate; of equals the one with the smallest C, then the smallest gamma: the smoothest boundary. */
export const pickBest = electron(function pickBest(candidates: readonly Candidate[]): Candidate {
  const ranked = [...candidates].sort((a, b) => b.accuracy - a.accuracy || a.C - b.C || a.gamma - b.gamma);
  const best = ranked[0];
  if (best === undefined) throw new RangeError('the grid is empty: a range ends before it begins');
  return best;
});

export const sweep = lattice(function sweep(C: Range, gamma: Range) {
  const samples = cleanPenguins(loadPenguins());
  const { train, test } = scaleFeatures(splitStratified(samples, 0.3, 42));
  const candidates = makeGrid(C, gamma).map((point) =>
    label(point, scoreSvm(trainSvm(train, point.C, point.gamma), test)),
  );
  return { best: pickBest(candidates), candidates };
});

if (process.argv[1] !== undefined && realpathSync(process.argv[1]) === fileURLToPath(import.meta.url)) {
  const id = await dispatch(sweep)({ from: -2, to: 2 }, { from: -3, to: 1 });
  console.log(`dispatch ${id}`);
  const { best, candidates } = await getValue(id);
  console.log(`best of ${candidates.length}: C ${best.C}, gamma ${best.gamma}, accuracy ${best.accuracy.toFixed(2)}`);
}

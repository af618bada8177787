/**
 * The penguin experiment written again in plain loops, with libsvm called directly: no electron, no lattice, none of the examples' code. What the examples answer is
 * compared with this. It follows the same recipe: rows with every measure, per species a draw of `round(n × 0.3)` by mulberry32(42), z-scores of the training part.
 */
import { readFileSync } from 'node:fs';
import SVM from 'libsvm-js/asm.js';

const names = ['Adelie', 'Chinstrap', 'Gentoo'];
const columns = ['Beak Length (mm)', 'Beak Depth (mm)', 'Flipper Length (mm)', 'Body Mass (g)'];

interface Part {
  readonly x: number[][];
  readonly y: number[];
}

/** Bit mixing of mulberry32, kept as a counter and a pure function of it. */
function draw(counter: number, seed: number): number {
  const a = (seed + Math.imul(0x6d2b79f5, counter)) | 0;
  let t = Math.imul(a ^ (a >>> 15), 1 | a);
  t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
  return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
}

export function splitByHand(): { readonly train: Part; readonly test: Part; readonly dropped: number } {
  const file = new URL('../../node_modules/vega-datasets/data/penguins.json', import.meta.url);
  const rows: Record<string, unknown>[] = JSON.parse(readFileSync(file, 'utf8'));
  const train: Part = { x: [], y: [] };
  const test: Part = { x: [], y: [] };
  let counter = 0;
  let kept = 0;
  for (let label = 0; label < names.length; label++) {
    const pool: number[][] = [];
    for (const row of rows) {
      if (row['Species'] !== names[label]) continue;
      const measures: number[] = [];
      for (const column of columns) {
        const value = row[column];
        if (typeof value === 'number') measures.push(value);
      }
      if (measures.length === columns.length) pool.push(measures);
    }
    kept += pool.length;
    const cut = Math.round(pool.length * 0.3);
    for (let drawn = 0; pool.length > 0; drawn++) {
      counter++;
      const [features = []] = pool.splice(Math.floor(draw(counter, 42) * pool.length), 1);
      const part = drawn < cut ? test : train;
      part.x.push(features);
      part.y.push(label);
    }
  }
  for (let column = 0; column < columns.length; column++) {
    let sum = 0;
    for (const x of train.x) sum += x[column] ?? 0;
    const mean = sum / train.x.length;
    let squares = 0;
    for (const x of train.x) squares += ((x[column] ?? 0) - mean) ** 2;
    const deviation = Math.sqrt(squares / train.x.length);
    for (const x of [...train.x, ...test.x]) x[column] = ((x[column] ?? 0) - mean) / deviation;
  }
  return { train, test, dropped: rows.length - kept };
}

/** How many of the test part are told right. */
export function scoreByHand(C: number, gamma: number): { readonly correct: number; readonly total: number } {
  const { train, test } = splitByHand();
  const svm = new SVM({ type: SVM.SVM_TYPES.C_SVC, kernel: SVM.KERNEL_TYPES.RBF, cost: C, gamma, quiet: true });
  svm.train(train.x, train.y);
  const predicted = svm.predict(test.x);
  svm.free();
  let correct = 0;
  for (const [index, label] of test.y.entries()) if (predicted[index] === label) correct++;
  return { correct, total: test.y.length };
}

/**
 * An experiment in six electrons: learn to tell penguin species by their measures with a support vector machine, and say how well it does on penguins it hasn't seen.
 * With C 1 and gamma 0.7 the accuracy is 0.95 to 1.00 over 60 seeds of the split, 0.98 in the middle; seed 42 happens to draw an easy one.
 *
 *     npx tsx examples/svm.ts [C] [gamma]
 */
import { realpathSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import SVM from 'libsvm-js/asm.js';
import { dispatch, electron, getValue, lattice } from 'polaron';
import { cleanPenguins, loadPenguins, scaleFeatures, type Sample, splitStratified } from './penguins.ts';

export interface Score {
  /** Share of the test part that was told right. */
  readonly accuracy: number;
  readonly correct: number;
  readonly total: number;
}

/** Trains on samples and returns the model as libsvm's own text: a value that can be stored and sent. */
export const trainSvm = electron(function trainSvm(train: readonly Sample[], C: number, gamma: number): string {
  const svm = new SVM({ type: SVM.SVM_TYPES.C_SVC, kernel: SVM.KERNEL_TYPES.RBF, cost: C, gamma, quiet: true });
  svm.train(
    train.map((sample) => sample.features),
    train.map((sample) => sample.label),
  );
  const model = svm.serializeModel();
  svm.free();
  return model;
});

export const scoreSvm = electron(function scoreSvm(model: string, test: readonly Sample[]): Score {
  const svm = SVM.load(model);
  const predicted = svm.predict(test.map((sample) => sample.features));
  svm.free();
  const correct = test.filter((sample, index) => sample.label === predicted[index]).length;
  return { accuracy: correct / test.length, correct, total: test.length };
});

export const runExperiment = lattice(function runExperiment(C: number, gamma: number) {
  const samples = cleanPenguins(loadPenguins());
  const { train, test } = scaleFeatures(splitStratified(samples, 0.3, 42));
  return scoreSvm(trainSvm(train, C, gamma), test);
});

if (process.argv[1] !== undefined && realpathSync(process.argv[1]) === fileURLToPath(import.meta.url)) {
  const id = await dispatch(runExperiment)(Number(process.argv[2] ?? 1), Number(process.argv[3] ?? 0.7));
  console.log(`dispatch ${id}`);
  const { accuracy, correct, total } = await getValue(id);
  console.log(`accuracy ${accuracy.toFixed(2)} (${correct} of ${total} penguins of the test split)`);
}

/** Leptons of C. The small library's path comes by the environment, here and on the agent. */
import { lattice, lepton } from 'polaron';
import { libm } from '../../support/c-library.ts';

const cosine = lepton<[number], number>({
  name: 'cosine',
  language: 'c',
  library: libm,
  function: 'cos',
  arguments: ['double'],
  returns: 'double',
});
export const cosines = lattice(function cosines(angles: Float64Array, angle: number) {
  return { one: cosine(angle), angles };
});

const library = process.env['LEPTON_TEST_LIBRARY'] ?? '/no/such/library.so';
const of = <A extends readonly unknown[], R>(fn: string, types: readonly string[], returns: string) =>
  lepton<A, R>({ name: fn, language: 'c', library, function: fn, arguments: types, returns });
const squares = of<[number, number], [number, BigInt64Array]>('squares', ['out int64[]', 'int'], 'int');
const says = of<[string], undefined>('says', ['string'], 'void');
const crash = of<[], undefined>('crash', [], 'void');

export const squared = lattice(function squared(count: number) {
  const made = squares(count, count);
  return { made: made[1], said: says('something') };
});
export const crashing = lattice(function crashing() {
  return crash();
});

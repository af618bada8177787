/** Electrons and lattices whose references alone, or failures, are larger than a message of the bus. */
import { electron, lattice } from 'polaron';

/** Stands in every reference to it, so that some 10,000 of them make a megabyte. */
const name = 'a property with a name of one hundred characters, so that each reference to it is larger than others';

export const named = electron(function named(value: number): { readonly [name]: number } {
  return { [name]: value };
});
export const total = electron(function total(values: readonly number[], label: string): string {
  return `${label}: ${values.length}, ${values.reduce((a, b) => a + b, 0)}`;
});
const many = (count: number) => Array.from({ length: count }, (_, index) => named(index)[name]);
/** A fan-in over separate electrons. */
export const wide = lattice(function wide(count: number) {
  return total(many(count), 'all');
});
/** The same as a result. */
export const wideResult = lattice(function wideResult(count: number) {
  return { values: many(count) };
});

const items = electron(function items(count: number): number[] {
  return Array.from({ length: count }, (_, index) => index);
});
const failsAtLength = electron(function failsAtLength(index: number): number {
  throw new Error(`number ${index}: ${'so '.repeat(1_000)}`);
});
export const allFail = lattice(function allFail(count: number) {
  return items(count).map(failsAtLength);
});

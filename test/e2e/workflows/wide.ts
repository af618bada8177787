/** Electrons whose arguments are many or large. */
import { electron, lattice } from 'polaron';

export const one = electron(function one(value: number): number {
  return value;
});
export const total = electron(function total(values: readonly number[], label: string): string {
  return `${label}: ${values.length}, ${values.reduce((a, b) => a + b, 0)}`;
});
/** A fan-in over separate electrons: its template grows with their number. */
export const wide = lattice(function wide(electrons: number) {
  return total(
    Array.from({ length: electrons }, (_, index) => one(index)),
    'all',
  );
});

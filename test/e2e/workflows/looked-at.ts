/** Two short lattices for whoever looks on: one says something and ends well, the other fails. */
import { electron, lattice } from 'polaron';

const train = electron(function train(rows: number) {
  console.log(`training on ${rows} rows`);
  return { rows, at: new Date(0) };
});
const crash = electron(function crash(_model: unknown): never {
  throw new RangeError('no such model');
});
export const trained = lattice(function trained(rows: number) {
  return train(rows);
});
export const crashed = lattice(function crashed(rows: number) {
  return crash(train(rows));
});

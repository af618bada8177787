/** A user's script as small as it can be, in a process of its own: prints how long its first dispatch took, ms. Not responsible for the hub that POLARON_HOME names. */
import { dispatch, electron, getValue, lattice } from 'polaron';

const echo = electron(function echo(value) {
  return value;
});
const single = lattice(function single(value) {
  return echo(value);
});

const began = performance.now();
const id = await dispatch(single)(1);
const idMs = performance.now() - began;
const value = await getValue(id);
const valueMs = performance.now() - began;
if (value !== 1) throw new Error(`wrong value: got ${String(value)}, wanted 1`);
console.log(JSON.stringify({ idMs, valueMs }));

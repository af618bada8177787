/** A chain whose steps hand a large value on. */
import { electron, lattice } from 'polaron';

const make = electron(function make(bytes: number): Uint8Array {
  return new Uint8Array(bytes).fill(1);
});
/** Another value each time: one that the hub had already would not be sent. */
const step = electron(function step(value: Uint8Array): Uint8Array {
  return value.map((byte) => byte + 1);
});
const look = electron(function look(value: Uint8Array): string {
  return `${value.length} times ${value[0] ?? '?'}`;
});
export const steps = lattice(function steps(bytes: number, count: number) {
  let value = make(bytes);
  for (let n = 0; n < count; n++) value = step(value);
  return look(value);
});

/** The lattices of W7: a value goes from an electron of one agent to one of another, and back. Not here: measuring (w7-values.ts). */
import { electron, lattice } from 'polaron';

/** What the two agents offer: no electron here may run on both. */
export const sides = ['w7-left', 'w7-right'] as const;

const [left, right] = sides;

const make = electron({ needs: [left] }, function make(bytes: number, seed: number): Uint8Array {
  const value = new Uint8Array(bytes).fill(seed & 0xff);
  new DataView(value.buffer).setUint32(0, seed);
  return value;
});
/** Another value of the same size: one that the hub had already would not be sent. */
const toLeft = electron({ needs: [left] }, function toLeft(value: Uint8Array): Uint8Array {
  return next(value);
});
const toRight = electron({ needs: [right] }, function toRight(value: Uint8Array): Uint8Array {
  return next(value);
});
const lookLeft = electron({ needs: [left] }, function lookLeft(value: Uint8Array): string {
  return seen(value);
});
const lookRight = electron({ needs: [right] }, function lookRight(value: Uint8Array): string {
  return seen(value);
});

function next(value: Uint8Array): Uint8Array {
  const view = new DataView(value.buffer, value.byteOffset);
  view.setUint32(0, view.getUint32(0) + 1);
  return value;
}

function seen(value: Uint8Array): string {
  return `${value.length} ${new DataView(value.buffer, value.byteOffset).getUint32(0)} ${value[value.length - 1]}`;
}

/** So many hops from agent to agent; what the last electron saw. */
export const relay = lattice(function relay(bytes: number, seed: number, hops: number) {
  let value = make(bytes, seed);
  for (let hop = 1; hop < hops; hop++) value = hop % 2 === 1 ? toRight(value) : toLeft(value);
  return hops % 2 === 1 ? lookRight(value) : lookLeft(value);
});

export const seenAfter = (bytes: number, seed: number, hops: number): string =>
  `${bytes} ${(seed + hops - 1) >>> 0} ${seed & 0xff}`;

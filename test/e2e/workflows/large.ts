/** Values that are files in the data folder. */
import { electron, lattice } from 'polaron';

const doubled = electron(function doubled(bytes: Uint8Array): Uint8Array {
  return Uint8Array.from({ length: 2 * bytes.byteLength }, (_, i) => bytes[i % bytes.byteLength] ?? 0);
});
export const doubledOnce = lattice(function doubledOnce(bytes: Uint8Array) {
  return doubled(bytes);
});

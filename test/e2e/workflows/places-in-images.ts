/** Says where it runs: what only the image of packaging/Containerfile has. */
import { existsSync } from 'node:fs';
import { electron, lattice } from 'polaron';

export const imaged = electron({ needs: ['imaged'] }, function imaged(file: string): boolean {
  return existsSync(file);
});
export const inImage = lattice(function inImage(file: string) {
  return imaged(file);
});

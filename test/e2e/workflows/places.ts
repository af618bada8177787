/** Electrons that want a certain agent, and say where they ran. */
import { context, electron, lattice } from 'polaron';
import { gated } from './gates.ts';

export const anywhere = electron(function anywhere(x: number): number {
  return x + context().attempt;
});
export const onGpu = electron({ needs: ['gpu'] }, function onGpu(x: number): number {
  return x * 2;
});
export const onTpu = electron({ needs: ['tpu', 'fast'] }, function onTpu(x: number): number {
  return x * 3;
});
export const places = lattice(function places(x: number) {
  return onGpu(anywhere(x));
});
export const rarePlace = lattice(function rarePlace(x: number) {
  return [onTpu(x), anywhere(x)];
});
export const wide = lattice(function wide(folder: string, count: number) {
  return Array.from({ length: count }, (_, index) => gated(folder, `w${index}`, index));
});
/** Waits at a gate on an agent that offers `b`. */
export const gatedOnB = lattice(function gatedOnB(folder: string) {
  return gated.with({ needs: ['b'] })(folder, 'b', 1);
});

/** Electrons that do nothing: what the workloads measure is everything around them. */
import { electron } from 'polaron';

export const noop = electron(function noop(value: number): number {
  return value;
});
/** The end of a diamond. */
export const sum = electron(function sum(b: number, c: number, d: number): number {
  return b + c + d;
});
/** A fan-in that takes every value. */
export const count = electron(function count(values: readonly number[]): number {
  return values.length;
});
/** Something to map over. */
export const range = electron(function range(length: number): number[] {
  return Array.from({ length }, (_, index) => index);
});
/** Only an agent that offers `late` may run it. */
export const forLate = electron({ needs: ['late'] }, function forLate(value: number): number {
  return value;
});

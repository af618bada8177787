/** What an edge says: which part of the one value goes where in the other node's arguments, or in the lattice's result. */
import { showPath, type PathPart } from '../../bus/value/check.ts';
import { decodeTemplate } from '../../bus/value/template.ts';

/** Longer templates hold data of the user's: reading it for a label would cost more than the drawing. */
const MOST_BYTES = 4_096;
/** Labels of one edge. */
const MOST_LABELS = 2;

class Hole {
  readonly input: number;
  readonly path: readonly PathPart[];

  constructor(input: number, path: readonly PathPart[]) {
    this.input = input;
    this.path = path;
  }
}

/** Per input of a template, at most a few labels; `.rows → arg 2`. An argument's number only where Refs stand at several places. */
export function labelsOf(template: Uint8Array, of: 'arguments' | 'output'): ReadonlyMap<number, readonly string[]> {
  const labels = new Map<number, string[]>();
  const holes = holesOf(template);
  for (const { hole, at } of holes) {
    const place = of === 'output' ? path(at) : argument(at, holes.length > 1);
    const label = [...new Set([path(hole.path), place])].filter((part) => part !== '').join(' → ');
    const list = labels.get(hole.input) ?? [];
    if (label !== '' && list.length < MOST_LABELS) list.push(label);
    labels.set(hole.input, list);
  }
  return labels;
}

const path = (parts: readonly PathPart[]): string => showPath(parts).slice(1).replace(/^\./, '');

function argument([index, ...rest]: readonly PathPart[], several: boolean): string {
  return several && typeof index === 'number' ? `arg ${index + 1}${showPath(rest).slice(1)}` : '';
}

interface Found {
  readonly hole: Hole;
  readonly at: readonly PathPart[];
}

function holesOf(template: Uint8Array): readonly Found[] {
  if (template.byteLength > MOST_BYTES) return [];
  const found: Found[] = [];
  const walk = (value: unknown, at: readonly PathPart[]): void => {
    if (value instanceof Hole) found.push({ hole: value, at });
    else if (Array.isArray(value)) for (const [i, item] of value.entries()) walk(item, [...at, i]);
    else if (typeof value === 'object' && value !== null && Object.getPrototypeOf(value) === Object.prototype)
      for (const [name, item] of Object.entries(value)) walk(item, [...at, name]);
  };
  try {
    walk(
      decodeTemplate(template, (input, into) => new Hole(input, into)),
      [],
    );
  } catch {
    // An argument of a class whose codec is registered only in the user's script.
  }
  return found;
}

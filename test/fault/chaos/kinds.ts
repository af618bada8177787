/** The kinds of dispatches of a chaos run, each with the value that it must have and the number of executions that this must name. */
import type { Client } from 'polaron';
import { bulky, fanned, mapped, pipelined, retried, strict } from './electrons.ts';
import type { Random } from './random.ts';

export interface Expected {
  readonly value: number;
  /** Electrons that the value rests on. */
  readonly electrons: number;
}

export interface Ordered {
  readonly kind: string;
  readonly strict: boolean;
  readonly expected: Expected;
  /** Cancel it so long after it was accepted, ms. */
  readonly cancelAfterMs?: number;
  /** Dispatches; resolves with the id. */
  readonly send: (client: Client) => Promise<string>;
}

const gauss = (n: number): number => (n * (n - 1)) / 2;

/** Something to dispatch, by chance. */
export function order(random: Random, notes: string): Ordered {
  const ms = random.between(1, 25);
  switch (random.between(0, 7)) {
    case 0: {
      const length = random.between(4, 12);
      const expected = { value: length - 1, electrons: length };
      return { kind: 'strict', strict: true, expected, send: (c) => c.dispatch(strict)(notes, length, ms) };
    }
    case 1: {
      const length = random.between(8, 30);
      const expected = { value: length - 1, electrons: length };
      return { kind: 'pipelined', strict: false, expected, send: (c) => c.dispatch(pipelined)(notes, length, ms) };
    }
    case 2:
    case 3: {
      const width = random.between(4, 16);
      const expected = { value: gauss(width), electrons: width + 1 };
      return { kind: 'fanned', strict: false, expected, send: (c) => c.dispatch(fanned)(notes, width, 10 * ms) };
    }
    case 4: {
      const count = random.between(0, 24);
      const expected = { value: 2 * gauss(count), electrons: count + 2 };
      return { kind: 'mapped', strict: false, expected, send: (c) => c.dispatch(mapped)(notes, count, 2 * ms) };
    }
    case 5: {
      const [width, fails] = [random.between(2, 6), random.between(1, 2)];
      const expected = { value: gauss(width), electrons: width + 1 };
      return { kind: 'retried', strict: false, expected, send: (c) => c.dispatch(retried)(notes, width, fails, ms) };
    }
    case 6: {
      const [size, count] = [random.between(70_000, 700_000), random.between(1, 3)];
      const expected = { value: size * count, electrons: 2 * count + 1 };
      return { kind: 'bulky', strict: false, expected, send: (c) => c.dispatch(bulky)(notes, size, count, ms) };
    }
    default: {
      const width = random.between(4, 8);
      const expected = { value: gauss(width), electrons: width + 1 };
      const send = (c: Client): Promise<string> => c.dispatch(fanned)(notes, width, 800);
      return { kind: 'cancelled', strict: false, expected, cancelAfterMs: random.between(0, 700), send };
    }
  }
}

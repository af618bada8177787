/** Electrons whose inputs are validated, by three libraries and by schemas that answer later; each counts how often its transform ran. */
import { type } from 'arktype';
import { electron, lattice } from 'polaron';
import * as v from 'valibot';
import * as z from 'zod';
import { trusted } from '../../../model/trusted.ts';

/** A text of digits becomes a number, and a missing rate 0.1: what went through the transform twice would be refused. */
export const byZod = electron(
  {
    retries: 3,
    input: [
      z.object({ epochs: z.string().transform(Number), rate: z.number().default(0.1) }),
      z.coerce.number().optional(),
    ],
  },
  function byZod(options, seed) {
    return { ...options, seed };
  },
);
export const byValibot = electron(
  {
    retries: 3,
    input: [v.object({ epochs: v.pipe(v.string(), v.transform(Number)), rate: v.optional(v.number(), 0.1) })],
  },
  function byValibot(options) {
    return options;
  },
);
export const byArktype = electron(
  { retries: 3, input: [type({ epochs: 'string.integer.parse', rate: 'number = 0.1' })] },
  function byArktype(options) {
    return options;
  },
);
/** Answers later, so only on the agent. */
export const later = electron(
  { retries: 3, input: [z.string().refine((text) => Promise.resolve(text !== 'taken'), 'must not be taken')] },
  function later(name) {
    return `hello ${name}`;
  },
);

interface Options {
  epochs: string;
  rate: number | undefined;
}
/** What a file or a request would give: TypeScript believes it. */
const read = electron(function read(json: string): Options {
  const options: Options = JSON.parse(json);
  return options;
});

export const libraries = { byZod, byValibot, byArktype };
export type Library = keyof typeof libraries;

/** Concrete arguments, and the same from another electron. */
export const transformed = lattice(function transformed() {
  const text = { epochs: '3' };
  const ref = trusted<{ epochs: string }>(read('{"epochs":"3"}'));
  return {
    concrete: [byZod(text, '7'), byValibot(text), byArktype(text)],
    fromRef: [byZod(ref), byValibot(ref), byArktype(ref)],
    name: later('free'),
  };
});

export const refused = lattice(function refused(library: Library, json: string) {
  return libraries[library](trusted<{ epochs: string }>(read(json)));
});
export const refusedLater = lattice(function refusedLater() {
  return later('taken');
});

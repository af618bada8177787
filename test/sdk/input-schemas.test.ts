/** Schemas of three libraries in the user's process: what is refused, when, and how it is said. The agent's side: test/e2e/inputs.test.ts. */
import type { StandardSchemaV1 } from '@standard-schema/spec';
import { type } from 'arktype';
import * as v from 'valibot';
import { describe, expect, it } from 'vitest';
import * as z from 'zod';
import { trusted } from '../../model/trusted.ts';
import { PolaronError } from '../../model/errors.ts';
import { electron } from '../../sdk/electron.ts';
import { lattice } from '../../sdk/lattice.ts';

const errorOf = (act: () => unknown): PolaronError => {
  try {
    act();
  } catch (error) {
    if (error instanceof PolaronError) return error;
    throw error;
  }
  throw new Error('nothing was raised');
};
const tracing = (body: () => unknown): PolaronError => errorOf(() => lattice({ name: 'traced' }, body).graph());

const libraries = {
  zod: electron({ name: 'zod', input: [z.object({ epochs: z.array(z.number()) })] }, ({ epochs }) => epochs),
  valibot: electron({ name: 'valibot', input: [v.object({ epochs: v.array(v.number()) })] }, ({ epochs }) => epochs),
  arktype: electron({ name: 'arktype', input: [type({ epochs: 'number[]' })] }, ({ epochs }) => epochs),
};
type Wrong = Parameters<typeof libraries.zod.local>[0];
const wrong = trusted<Wrong>({ epochs: [1, 'two'] });

describe.each(Object.entries(libraries))('a schema of %s', (name, checked) => {
  it('names electron, line, argument, path and expectation, while tracing and by .local()', () => {
    for (const [error, at] of [
      [tracing(() => checked(wrong)), 'input-schemas.test.ts:3\\d'],
      [errorOf(() => checked.local(wrong)), 'input-schemas.test.ts:2\\d'],
    ] as const) {
      expect(error.code).toBe('INPUT_INVALID');
      expect(error.retryable).toBe(false);
      expect(error.message).toMatch(
        new RegExp(
          `^electron "${name}" \\(${at}\\), argument 1 doesn't fit its schema: \\$\\.epochs\\[1\\]: .*number.*string|two`,
        ),
      );
      expect(error.details).toMatchObject({ argument: 0, issues: [{ path: '$.epochs[1]' }] });
    }
  });
});

describe('a schema', () => {
  it('is checked where it is defined', () => {
    const notOne = errorOf(() =>
      electron({ name: 'f', input: trusted<readonly [z.ZodString]>([z.string(), { parse: () => 1 }]) }, () => 1),
    );
    expect(notOne.code).toBe('USAGE');
    expect(notOne.message).toMatch(
      /^electron "f" \(input-schemas\.test\.ts:\d+\): its schema 2 is not a Standard Schema$/,
    );
    expect(
      errorOf(() => electron({ name: 'f', input: trusted<readonly [z.ZodString]>(z.string()) }, () => 1)).message,
    ).toContain('its `input` is not an array');
  });

  it('that throws is an invalid input, now and later', async () => {
    const throwing = v.transform<string, string>(() => {
      throw new TypeError('no table');
    });
    const sync = electron({ name: 'f', input: [v.pipe(v.string(), throwing)] }, (x) => x);
    const error = tracing(() => sync('a'));
    expect(error.code).toBe('INPUT_INVALID');
    expect(error.message).toContain('argument 1: its schema threw: TypeError: no table');
    const rejecting: StandardSchemaV1<string, string> = {
      '~standard': { version: 1, vendor: 'test', validate: () => Promise.reject(new Error('no network')) },
    };
    const late = electron({ name: 'f', input: [rejecting] }, (x) => x);
    lattice({ name: 'traced' }, () => late('a')).graph();
    await expect(late.local('a')).rejects.toMatchObject({
      code: 'INPUT_INVALID',
      message: expect.stringContaining('argument 1: its schema threw: Error: no network'),
    });
  });

  it('tells ten issues of many', () => {
    const f = electron({ name: 'f', input: [z.array(z.number())] }, (x) => x);
    const error = tracing(() => f(trusted(Array.from({ length: 1_000 }, () => 'x'))));
    expect(error.message).toMatch(/; \$\[9\]: [^;]*; and 990 more$/);
    expect(error.details['issues']).toHaveLength(10);
  });

  it('gives the function what it makes of the arguments, once, by .local() of electron and lattice', async () => {
    const options = z.object({ epochs: z.string().transform(Number), rate: z.number().default(0.1) });
    const train = electron({ name: 'train', input: [options] }, (given) => given);
    expect(train.local({ epochs: '3' })).toEqual({ epochs: 3, rate: 0.1 });
    const both = lattice({ name: 'both' }, () => train({ epochs: '3' }));
    expect(await both.local()).toEqual({ epochs: 3, rate: 0.1 });
  });
});

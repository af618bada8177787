/** Input schemas on agents: values that come from other electrons are validated where they arrive, and transformed once. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { dispatch, dispatchSync, getValue } from 'polaron';
import { RealHub } from '../support/real-hub.ts';
import { type Library, refused, refusedLater, transformed } from './workflows/typed.ts';

const hub = new RealHub();
beforeAll(() => hub.start());
afterAll(() => hub.close());

it('transforms, defaults and coercions are applied once, to concrete arguments and to values of other electrons', async () => {
  const one = { epochs: 3, rate: 0.1 };
  expect(await getValue(await dispatch(transformed)())).toEqual({
    concrete: [{ ...one, seed: 7 }, one, one],
    fromRef: [{ ...one, seed: undefined }, one, one],
    name: 'hello free',
  });
});

describe('a value that doesn’t fit', () => {
  const libraries: readonly Library[] = ['byZod', 'byValibot', 'byArktype'];
  it.each(libraries)('fails the electron with INPUT_INVALID, without a retry: %s', async (library) => {
    const result = await dispatchSync(refused)(library, '{"epochs":"3","rate":"high"}');
    expect(result.status).toBe('failed');
    if (result.status !== 'failed') return;
    expect(result.error).toMatchObject({ node: library, code: 'INPUT_INVALID' });
    expect(result.error.message).toMatch(
      new RegExp(
        `^electron "${library}" \\(typed\\.ts:\\d+\\), argument 1 doesn't fit its schema: \\$\\.rate: .*number`,
      ),
    );
    const { attempts } = await result.electrons.get(library);
    expect(attempts).toBe(1);
  });

  it('is refused by a schema that answers later, too', async () => {
    const result = await dispatchSync(refusedLater)();
    expect(result).toMatchObject({ status: 'failed', error: { code: 'INPUT_INVALID' } });
    expect(result.status === 'failed' && result.error.message).toContain(
      "argument 1 doesn't fit its schema: $: must not be taken",
    );
    expect((await result.electrons.get('later')).attempts).toBe(1);
  });
});

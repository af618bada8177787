/** C leptons on a real hub: values in and out of libraries, and a crash that is the runner's alone. */
import { dirname } from 'node:path';
import { rmSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { dispatch, dispatchSync, getResult, getValue } from 'polaron';
import { compiledLibrary } from '../support/c-library.ts';
import { RealHub } from '../support/real-hub.ts';

const library = compiledLibrary();
const hub = new RealHub({ env: library === undefined ? {} : { LEPTON_TEST_LIBRARY: library } });
let workflows: typeof import('./workflows/native.ts');

beforeAll(async () => {
  if (library !== undefined) process.env['LEPTON_TEST_LIBRARY'] = library;
  workflows = await import('./workflows/native.ts');
  await hub.start();
});
afterAll(async () => {
  await hub.close();
  if (library !== undefined) rmSync(dirname(library), { recursive: true, force: true });
});

describe('a C lepton', () => {
  it('calls a function of a library that the agent has', async () => {
    expect(await getValue(await dispatch(workflows.cosines)(new Float64Array(2), Math.PI))).toEqual({
      one: -1,
      angles: new Float64Array(2),
    });
  });

  describe.skipIf(library === undefined)('of a library of our own', () => {
    it('gives buffers, and what it printed', async () => {
      const id = await dispatch(workflows.squared)(4);
      expect(await getValue(id)).toEqual({ made: new BigInt64Array([0n, 1n, 4n, 9n]), said: undefined });
      expect(await (await (await getResult(id)).electrons.get('says')).stdout()).toBe('C says something\n');
    });

    it('that crashes takes its runner with it, and not the agent', async () => {
      const agent = hub.pid('local-agent');
      const result = await dispatchSync(workflows.crashing)();
      expect(result).toMatchObject({ status: 'failed', error: { code: 'CRASHED', node: 'crash' } });
      expect(hub.pid('local-agent')).toBe(agent);
      expect(await getValue(await dispatch(workflows.squared)(2))).toMatchObject({ said: undefined });
    });
  });

  it('without its library says so', async () => {
    const { lattice, lepton } = await import('polaron');
    const none = lepton<[], number>({
      name: 'none',
      language: 'c',
      library: '/no/such/library.so',
      function: 'f',
      arguments: [],
      returns: 'int',
    });
    const l = lattice(function nothing() {
      return none();
    });
    expect(await dispatchSync(l)()).toMatchObject({
      status: 'failed',
      error: {
        code: 'LEPTON_MISSING',
        message: expect.stringContaining('"/no/such/library.so" can\'t be loaded here'),
      },
    });
  });
});

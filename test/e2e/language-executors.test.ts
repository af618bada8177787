/** The executors `python` and `shell` of a hub's own agent: another interpreter for a lepton, beside the usual one. */
import { execFileSync } from 'node:child_process';
import { existsSync, mkdtempSync, realpathSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { dispatch, dispatchSync, getValue } from 'polaron';
import { python } from '../support/python.ts';
import { withRealPart } from '../support/real-part.ts';
import { RealHub } from '../support/real-hub.ts';

const WAIT_MS = 60_000;
const hub = new RealHub();
const folder = realpathSync(mkdtempSync(join(tmpdir(), 'polaron-venv-')));
process.env['TEST_VENV'] = folder;
const { inBash, inNothing, prefixes } = await import('./workflows/interpreters.ts');
beforeAll(() => hub.start(), WAIT_MS);
afterAll(async () => {
  await hub.close();
  rmSync(folder, { recursive: true, force: true });
});

withRealPart('Python', python, 'there is no python3', (program) => {
  it('runs a lepton in Python with the virtual environment that its executor names, and others with the usual one', {
    timeout: WAIT_MS,
  }, async () => {
    execFileSync(program, ['-m', 'venv', '--without-pip', folder]);
    const { own, usual } = await getValue(await dispatch(prefixes)());
    expect(own).toBe(folder);
    expect(usual).not.toBe(folder);
  });
});

it.runIf(existsSync('/bin/bash'))(
  'runs the command of a lepton in the shell that its executor names',
  { timeout: WAIT_MS },
  async () => {
    expect(await getValue(await dispatch(inBash)())).toMatch(/^\d/);
  },
);

it('fails an electron whose interpreter is not there, and says which option it is', { timeout: WAIT_MS }, async () => {
  const result = await dispatchSync(inNothing)();
  if (result.status !== 'failed') throw new Error(result.status);
  expect(result.error.code).toBe('EXECUTOR_OPTION');
  expect(result.error.message).toContain('option "shell" ("/no/such/shell"): /no/such/shell is no program');
});

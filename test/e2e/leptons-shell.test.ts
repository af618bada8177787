/** Shell leptons from dispatch to value, on a real hub: arguments are data, failures are coded, and a cancel leaves nothing running. */
import { existsSync, mkdtempSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { cancel, dispatch, dispatchSync, getResult, getValue } from 'polaron';
import { processInfo } from '../../executors/process/process-table.ts';
import { RealHub } from '../support/real-hub.ts';
import { until } from '../support/until.ts';
import { badShell, hostile, shells, waiting, withHooks } from './workflows/shell.ts';

const hub = new RealHub();
beforeAll(() => hub.start());
afterAll(() => hub.close());

describe('a shell lepton', () => {
  it('gets its arguments as parameters and variables, gives text, JSON or an exit code, and works in maps', async () => {
    const id = await dispatch(shells)(hostile);
    expect(await getValue(id)).toEqual({
      echoed: `${hostile}|${JSON.stringify({ city: hostile })}|${hostile}`,
      lengths: [[1], [1, 2], [1, 2, 3]],
      code: 3,
      colour: 'blue',
      counted: String('a|{"city":"b"}|b'.length),
    });
    const result = await getResult(id);
    expect(await (await result.electrons.get('exitCode')).stdout()).toBe('said\n');
    expect(await (await result.electrons.get('listed')).stderr()).toBe('making 3\n');
    expect(await (await result.electrons.get('listed')).stdout()).toBe('');
  });

  it('has hooks like any electron', async () => {
    const id = await dispatch(withHooks)('text');
    expect(await getValue(id)).toBe('text');
    expect(await (await (await getResult(id)).electrons.get('hooked')).stdout()).toBe('before and after\n');
  });

  it.each([
    ['fails', 'TASK_THREW', 'lepton "fails" (shell.ts:#): its command ended with exit code 3: no such thing'],
    [
      'absent',
      'LEPTON_MISSING',
      'lepton "absent" (shell.ts:#): the program "no-such-program" can\'t be run here (ENOENT)',
    ],
    ['noJson', 'LEPTON_OUTPUT', 'lepton "noJson" (shell.ts:#): its standard output is no JSON'],
    ['killed', 'CRASHED', 'lepton "killed" (shell.ts:#): its command died by SIGSEGV'],
    ['bytes', 'LEPTON_ARGUMENT', 'lepton "bytes" (shell.ts:#), argument 1 is or holds a Uint8Array'],
    ['slow', 'TIMEOUT', '400 ms'],
  ] as const)('that %s is %s', async (which, code, message) => {
    const result = await dispatchSync(badShell)(which);
    if (result.status !== 'failed') throw new Error(result.status);
    expect(result.error.code).toBe(code);
    expect(result.error.message.replaceAll(/\.ts:\d+/g, '.ts:#')).toContain(message);
    const { attempts } = await result.electrons.get(which);
    expect(attempts).toBe(which === 'fails' ? 3 : 1);
  });

  it('that is cancelled ends with all that it started', async () => {
    const folder = mkdtempSync(join(hub.home, 'waiting-'));
    const id = await dispatch(waiting)(folder);
    const pid = (name: string): number => Number(readFileSync(join(folder, name), 'utf8'));
    await until(() => existsSync(join(folder, 'child')) && pid('child') > 0, 'it runs', 20_000);
    await cancel(id);
    for (const name of ['pid', 'child']) await until(() => processInfo(pid(name)) === undefined, `${name} has ended`);
  });
});

/** Python leptons from dispatch to value, on a real hub: the files travel, errors are Python's own, and what ends badly ends as any electron does. */
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { cancel, dispatch, dispatchSync, getResult, getValue, watch } from 'polaron';
import { processInfo } from '../../executors/process/process-table.ts';
import { python, pythonWithNumPy } from '../support/python.ts';
import { RealHub } from '../support/real-hub.ts';
import { withRealPart } from '../support/real-part.ts';
import { until } from '../support/until.ts';
import { absent, centre, ending, scores, staying, thirdTime } from './workflows/python.ts';

withRealPart('python3', pythonWithNumPy ?? python, 'there is none on this machine', (program) => {
  const hub = new RealHub({ env: { POLARON_PYTHON: program } });
  beforeAll(() => hub.start());
  afterAll(() => hub.close());

  describe('a Python lepton', () => {
    it('gives its value to others, in maps and by .local() inside an electron too', async () => {
      const id = await dispatch(scores)([1]);
      const rows = [0, 1, 2, 3, 4];
      expect(await getValue(id)).toEqual({
        whole: { mean: 4, rows, said: 'hello you' },
        mean: 4,
        inside: 20,
        five: 5,
        each: [0, 1, Math.SQRT2],
        many: 3,
        counts: [1],
      });
      const score = await (await getResult(id)).electrons.get('score');
      expect(await score.stdout()).toBe('scoring 5 rows\n');
    });

    it('is retried by the class of what it raised', async () => {
      const file = join(mkdtempSync(join(hub.home, 'notes-')), 'notes');
      const result = await dispatchSync(thirdTime)(file);
      expect(result).toMatchObject({ status: 'completed', value: 3 });
      expect((await result.electrons.get('unlucky')).attempts).toBe(3);
    });

    it.each([
      ['raises', 'TASK_THREW', 'as always'],
      ['leaves', 'EXITED', 'Python ended with exit code 1: nothing to do'],
      ['vanishes', 'EXITED', 'Python ended with exit code 9'],
      ['crashes', 'CRASHED', 'Python died by SIGSEGV'],
      ['hoards', 'MEMORY_LIMIT', 'its limit of 256 MiB'],
      ['loops', 'TIMEOUT', '1000 ms'],
      ['lost', 'RESULT_NOT_SERIALISABLE', '$.bad[0] (an instance of builtins.object)'],
    ] as const)('that %s is %s', async (how, code, message) => {
      const result = await dispatchSync(ending)(how);
      if (result.status !== 'failed') throw new Error(result.status);
      expect(result.error).toMatchObject({ code, message: expect.stringContaining(message) });
      const electron = await result.electrons.get(result.error.node);
      if (how !== 'hoards') expect(await electron.stdout()).toBe(`before ${how}\n`);
      if (how === 'raises') expect(result.error.stack).toMatch(/File ".*workflows\/py\/score\.py", line \d+, in ends/);
      if (how === 'crashes') expect(await electron.stderr()).toContain('Fatal Python error: Segmentation fault');
    });

    it('is refused by dispatch when its file or function is not there, and by the agent when its module is not', async () => {
      await expect(dispatch(absent)('noFile')).rejects.toMatchObject({
        code: 'LEPTON_SOURCE',
        message: expect.stringMatching(
          /^lepton "noFile" \(python\.ts:\d+\): its Python file can't be read: .*none\.py/,
        ),
      });
      await expect(dispatch(absent)('noFunction')).rejects.toMatchObject({
        code: 'LEPTON_SOURCE',
        message: expect.stringMatching(
          /^lepton "noFunction" \(python\.ts:\d+\): .* defines no "scores"; did you mean "score"/,
        ),
      });
      expect(await dispatchSync(absent)('noModule')).toMatchObject({
        status: 'failed',
        error: { code: 'LEPTON_SOURCE', message: expect.stringContaining('finds no module "no.such"') },
      });
    });

    it('that is cancelled ends with all that it started, though it does not want to; what it prints is seen before', async () => {
      const folder = mkdtempSync(join(hub.home, 'staying-'));
      const id = await dispatch(staying)(folder);
      for await (const { type, data } of watch(id, { from: 'start' })) {
        if (/log/.test(type) && JSON.stringify(data).includes('staying')) break;
      }
      const pids = readFileSync(join(folder, 'pids'), 'utf8').trim().split(' ').map(Number);
      expect(pids).toHaveLength(2);
      expect(await cancel(id)).toMatchObject({ unconfirmed: [] });
      for (const pid of pids) await until(() => processInfo(pid) === undefined, `${pid} has ended`);
    });

    it('runs again from what the hub has of it, when its files are gone', async () => {
      const folder = join(hub.home, 'project');
      mkdirSync(folder);
      writeFileSync(join(folder, 'away.py'), 'def twice(x):\n    return x * 2\n');
      const script = await hub.script(`
        import { dispatch, getValue, lattice, lepton } from 'polaron';
        const twice = lepton({ name: 'twice', language: 'python', source: ${JSON.stringify(join(folder, 'away.py'))}, function: 'twice' });
        const id = await dispatch(lattice(function doubling(x) { return twice(x); }))(21);
        console.log(id, await getValue(id));
      `);
      expect(script.err).toBe('');
      const [id = '', value] = script.out.trim().split(' ');
      expect(value).toBe('42');
      rmSync(folder, { recursive: true });
      expect(existsSync(folder)).toBe(false);
      const again = await hub.polaron(['redispatch', id]);
      const second = /\S+/.exec(again.out.trim().split('\n').at(-1) ?? '')?.[0] ?? '';
      expect(`${again.err}${second}`).not.toContain('rror');
      expect((await hub.polaron(['result', second, '--wait'])).out.trim()).toBe('42');
    });
  });

  withRealPart('NumPy', pythonWithNumPy, 'it is not installed', () => {
    it('typed arrays go from lepton to lepton as NumPy arrays', async () => {
      const value = await getValue(await dispatch(centre)(new Float64Array([1, 2, 6])));
      expect(value).toEqual(new Float64Array([-2, -1, 3]));
    });
  });
});

describe('where no agent has Python', () => {
  const hub = new RealHub({ env: { POLARON_PYTHON: '/no/such/python3' } });
  beforeAll(() => hub.start());
  afterAll(() => hub.close());

  it('a Python lepton waits for one that has, and show says so', async () => {
    const id = await dispatch(thirdTime)('file');
    const shown = async (): Promise<string> => (await hub.polaron(['show', id])).out;
    let last = '';
    await until(async () => (last = await shown()).includes('no agent offers python'), `it is said: ${last}`, 20_000);
    await cancel(id);
  });
});

/** The examples as a user runs them: scripts under tsx, against a hub that `polaron start` made, their results read back with the command alone. */
import { execFile } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { python } from '../support/python.ts';
import { isolation } from '../support/real-hub.ts';
import { withRealPart } from '../support/real-part.ts';
import { totalsByHand } from './flights-by-hand.ts';
import { scoreByHand } from './penguins-by-hand.ts';

const root = fileURLToPath(new URL('../..', import.meta.url));
const command = join(root, 'dist', 'cli', 'main.cjs');
const execute = promisify(execFile);
const home = mkdtempSync(join(tmpdir(), 'polaron-examples-'));
const { POLARON_URL: _, ...inherited } = process.env;
const env = { ...inherited, POLARON_HOME: home };

async function node(...args: string[]): Promise<string> {
  const { stdout } = await execute(process.execPath, args, { cwd: root, env, maxBuffer: 2 ** 26 });
  return stdout;
}

/** Runs an example; its dispatch id and what it printed. */
async function run(script: string): Promise<{ readonly id: string; readonly printed: string }> {
  const printed = await node('--import', 'tsx', join(root, 'examples', script));
  const id = /^dispatch (\S+)$/m.exec(printed)?.[1];
  if (id === undefined) throw new Error(`no dispatch id in: ${printed}`);
  return { id, printed };
}

interface ResultDocument {
  readonly status: string;
  readonly value: unknown;
}
async function resultOf(id: string): Promise<ResultDocument> {
  const document: ResultDocument = JSON.parse(await node(command, 'result', id, '--json'));
  return document;
}

describe('on a hub', () => {
  beforeAll(async () => {
    await node(command, 'start', '--detach', '--json', ...isolation);
  });
  afterAll(async () => {
    await node(command, 'stop');
    rmSync(home, { recursive: true, force: true });
  });

  it('dependencies.ts counts with the program that its agent made for it', async () => {
    const { id, printed } = await run('dependencies.ts');
    expect(printed).toContain("[ '3 river', '2 sea' ]");
    expect(await resultOf(id)).toMatchObject({ status: 'completed', value: ['3 river', '2 sea'] });
  });

  it('svm.ts prints the accuracy of libsvm called directly, and the hub keeps it', async () => {
    const { id, printed } = await run('svm.ts');
    const { correct, total } = scoreByHand(1, 0.7);
    expect(printed).toContain(`accuracy ${(correct / total).toFixed(2)} (${correct} of ${total} `);
    expect(await resultOf(id)).toMatchObject({
      status: 'completed',
      value: { accuracy: correct / total, correct, total },
    });
  });

  it('sweep.ts scores its whole grid and picks the best', async () => {
    const { id } = await run('sweep.ts');
    const { value } = await resultOf(id);
    const powers = [-3, -2, -1, 0, 1];
    const candidates = [-2, -1, 0, 1, 2].flatMap((c) =>
      powers.map((g) => {
        const [C, gamma] = [10 ** c, 10 ** g];
        const { correct, total } = scoreByHand(C, gamma);
        return { C, gamma, accuracy: correct / total };
      }),
    );
    const best = Math.max(...candidates.map(({ accuracy }) => accuracy));
    expect(value).toMatchObject({ candidates, best: { accuracy: best } });
  });

  it('etl.ts aggregates 20,000 flights passed as an argument', async () => {
    const { id, printed } = await run('etl.ts');
    const { value } = await resultOf(id);
    const rows: unknown[] = Array.isArray(value) ? value : [];
    const totals = totalsByHand();
    expect(rows).toHaveLength(totals.size);
    const wanted = [...totals].map(([state, { flights, late }]) => ({ state, flights, late: late / flights }));
    expect(rows).toEqual(expect.arrayContaining(wanted.map((row) => expect.objectContaining(row))));
    expect(printed.trim().split('\n')).toHaveLength(6);
  });

  withRealPart('python3', python, 'there is none on this machine', () => {
    it('texts.ts has a shell command, a Python function and a C function work on one text', async () => {
      const { id } = await run('texts.ts');
      expect(await resultOf(id)).toMatchObject({
        status: 'completed',
        value: { count: 10, root: Math.sqrt(10), lengths: { longest: 'question', median: 2.5 } },
      });
    });
  });
});

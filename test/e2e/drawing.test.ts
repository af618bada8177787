/** `polaron graph` of a dispatch on a real hub: what the hub tells of maps and inner lattices ends in the picture. */
import { execFile } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { cancel, dispatch, getResult } from 'polaron';
import { root } from '../house/sources.ts';
import { readSvg } from '../sdk/draw/svg-reader.ts';
import { RealHub } from '../support/real-hub.ts';
import { until } from '../support/until.ts';
import { drawn } from './workflows/drawn.ts';

const hub = new RealHub({ start: ['--slots', '2'] });
beforeAll(() => hub.start());
afterAll(() => hub.close());

async function polaron(...args: string[]): Promise<string> {
  const command = join(root, 'dist/cli/main.cjs');
  const env = { ...process.env, POLARON_HOME: hub.home };
  return (await promisify(execFile)(process.execPath, [command, ...args], { env })).stdout;
}

it('a dispatch under way is drawn with its maps as numbers, and its inner lattice by name', {
  timeout: 60_000,
}, async () => {
  const id = await dispatch(drawn)(20);
  const done = async (): Promise<boolean> => {
    const { counts } = (await getResult(id)).electrons;
    // load, what draws the inner lattice and that itself, 19 trained, 20 reports; one failed with its map, their report is skipped; scores wait.
    return counts.completed === 3 + 19 + 20 && counts.failed === 2 && counts.skipped === 1;
  };
  await until(done, 'all that can run');
  const { subDispatch } = await (await getResult(id)).electrons.get('inner');
  const mermaid = await polaron('graph', id);
  const lines = mermaid.split('\n').filter((line) => /^ .*\bn\d.*"/.test(line) && !line.includes('-->'));
  expect(lines).toEqual([
    '  n0["load<br/>completed"]',
    '  subgraph n1["score × 20 · running · map"]',
    '    n1_0@{ shape: procs, label: "report × 20<br/>20 completed" }',
    '    n1_1@{ shape: procs, label: "score × 20<br/>20 waiting<br/>needs gpu" }',
    `  n3[["inner<br/>completed<br/>lattice, ${subDispatch}"]]`,
    '  n4@{ shape: procs, label: "train × 20<br/>19 completed, 1 failed<br/>map" }',
    '  n5["report<br/>skipped"]',
  ]);
  expect(mermaid).toContain(`title: "drawn · ${id} · running"`);

  const file = join(hub.home, 'drawn.svg');
  expect(await polaron('graph', id, '--output', file)).toBe(`wrote ${file}\n`);
  const { nodes, texts } = readSvg(readFileSync(file, 'utf8'));
  expect(nodes.map((node) => node.id)).toEqual(['n0', 'n1', 'n1_0', 'n1_1', 'n3', 'n4', 'n5', 'result']);
  expect(texts.map(({ text }) => text)).toContain('19 completed, 1 failed');
  await cancel(id);
});

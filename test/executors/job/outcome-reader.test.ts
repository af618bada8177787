/** How much of what a job's runner has written is read at once. Not here: what it means (job-executor.test.ts). */
import { appendFileSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { OutcomeReader } from '../../../executors/job/outcome-reader.ts';
import { FrameBatch } from '../../../executors/runner/frames.ts';
import { OUTCOME_FILE } from '../../../executors/runner/job-files.ts';
import { writeFromRunner } from '../../../executors/runner/wire-runner.ts';

const MIB = 1024 * 1024;
let dir: string;
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'polaron-outcome-'));
});
afterEach(() => rmSync(dir, { recursive: true, force: true }));

function write(lines: number, chars: number): void {
  const batch = new FrameBatch(writeFromRunner);
  for (let i = 0; i < lines; i++) batch.add({ type: 'log', task: 't', stream: 'stdout', text: 'x'.repeat(chars) });
  appendFileSync(join(dir, OUTCOME_FILE), Buffer.concat(batch.take()));
}

it('a look reads about a MiB and says that there is more; the next ones go on where it ended', () => {
  let chars = 0;
  const reader = new OutcomeReader(dir, (message) => {
    if (message.type === 'log') chars += message.text.length;
  });
  expect(reader.read()).toBe(false);
  write(5_000, 1_000);
  expect(reader.read()).toBe(true);
  expect(chars).toBeGreaterThan(0.9 * MIB);
  expect(chars).toBeLessThan(1.3 * MIB);
  let looks = 1;
  while (reader.read()) looks++;
  expect(looks).toBeGreaterThan(3);
  expect(chars).toBe(5_000_000);
  write(3_000, 1_000);
  reader.readToEnd();
  expect(chars).toBe(8_000_000);
});

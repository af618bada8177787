/**
 * Entry of a process that runs one job and ends: `node job.js <folder>`, where the folder holds all it needs and takes what becomes of it. SIGTERM aborts the electron's signal.
 * Not here: who starts it (executors/job).
 */
import { mkdirSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { object, int, parse, text } from '../../bus/protocol/shape.ts';
import { SETTINGS_FILE } from './job-files.ts';
import { isRun, openJobLink, readJob } from './job-link.ts';
import { runHere } from './run-here.ts';

/** As a shell tells of SIGTERM. */
const TERMINATED = 143;

const folder = resolve(process.argv[2] ?? '.');
const readSettings = object((o) => ({
  maxValueBytes: int(o, 'maxValueBytes'),
  graceMs: int(o, 'graceMs'),
  agent: text(o, 'agent'),
}));
const settings = parse('settings', readSettings, JSON.parse(readFileSync(join(folder, SETTINGS_FILE), 'utf8')));
const messages = readJob(folder);
const scratchRoot = join(folder, 'scratch');
mkdirSync(scratchRoot, { recursive: true });
const run = (): void => {
  for (const message of messages) if (isRun(message)) runner.message(message);
  runner.work();
};
// whatever the electron left open: its attempt is over
const link = openJobLink(folder, { ready: () => setImmediate(run), finished: () => process.exit(0) });
const runner = runHere({ link, ...settings, scratchRoot });
process.on('SIGTERM', () => {
  for (const { task } of messages.filter(isRun))
    runner.message({ type: 'cancel', task, code: 'CANCELLED', reason: 'its process was told to stop (SIGTERM)' });
  setTimeout(() => process.exit(TERMINATED), settings.graceMs);
});
for (const message of messages) if (!isRun(message)) runner.message(message);
if (!messages.some(({ type }) => type === 'index')) run();

/**
 * Entry of a process that runs one job and ends: `node job.js <folder>`, where the folder holds all it needs and takes what becomes of it. SIGTERM aborts the electron's signal.
 * Not here: who starts it (executors/job).
 */
import { readFileSync } from 'node:fs';
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
const run = (): void => {
  for (const message of messages) if (isRun(message)) runner.message(message);
  runner.work();
};
// Its own output may go to files on a full disk: that is no error of the electron.
for (const stream of [process.stdout, process.stderr]) stream.on('error', () => undefined);
// whatever the electron left open: its attempt is over
const link = openJobLink(folder, {
  ready: () => setImmediate(run),
  finished: () => process.exit(0),
  lost: (why) => {
    process.stderr.write(`the outcome can't be written: ${String(why)}\n`);
    process.exit(1);
  },
});
const runner = runHere({ link, ...settings, scratchRoot: join(folder, 'scratch') });
process.on('SIGTERM', () => {
  for (const { task } of messages.filter(isRun))
    runner.message({ type: 'cancel', task, code: 'CANCELLED', reason: 'its process was told to stop (SIGTERM)' });
  setTimeout(() => process.exit(TERMINATED), settings.graceMs);
});
for (const message of messages) if (!isRun(message)) runner.message(message);
if (!messages.some(({ type }) => type === 'index')) run();

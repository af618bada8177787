/**
 * Loaded into every process of a hub that cost.ts measures: SIGUSR2 begins a CPU profile of the main thread, and a second one ends it and writes it to the folder
 * that BENCH_PROFILES names. Not responsible for what the samples mean.
 */
'use strict';
const { readFileSync, renameSync, writeFileSync } = require('node:fs');
const { Session } = require('node:inspector');
const path = require('node:path');

const folder = process.env['BENCH_PROFILES'];
const TICK_MS = 10;
let session;
let before;

/** Of the main thread, ms: the profile's own times hold what it waited for a core, too. */
function mainCpuMs() {
  const stat = readFileSync(`/proc/self/task/${process.pid}/stat`, 'utf8');
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  return (Number(fields[11]) + Number(fields[12])) * TICK_MS;
}

const used = () => {
  const { user, system } = process.cpuUsage();
  return { all: (user + system) / 1_000, main: mainCpuMs() };
};

process.on('SIGUSR2', () => {
  if (session === undefined) {
    session = new Session();
    session.connect();
    session.post('Profiler.enable');
    session.post('Profiler.setSamplingInterval', { interval: 500 });
    session.post('Profiler.start', () => {
      before = used();
      writeFileSync(path.join(folder, `${process.pid}.started`), '');
    });
    return;
  }
  const after = used();
  const ended = session;
  session = undefined;
  ended.post('Profiler.stop', (error, result) => {
    ended.disconnect();
    if (error !== null) throw error;
    const file = path.join(folder, `${process.pid}.json`);
    const cpuMs = { all: after.all - before.all, main: after.main - before.main };
    writeFileSync(`${file}.part`, JSON.stringify({ argv: process.argv.join(' '), cpuMs, profile: result.profile }));
    renameSync(`${file}.part`, file);
  });
});

/**
 * `npm run quickstart`: installs and builds what is missing, starts a hub with its defaults, runs examples/svm.ts on it, shows the transport
 * graph, live progress and the result, and stops what it started.
 *
 * Q1. The first line is out before anything slow begins.
 * Q2. A hub that ran before is used and left running; one that was started here is stopped, whatever happens, Ctrl-C included.
 * Q3. The hub's data stays in the default home, so that the commands printed at the end show this dispatch.
 */
import { join } from 'node:path';
import { build } from './build.mjs';
import { runFolded, runOpen, tail } from './child.mjs';
import { ensureInstalled, root } from './ensure-installed.mjs';
import { requireSupported } from './node-version.mjs';

const command = join(root, 'dist', 'cli', 'main.cjs');
const { POLARON_URL: _elsewhere, ...environment } = process.env;
/** Own process groups, so that a Ctrl-C in the terminal reaches this script alone, which then stops everything in order. */
const options = { cwd: root, env: environment, detached: true };
const running = new Set();
let interrupted = false;

class Failure extends Error {}

const say = (line) => process.stdout.write(`${line}\n`);
const onStart = (child) => {
  running.add(child);
  child.once('close', () => running.delete(child));
  if (interrupted) child.kill('SIGTERM');
};
const polaron = (...args) => runFolded(process.execPath, [command, ...args], { ...options, onStart });

async function hubStatus() {
  const { code, stdout } = await polaron('status', '--json');
  return code === 0 ? JSON.parse(stdout) : undefined;
}

/** Resolves to the hub's status and whether it was started here. */
async function ensureHub(onStarting) {
  const known = await hubStatus();
  if (known !== undefined) {
    say(`using the hub that already runs (pid ${known.pid})`);
    return known;
  }
  onStarting();
  // Not in `running`: an interrupt waits for it, since a start cut short could leave a hub that nobody knows of.
  const { code, output } = await runFolded(process.execPath, [command, 'start', '--detach', '--json'], options);
  if (code !== 0) throw new Failure(`polaron start failed (exit code ${code})\n${tail(output, 20)}`);
  const status = await hubStatus();
  if (status === undefined) throw new Failure('polaron start said it was ready, but polaron status finds no hub');
  say(`started a hub: bus ${status.bus}, data ${status.data}`);
  return status;
}

/** Runs the example; shows graph and progress as soon as it has said its dispatch id, and its own lines when it has ended. */
async function runExample() {
  let id = '';
  let shown = Promise.resolve();
  const lines = [];
  const onLine = (line) => {
    const found = /^dispatch (\S+)$/.exec(line)?.[1];
    if (found === undefined) {
      lines.push(line);
      return;
    }
    id = found;
    shown = showDispatch(id);
  };
  const script = join(root, 'examples', 'svm.ts');
  const { code, output } = await runFolded(process.execPath, ['--import', 'tsx', script], {
    ...options,
    onStart,
    onLine,
  });
  await shown;
  if (code !== 0 || id === undefined)
    throw new Failure(`examples/svm.ts failed (exit code ${code})\n${tail(output, 30)}`);
  if (!lines.some((line) => /^accuracy \d/.test(line)))
    throw new Failure(`examples/svm.ts printed no accuracy\n${tail(output, 30)}`);
  for (const line of lines) say(line);
  return id;
}

async function showDispatch(id) {
  say(`dispatched examples/svm.ts: ${id}`);
  const graph = await polaron('graph', id, '--format', 'mermaid');
  say('\ntransport graph (Mermaid):');
  say(graph.code === 0 ? indent(graph.stdout) : indent(tail(graph.output, 5)));
  say('\nprogress:');
  await runOpen(process.execPath, [command, 'watch', id], {
    ...options,
    stdio: ['ignore', 'inherit', 'inherit'],
    onStart,
  });
  say('');
}

const indent = (text) => text.trimEnd().replace(/^/gm, '  ');

function onSignal() {
  interrupted = true;
  for (const child of running) child.kill('SIGTERM');
}

async function quickstart() {
  say('Polaron quickstart: install, build, start a hub, run examples/svm.ts, stop.');
  requireSupported();
  await ensureInstalled(say);
  await build(say);
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.on(signal, onSignal);
  let startedHere = false;
  try {
    const hub = await ensureHub(() => {
      startedHere = true;
    });
    if (interrupted) return;
    const id = await runExample();
    say(`dispatch id ${id}`);
    say(`the result is kept in ${hub.data}`);
    say('\ntry next:');
    if (startedHere) say('  npx polaron start --detach      start the hub again');
    say('  npx polaron ls                  list dispatches');
    say(`  npx polaron show ${id}`);
    say('  npx tsx examples/sweep.ts       a grid search by .map');
    say('  npx polaron stop');
  } finally {
    if (startedHere) await stopHub();
  }
}

async function stopHub() {
  const { code, output } = await runFolded(process.execPath, [command, 'stop'], options);
  // 3: there is no hub, since it never came up.
  if (code === 0) say('\nstopped the hub');
  else if (code !== 3) throw new Failure(`polaron stop failed (exit code ${code})\n${tail(output, 10)}`);
}

// A reader that went away (`| head`) is no reason to leave a hub behind.
for (const stream of [process.stdout, process.stderr]) stream.on('error', () => undefined);
try {
  await quickstart();
} catch (error) {
  if (!interrupted) process.stderr.write(`${error instanceof Failure ? error.message : error.stack}\n`);
  process.exitCode = 1;
}
if (interrupted) {
  process.stderr.write('interrupted\n');
  process.exitCode = 130;
}

/**
 * What somebody waits for who begins: `polaron start --detach` from its call to its return (bus up, hub accepts dispatches, its agent has joined), on empty data and on data that is there;
 * the first dispatch of a fresh script whose bundle is kept from before, to its id and to its value; and `import 'polaron'`, as what a Node process with it takes longer than a bare one.
 * All with one bare Node process in turn.
 */
import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { field } from './field.ts';
import { environmentOf } from './polaron.ts';
import type { Answer, Bed, Question } from './question.ts';
import { type Summary, summary, tidy } from './statistics.ts';

const limit = { atMost: 400 };
const emptyGoal = { what: '`polaron start` on empty data, ms', limit };
const restartGoal = { what: '`polaron start` on data that is there, ms', limit };
const valueGoal = { what: 'a first dispatch of a cached bundle, to its value, ms', limit: { atMost: 50 } };
const importGoal = { what: "`import 'polaron'` beyond a bare Node, ms", limit: { atMost: 60 } };

export const start: Question = {
  id: 'start',
  asks: 'from `polaron start` until the hub is ready; a first dispatch; an import',
  bus: 'each',
  goals: [emptyGoal, restartGoal, valueGoal, importGoal],
  notMeasured: [
    'a cold disk cache, recovery of unfinished dispatches',
    'NODE_EXTRA_CA_CERTS: Node 20 reads those certificates at the start of every process, some 50 ms; it is taken out of the environment here',
  ],
  measure,
};

const root = fileURLToPath(new URL('..', import.meta.url));
const script = fileURLToPath(new URL('first-script.mjs', import.meta.url));
const execute = promisify(execFile);

async function measure(bed: Bed): Promise<Answer> {
  const { NODE_EXTRA_CA_CERTS: certificates } = process.env;
  delete process.env['NODE_EXTRA_CA_CERTS'];
  try {
    return await measured(bed);
  } finally {
    if (certificates !== undefined) process.env['NODE_EXTRA_CA_CERTS'] = certificates;
  }
}

async function measured(bed: Bed): Promise<Answer> {
  const bare: number[] = [];
  const imported: number[] = [];
  const empty: number[] = [];
  const restart: number[] = [];
  const id: number[] = [];
  const value: number[] = [];
  for (let run = 0; run < bed.runs; run++) {
    bare.push(await wall(['-e', '0']));
    imported.push(await wall(['--input-type=module', '-e', "import 'polaron'"]));
    const hub = await bed.freshHub({ agents: 1 });
    empty.push(hub.startMs);
    const again = await hub.restart();
    restart.push(again.startMs);
    await firstDispatch(again.home); // packs the code, and leaves a runner that has it
    const first = await firstDispatch(again.home);
    id.push(first('idMs'));
    value.push(first('valueMs'));
    await again.stop();
  }
  const [bareMs, importedMs] = [summary(bare), summary(imported)];
  const [emptyMs, restartMs, idMs, valueMs] = [summary(empty), summary(restart), summary(id), summary(value)];
  const importMs = tidy(importedMs.median - bareMs.median);
  const shown = ({ median, min, max }: Summary): string => `${median} ms (${min}–${max})`;
  return {
    figures: { bareMs, importedMs, importMs, emptyMs, restartMs, idMs, valueMs },
    got: {
      [emptyGoal.what]: emptyMs.median,
      [restartGoal.what]: restartMs.median,
      [valueGoal.what]: valueMs.median,
      [importGoal.what]: importMs,
    },
    text: `start ${shown(emptyMs)} on empty data, ${shown(restartMs)} again; a first dispatch ${shown(idMs)} to its id, ${shown(valueMs)} to its value; import ${importMs} ms beyond a bare Node's ${shown(bareMs)}`,
  };
}

/** Of a Node process with these arguments, from the call to its end, ms. */
async function wall(args: readonly string[]): Promise<number> {
  const began = performance.now();
  await execute(process.execPath, args, { cwd: root });
  return performance.now() - began;
}

/** The script's figures by their names. */
async function firstDispatch(home: string): Promise<(name: string) => number> {
  const { stdout } = await execute(process.execPath, [script], { cwd: root, env: environmentOf(home) });
  const figures: unknown = JSON.parse(stdout);
  return (name) => {
    const ms = field(figures, name);
    if (typeof ms !== 'number') throw new Error(`first-script.mjs printed no ${name}: ${stdout}`);
    return ms;
  };
}

/**
 * `npm run mutate [-- --only ID,ID --seeds 1000 --kills 40]`: breaks Polaron in one place after another, in a copy, and shows that the simulation or the chaos run
 * notices each. Before that both must pass on the copy as it is, or their failing would show nothing. Exit code 1 when a mutation went unnoticed.
 */
import { execFileSync, spawn } from 'node:child_process';
import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { edited, type Mutation } from './mutation.ts';
import { mutations } from './mutations.ts';

type Run = Mutation['caughtBy'];

const root = fileURLToPath(new URL('../../..', import.meta.url));
const { values: given } = parseArgs({
  options: {
    only: { type: 'string' },
    seeds: { type: 'string', default: '1000' },
    kills: { type: 'string', default: '40' },
  },
});
const say = (line: string): void => void process.stdout.write(`${line}\n`);

/** The last lines that are kept of a run, to be shown when it ends in a way that wasn't expected. */
const KEPT_LINES = 20;
/** Seeds of the run on the copy as it is; fewer than the run asks for to miss a rule that was not met. */
const SOUND_SEEDS = 150;

const programs: Readonly<Record<Run, { readonly args: readonly string[]; readonly broken: RegExp }>> = {
  simulate: {
    args: ['test/fault/simulation/main.ts', '--no-shrink', '--seeds'],
    broken: /^seed \d+: FAILED/,
  },
  chaos: {
    args: ['test/fault/chaos/main.ts', '--seed', '1', '--kills'],
    broken: /BROKEN /,
  },
};

interface Ending {
  /** The line that tells of a broken promise, and the one after it; undefined: none was. */
  readonly broken: readonly string[] | undefined;
  readonly code: number | null;
  readonly last: readonly string[];
}

/** Runs until a promise is broken, or to its end. */
async function run(copy: string, kind: Run, amount: string): Promise<Ending> {
  const { args, broken: pattern } = programs[kind];
  // real processes run what is built
  if (kind === 'chaos') execFileSync(process.execPath, ['scripts/build.mjs'], { cwd: copy });
  const child = spawn(process.execPath, ['--import', 'tsx', ...args, amount], {
    cwd: copy,
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const exit = new Promise<number | null>((resolve) => child.once('close', resolve));
  const last: string[] = [];
  let broken: string[] | undefined;
  const hear = (line: string): void => {
    last.push(line);
    if (last.length > KEPT_LINES) last.shift();
    if (broken !== undefined) broken.push(line.trim());
    else if (pattern.test(line)) {
      broken = [line.trim()];
      // the chaos run ends after its round
      setTimeout(() => child.kill('SIGINT'), 1_000);
    }
  };
  createInterface(child.stdout).on('line', hear);
  createInterface(child.stderr).on('line', (line) => last.push(line));
  const code = await exit;
  return { broken, code, last };
}

/** All files that git knows, with the packages and the build that are there already. */
function copyTree(): string {
  const copy = mkdtempSync(join(tmpdir(), 'polaron-mutate-'));
  const files = execFileSync('git', ['ls-files', '-z', '--cached', '--others', '--exclude-standard'], { cwd: root })
    .toString()
    .split('\0')
    .filter((file) => file !== '');
  for (const file of files) {
    mkdirSync(dirname(join(copy, file)), { recursive: true });
    cpSync(join(root, file), join(copy, file));
  }
  symlinkSync(join(root, 'node_modules'), join(copy, 'node_modules'));
  return copy;
}

function chosen(): readonly Mutation[] {
  const ids = given.only?.split(',');
  const unknown = ids?.find((id) => !mutations.some((mutation) => mutation.id === id));
  if (unknown !== undefined) {
    say(`--only: there is no mutation "${unknown}"; there are ${mutations.map(({ id }) => id).join(', ')}`);
    process.exit(2);
  }
  return ids === undefined ? mutations : mutations.filter(({ id }) => ids.includes(id));
}

/** The run's last lines, when it didn't end as it should. */
function explain({ last }: Ending): void {
  for (const line of last) say(`    ${line}`);
}

async function isSound(copy: string, kind: Run): Promise<boolean> {
  const ending = await run(copy, kind, kind === 'simulate' ? String(SOUND_SEEDS) : given.kills);
  const sound = ending.broken === undefined && ending.code === 0;
  say(`${kind} on the source as it is: ${sound ? 'passes' : `ends with ${ending.code}`}`);
  if (!sound) explain(ending);
  return sound;
}

async function isCaught(copy: string, mutation: Mutation): Promise<boolean> {
  const { id, breaks, caughtBy, edits } = mutation;
  const seeds = String(Math.max(Number(given.seeds), mutation.seeds ?? 0));
  const before = new Map(edits.map(({ file }) => [file, readFileSync(join(copy, file), 'utf8')]));
  for (const edit of edits) {
    const file = join(copy, edit.file);
    writeFileSync(file, edited(readFileSync(file, 'utf8'), edit));
  }
  try {
    const ending = await run(copy, caughtBy, caughtBy === 'simulate' ? seeds : given.kills);
    const caught = ending.broken !== undefined;
    say(`${caught ? 'caught  ' : 'MISSED  '} ${id} (${caughtBy}): ${breaks}`);
    if (caught) say(`          ${ending.broken?.slice(0, 2).join('; ').slice(0, 200)}`);
    else explain(ending);
    return caught;
  } finally {
    for (const [file, text] of before) writeFileSync(join(copy, file), text);
  }
}

const copy = copyTree();
try {
  const wanted = chosen();
  let failures = 0;
  for (const kind of new Set(wanted.map(({ caughtBy }) => caughtBy))) if (!(await isSound(copy, kind))) failures++;
  let caught = 0;
  for (const mutation of failures === 0 ? wanted : []) if (await isCaught(copy, mutation)) caught++;
  say(`${caught} of ${wanted.length} mutations caught`);
  process.exitCode = failures === 0 && caught === wanted.length ? 0 : 1;
} finally {
  rmSync(copy, { recursive: true, force: true });
}

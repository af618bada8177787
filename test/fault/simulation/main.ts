/**
 * `npm run simulate -- [--seeds N] [--from N] [--seed N] [--plan FILE] [--no-shrink] [--first]`: runs seeds one after another and says which promises were broken. A failing
 * seed is shrunk and its plan printed (--first: and ends the run); --seed runs one with its history, --plan a printed plan. Not here: what a run is (judge.ts).
 */
import { readFileSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { judge, type Verdict } from './judge.ts';
import { makePlan } from './make-plan.ts';
import type { RunPlan } from './plan.ts';
import { promises } from './promise.ts';
import { shrink } from './shrink.ts';
import { Tally } from './tally.ts';

/** Seeds between two checkpoints. */
const CHECKPOINT = 500;
const SHOWN = 6;
const LONGEST = 600;

const { values } = parseArgs({
  options: {
    seeds: { type: 'string', default: '200' },
    from: { type: 'string', default: '1' },
    seed: { type: 'string' },
    plan: { type: 'string' },
    'no-shrink': { type: 'boolean', default: false },
    first: { type: 'boolean', default: false },
  },
});
const print = (line: string): void => void process.stdout.write(`${line}\n`);

function tell({ plan, digest, broken, world }: Verdict): void {
  print(
    `seed ${plan.seed}: ${broken.length === 0 ? 'all promises held' : 'FAILED'}, history ${digest}, ${world.history.entries.length} entries`,
  );
  for (const { promise, what } of broken.slice(0, SHOWN)) {
    print(`  ${promise}: ${promises[promise]}`);
    print(`    ${what.slice(0, LONGEST)}`);
  }
  if (broken.length > SHOWN) print(`  … and ${broken.length - SHOWN} more`);
}

async function one(plan: RunPlan): Promise<number> {
  print(JSON.stringify(plan));
  const verdict = await judge(plan, (entry) => print(JSON.stringify(entry)));
  tell(verdict);
  return verdict.broken.length === 0 ? 0 : 1;
}

async function many(from: number, seeds: number): Promise<number> {
  const tally = new Tally();
  const failed: number[] = [];
  const began = performance.now();
  for (let seed = from; seed < from + seeds; seed++) {
    const verdict = await judge(makePlan(seed));
    tally.add(verdict);
    const [first] = verdict.broken;
    if (first !== undefined) {
      failed.push(seed);
      tell(verdict);
      print(`  again: npm run simulate -- --seed ${seed}`);
      if (!values['no-shrink']) {
        const small = await shrink(verdict.plan, async (smaller) =>
          (await judge(smaller)).broken.some(({ promise }) => promise === first.promise),
        );
        print(`  shrunk: ${JSON.stringify(small)}`);
      }
    }
    if (first !== undefined && values.first) break;
    const done = seed - from + 1;
    if (done % CHECKPOINT === 0 && done < seeds)
      print(`checkpoint: seeds ${from} to ${seed}, ${failed.length} failed; go on with --from ${seed + 1}`);
  }
  const minutes = (performance.now() - began) / 60_000;
  for (const line of tally.lines()) print(line);
  const missed = seeds >= Tally.ENOUGH ? tally.missed() : [];
  if (missed.length > 0) print(`never seen in ${seeds} seeds: ${missed.join(', ')}`);
  print(
    `${seeds} seeds from ${from}: ${seeds - failed.length} held, ${failed.length} failed${failed.length > 0 ? ` (${failed.slice(0, 20).join()})` : ''}; ` +
      `${Math.round(seeds / minutes)} seeds a minute; histories ${tally.digest}`,
  );
  return failed.length === 0 && missed.length === 0 ? 0 : 1;
}

/** A plan as this program printed it. */
function readPlan(file: string): RunPlan {
  const plan: unknown = JSON.parse(readFileSync(file, 'utf8'));
  if (!isPlan(plan)) throw new Error(`${file} holds no plan of a run`);
  return plan;
}
const isPlan = (x: unknown): x is RunPlan => typeof x === 'object' && x !== null && 'dispatches' in x && 'faults' in x;

if (values.plan !== undefined) process.exitCode = await one(readPlan(values.plan));
else if (values.seed !== undefined) process.exitCode = await one(makePlan(Number(values.seed)));
else process.exitCode = await many(Number(values.from), Number(values.seeds));

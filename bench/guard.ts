/**
 * `npm run bench:guard`: has the engine become slower? Compares W1–W4, as ratios to the bare loop, with bench/baseline.json, and fails under 70 % of it. A short
 * bench: the embedded broker, one agent, few runs. Machines are noisy, so what is too slow is measured again, twice at most; a wrong value fails at once.
 * `--write` makes what it measures the baseline. Not guarded: W4's p99, which varies by more than the margin, and goals, which are the bench's.
 */
import { readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { ask, type Result } from './ask.ts';
import { openBus } from './bench-bus.ts';
import { type Limit, limitText } from './goal.ts';
import { Openings } from './openings.ts';
import type { Question } from './question.ts';
import { runToEnd } from './run-to-end.ts';
import { tidy } from './statistics.ts';
import { w1 } from './w1-chain.ts';
import { w2 } from './w2-fan.ts';
import { w3 } from './w3-diamonds.ts';
import { w4 } from './w4-latency.ts';
import { field } from './field.ts';

const guarded = [w1, w2, w3, w4];
const tries = 3;
const runs = 3;
const warmUps = 4;
const share = 0.7;
const file = fileURLToPath(new URL('baseline.json', import.meta.url));
const say = (line: string): void => void process.stderr.write(`${line}\n`);

interface Ratio {
  readonly id: string;
  readonly what: string;
  readonly got: number;
  /** Of the baseline. */
  readonly limit: Limit;
}

/** Question → ratio → figure. */
type Baseline = Readonly<Record<string, Readonly<Record<string, number>>>>;

/** Raises Error when a question has no answer: that is no noise. */
async function measure(questions: readonly Question[], repeat: number): Promise<readonly Ratio[]> {
  const openings = new Openings();
  const bus = await openings.open(
    () => openBus('embedded'),
    (one) => one.close(),
  );
  const options = { bus, runs: repeat, warmUps, agents: 1, most: undefined, peers: {}, say: () => undefined };
  const results = await ask(questions, options);
  await openings.close();
  return Object.entries(results).flatMap(([id, result]) => ratiosOf(id, result));
}

function ratiosOf(id: string, result: Result): Ratio[] {
  if ('failed' in result) throw new Error(`${id} failed: ${String(result.failed)}`);
  return result.verdicts.flatMap(({ what, got, limit }) =>
    got === null || what.startsWith('p99') ? [] : [{ id, what, got, limit }],
  );
}

/** How far a ratio may be from its baseline. Raises Error where there is none. */
function boundOf({ id, what, limit }: Ratio, baseline: unknown): Limit {
  const was = field(field(baseline, id), what);
  if (typeof was !== 'number') throw new Error(`${file} has no ${id} "${what}": run npm run bench:guard -- --write`);
  return 'atMost' in limit ? { atMost: was / share } : { atLeast: was * share };
}

function isSlower(ratio: Ratio, baseline: unknown): boolean {
  const bound = boundOf(ratio, baseline);
  const slower = 'atMost' in bound ? ratio.got > bound.atMost : ratio.got < bound.atLeast;
  const was = 'atMost' in bound ? bound.atMost * share : bound.atLeast / share;
  const verdict = slower ? 'SLOWER' : 'ok';
  say(`${ratio.id}  ${ratio.what}  ${ratio.got}, baseline ${tidy(was)}, wanted ${limitText(bound)}: ${verdict}`);
  return slower;
}

async function guard(): Promise<number> {
  const baseline: unknown = JSON.parse(readFileSync(file, 'utf8'));
  let left: readonly Question[] = guarded;
  for (let attempt = 1; attempt <= tries; attempt++) {
    const ratios = await measure(left, runs);
    const slower = ratios.filter((ratio) => isSlower(ratio, baseline));
    left = left.filter(({ id }) => slower.some((ratio) => ratio.id === id));
    if (left.length === 0) return 0;
    if (attempt < tries) say(`once more: ${left.map(({ id }) => id).join(', ')}`);
  }
  say(`slower than ${share * 100} % of bench/baseline.json, ${tries} times: ${left.map(({ id }) => id).join(', ')}`);
  return 1;
}

async function write(): Promise<number> {
  const ratios = await measure(guarded, 5);
  const baseline: Baseline = Object.fromEntries(
    guarded.map(({ id }) => [
      id,
      Object.fromEntries(ratios.filter((one) => one.id === id).map(({ what, got }) => [what, got])),
    ]),
  );
  writeFileSync(file, `${JSON.stringify(baseline, null, 2)}\n`);
  say(`${JSON.stringify(baseline, null, 2)}\nwritten to ${file}`);
  return 0;
}

await runToEnd(process.argv.includes('--write') ? write : guard);

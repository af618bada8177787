/** The simulation: its first seeds hold every promise and meet every fault and rule, and a seed is one history. What it is: docs/adr/011-simulation.md. */
import { execFileSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { judge } from './simulation/judge.ts';
import { isContended } from './simulation/contended.ts';
import { isLostParent } from './simulation/lost-parent.ts';
import { makePlan } from './simulation/make-plan.ts';
import { crashKinds, type RunPlan } from './simulation/plan.ts';
import { shrink } from './simulation/shrink.ts';
import { Tally } from './simulation/tally.ts';

const MAIN = fileURLToPath(new URL('./simulation/main.ts', import.meta.url));
/** All faults and rules are met by the 36th; `npm run simulate` runs more, and CI a thousand. */
const SEEDS = 60;

describe('the simulation', { timeout: 120_000 }, () => {
  it(`breaks no promise in ${SEEDS} seeds, and meets every fault and every rule`, async () => {
    const tally = new Tally();
    const failed: string[] = [];
    for (let seed = 1; seed <= SEEDS; seed++) {
      const verdict = await judge(makePlan(seed));
      tally.add(verdict);
      for (const { promise, what } of verdict.broken) failed.push(`seed ${seed}, ${promise}: ${what}`);
    }
    expect(failed).toEqual([]);
    expect(tally.missed()).toEqual([]);
  });

  it('makes plans of at least three kinds of fault, half of them with a crash, and some without any', () => {
    const seeds = Array.from({ length: 400 }, (_, seed) => seed).filter(
      (seed) => !isLostParent(seed) && !isContended(seed),
    );
    const plans = seeds.map(makePlan);
    const kinds = plans.map(({ faults }) => new Set(faults.map(({ kind }) => kind)));
    expect(kinds.every(({ size }) => size === 0 || size >= 3)).toBe(true);
    expect(kinds.filter(({ size }) => size === 0).length).toBeGreaterThan(5);
    expect(kinds.filter((set) => [...set].some((kind) => crashKinds.has(kind))).length).toBeGreaterThan(200);
    const sizes = plans.map(({ dispatches }) => dispatches.reduce((sum, { nodes }) => sum + nodes.length, 0));
    expect(Math.min(...sizes)).toBeGreaterThanOrEqual(1);
    expect(Math.max(...sizes)).toBeLessThanOrEqual(200);
  });

  it('is the same history for the same seed, in this process and in another', async () => {
    const digests = async (): Promise<string[]> => {
      const found: string[] = [];
      for (const seed of [3, 8, 12, 44]) found.push((await judge(makePlan(seed))).digest);
      return found;
    };
    const first = await digests();
    expect(await digests()).toEqual(first);
    const out = execFileSync(process.execPath, ['--import', 'tsx', MAIN, '--seed', '12'], {
      maxBuffer: 64 * 1024 * 1024,
    });
    expect(out.toString('utf8')).toContain(`history ${first[2]},`);
  });

  it('shrinks a plan that fails to what it fails by', async () => {
    const plan = makePlan(3);
    expect(plan.faults.map(({ kind }) => kind)).toContain('cut-agent');
    const small = await shrink(plan, (smaller) =>
      Promise.resolve(
        smaller.faults.some(({ kind }) => kind === 'cut-agent') &&
          smaller.dispatches.some(({ nodes }) => nodes.length >= 3),
      ),
    );
    expect(small.faults.map(({ kind }) => kind)).toEqual(['cut-agent']);
    expect(small.dispatches.map(({ nodes }) => nodes.length)).toEqual([3]);
    expect((await judge(small)).broken).toEqual([]);
  });

  it('shrinks lattices inside and what is dispatched again to plans that hold, too', async () => {
    const again = await shrink(makePlan(23), (smaller) => Promise.resolve((smaller.redispatches ?? []).length > 0));
    expect([again.redispatches?.length, again.dispatches.length > 0, again.crashes, again.faults]).toEqual([
      1,
      true,
      [],
      [],
    ]);
    expect((await judge(again)).broken).toEqual([]);
    const hasLattice = ({ dispatches }: RunPlan): boolean =>
      dispatches.some(({ nodes }) => nodes.some(({ kind }) => kind === 'lattice'));
    const inner = await shrink(makePlan(19), (smaller) => Promise.resolve(hasLattice(smaller)));
    expect(inner.dispatches.map(({ nodes }) => nodes.at(-1)?.kind)).toEqual(['lattice']);
    expect((await judge(inner)).broken).toEqual([]);
  });
});

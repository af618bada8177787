/**
 * A plan of a case that chance meets once in thousands of seeds: power goes from the hub and the agent beside it when a parent's outcome isn't on disk and its
 * child works on another agent. The parent runs again and gives another value, and what the child's agent has was made from the first one.
 */
import { NO_TIMEOUTS } from '../../../model/graph.ts';
import type { ElectronPlan, RunPlan } from './plan.ts';
import { Rng } from './random.ts';

/** Every so many-th seed is one. */
const EVERY = 97;

export const isLostParent = (seed: number): boolean => seed % EVERY === 0;

const electron = (ms: number, inputs: readonly number[]): ElectronPlan => ({
  kind: 'electron',
  does: { ms, fails: 0, signMs: 0, list: 0, large: false, kills: false, varies: true },
  inputs,
  after: [],
  retries: 0,
  timeouts: NO_TIMEOUTS,
});

export function lostParentPlan(seed: number): RunPlan {
  const random = new Rng(seed, 'lost-parent');
  const flushMs = random.between(100, 200);
  // Two begin at once, one on each agent. The second ends soon; when the parent has ended, after its dispatch is on disk, a child goes to either.
  const parentMs = 1_000;
  const nodes = [
    electron(parentMs, []),
    electron(random.between(5, 40), []),
    electron(random.between(2_000, 3_000), [0]),
    electron(random.between(2_000, 3_000), [0]),
  ];
  const at = 1_000;
  return {
    seed,
    isolated: false,
    embedded: random.chance(0.5),
    heartbeatMs: 1_000,
    leaseMs: 4_000,
    flushMs,
    agents: [
      { slots: 1, local: true },
      { slots: 1, local: false },
    ],
    dispatches: [{ at, strict: false, failFast: false, priority: 0, timeoutMs: 0, nodes, output: [2, 3] }],
    cancels: [],
    cancelled: [],
    faults: [
      {
        kind: 'cut-hub',
        at: at + parentMs + random.between(flushMs, 4 * flushMs),
        ms: random.between(100, 1_000),
        target: 'hub',
        amount: 0,
      },
    ],
  };
}

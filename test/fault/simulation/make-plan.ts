/** Makes up the plan of a seed: agents, cancels, faults. Not here: its dispatches (make-graph.ts), what becomes of it (world.ts). */
import { contendedPlan, isContended } from './contended.ts';
import { isLostParent, lostParentPlan } from './lost-parent.ts';
import { makeDispatches } from './make-graph.ts';
import { makeRedispatches } from './make-redispatches.ts';
import {
  agentName,
  crashKinds,
  faultKinds,
  isNetFault,
  type CancelPlan,
  type CrashPoint,
  type DispatchPlan,
  type FaultKind,
  type FaultPlan,
  type RunPlan,
} from './plan.ts';
import { Rng } from './random.ts';

const DAY_MS = 86_400_000;
/** Every so many-th seed has lattices inside its dispatches, if it isn't another special one. */
const EVERY = 13;
const LEVELS = 3;

/** And as many dispatch again what they have dispatched. */
const hasInner = (seed: number): boolean => seed % EVERY === 6;
const isAgain = (seed: number): boolean => seed % EVERY === 10;

export function makePlan(seed: number): RunPlan {
  if (isLostParent(seed)) return lostParentPlan(seed);
  if (isContended(seed)) return contendedPlan(seed);
  const random = new Rng(seed, 'plan');
  const inner = hasInner(seed);
  const isolated = random.chance(inner ? 0.5 : 0.2);
  const agents = Array.from({ length: random.between(1, 4) }, (_, i) => ({
    slots: random.between(1, 4),
    local: i === 0 && random.chance(0.4),
  }));
  const again = isAgain(seed);
  const levels = inner ? LEVELS : again ? random.fork('levels').pick(0, 0, 1, 2) : 0;
  const dispatches = makeDispatches(random.fork('dispatches'), { levels, again });
  const redispatches = again ? { redispatches: makeRedispatches(random.fork('again'), dispatches) } : {};
  const faults = random.chance(inner || again ? 1 / 6 : 1 / 16)
    ? []
    : makeFaults(random.fork('faults'), agents.length, isolated);
  const embedded = random.chance(0.6);
  const flushMs = random.pick(0.5, 2, 8);
  return {
    seed,
    isolated,
    embedded,
    heartbeatMs: 1_000,
    leaseMs: 4_000,
    flushMs,
    agents,
    dispatches,
    ...redispatches,
    cancels: random.chance(0.4) ? makeCancels(random.fork('cancels'), dispatches, inner) : [],
    cancelled: random.chance(0.3) ? Array.from({ length: random.between(1, 4) }, () => random.between(1, 20)) : [],
    faults,
    ...(inner || again ? { crashes: makeCrashes(random.fork('crashes'), flushMs, again) } : {}),
  };
}

/** Kills between the records that begin and end a lattice inside, or that take a value over. */
function makeCrashes(random: Rng, flushMs: number, again: boolean): readonly CrashPoint[] {
  return Array.from({ length: random.pick(0, 1, 2, 3) }, () => ({
    record: again ? 'reused' : random.pick('begun', 'electron', 'electron', 'ended'),
    nth: random.between(1, 8),
    afterMs: random.chance(0.2) ? 0 : random.fraction() * 4 * flushMs,
    ms: random.between(50, 1_500),
  }));
}

function makeCancels(random: Rng, dispatches: readonly DispatchPlan[], inner: boolean): readonly CancelPlan[] {
  return Array.from({ length: random.between(1, 2) }, (): CancelPlan => {
    const dispatch = random.below(dispatches.length);
    const plan = dispatches[dispatch];
    const at = (plan?.at ?? 0) + random.below(random.pick(200, 2_000, 8_000));
    const inside = inner && random.chance(0.4) ? { inner: random.below(8) } : {};
    if (random.chance(0.4)) return { at, dispatch, ...inside };
    if (inside.inner !== undefined) return { at, dispatch, ...inside, nodes: [0] };
    return { at, dispatch, nodes: [random.below(plan?.nodes.length ?? 1)] };
  }).sort((a, b) => a.at - b.at);
}

function makeFaults(random: Rng, agents: number, isolated: boolean): readonly FaultPlan[] {
  const usable = faultKinds.filter((kind) => kind !== 'kill-results' || isolated);
  const kinds = new Set<FaultKind>();
  const wanted = random.between(3, 5);
  if (random.chance(0.6))
    kinds.add(
      oneOf(
        random,
        usable.filter((kind) => crashKinds.has(kind)),
      ),
    );
  while (kinds.size < wanted) kinds.add(oneOf(random, usable));
  const span = random.pick(500, 3_000, 8_000);
  return [...kinds]
    .flatMap((kind) => Array.from({ length: random.pick(1, 1, 1, 2) }, () => makeFault(random, kind, agents, span)))
    .sort((a, b) => a.at - b.at);
}

const oneOf = (random: Rng, kinds: readonly FaultKind[]): FaultKind => kinds[random.below(kinds.length)] ?? 'drop';

function makeFault(random: Rng, kind: FaultKind, agents: number, span: number): FaultPlan {
  const agent = agentName(random.below(agents));
  const at = random.below(span);
  const short = random.between(50, 2_500);
  const long = random.pick(short, random.between(3_000, 9_000));
  const fault = (ms: number, target: string, amount: number): FaultPlan => ({ kind, at, ms, target, amount });
  if (isNetFault(kind)) {
    const client = random.pick('', '', 'hub', agent);
    const rate = random.pick(0.05, 0.2, 0.5);
    return { ...fault(random.between(500, 6_000), client, rate) };
  }
  switch (kind) {
    case 'silence':
    case 'sever':
      return fault(long, random.pick('hub', agent, agent, agent), 0);
    case 'kill-agent':
    case 'cut-agent':
    case 'drain-agent':
      return fault(long, agent, 0);
    case 'twin-agent':
      return random.chance(0.5) ? fault(0, agent, 0) : fault(random.between(6_000, 9_000), agent, 0.8);
    case 'crash-attempt':
      return fault(0, agent, 0);
    case 'kill-hub':
    case 'cut-hub':
      return fault(random.pick(short, short, long), 'hub', 0);
    case 'skew-clock':
      return fault(short, random.pick('hub', agent), random.pick(-DAY_MS, DAY_MS, -3_000, 3_000));
    case 'slow-disk':
      return fault(random.between(500, 5_000), 'hub', random.pick(40, 300, 1_500));
    case 'crash-supervisor':
      return fault(0, '', random.fraction());
    case 'kill-results':
    case 'restart-broker':
    case 'fail-write':
      return fault(short, 'hub', 0);
  }
}

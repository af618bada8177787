/** Makes up the plan of a seed: graphs, electrons, agents, cancels, faults. Not here: what becomes of it (run.ts). */
import { NO_TIMEOUTS, type Input, type Timeouts } from '../../../model/graph.ts';
import { contendedPlan, isContended } from './contended.ts';
import { isLostParent, lostParentPlan } from './lost-parent.ts';
import {
  agentName,
  crashKinds,
  faultKinds,
  isNetFault,
  type CancelPlan,
  type DispatchPlan,
  type Does,
  type ElectronPlan,
  type FaultKind,
  type FaultPlan,
  type MapPlan,
  type NodePlan,
  type RunPlan,
} from './plan.ts';
import { Rng } from './random.ts';

const MOST_ELECTRONS = 200;
const DAY_MS = 86_400_000;

export function makePlan(seed: number): RunPlan {
  if (isLostParent(seed)) return lostParentPlan(seed);
  if (isContended(seed)) return contendedPlan(seed);
  const random = new Rng(seed, 'plan');
  const isolated = random.chance(0.2);
  const agents = Array.from({ length: random.between(1, 4) }, (_, i) => ({
    slots: random.between(1, 4),
    local: i === 0 && random.chance(0.4),
  }));
  const dispatches = makeDispatches(random.fork('dispatches'));
  const faults = random.chance(1 / 16) ? [] : makeFaults(random.fork('faults'), agents.length, isolated);
  return {
    seed,
    isolated,
    embedded: random.chance(0.6),
    heartbeatMs: 1_000,
    leaseMs: 4_000,
    flushMs: random.pick(0.5, 2, 8),
    agents,
    dispatches,
    cancels: random.chance(0.4) ? makeCancels(random.fork('cancels'), dispatches) : [],
    cancelled: random.chance(0.3) ? Array.from({ length: random.between(1, 4) }, () => random.between(1, 20)) : [],
    faults,
  };
}

function makeDispatches(random: Rng): readonly DispatchPlan[] {
  const dispatches: DispatchPlan[] = [];
  // Most seeds are small: what goes wrong with many mostly goes wrong with few, sooner.
  let left = random.chance(0.1) ? random.between(50, MOST_ELECTRONS) : random.between(1, 30);
  for (let count = random.between(1, 4); count > 0 && left > 0; count--) {
    const size = count === 1 ? left : random.between(1, left);
    left -= size;
    dispatches.push(makeDispatch(random.fork(`d${count}`), size, dispatches.length === 0 ? 0 : random.below(3_000)));
  }
  return dispatches;
}

function makeDispatch(random: Rng, size: number, at: number): DispatchPlan {
  const pace = size <= 8 && random.chance(0.1) ? 6_000 : random.pick(1, 1, 20, 200, size <= 40 ? 1_500 : 20);
  const nodes: NodePlan[] = [];
  const lists: number[] = [];
  for (let left = size; left > 0; left--) {
    const over = lists.length > 0 && random.chance(0.5) ? lists.shift() : undefined;
    if (over !== undefined) nodes.push(makeMap(random, over, nodes.length, pace));
    else {
      const electron = makeElectron(random, pace, parents(random, nodes.length), parents(random, nodes.length, 0.3));
      if (electron.does.list > 0) lists.push(nodes.length);
      nodes.push(electron);
    }
  }
  const output = random.some([...nodes.keys()], 0.3);
  return {
    at,
    strict: random.chance(0.3),
    failFast: random.chance(0.15),
    priority: random.below(2),
    timeoutMs: random.chance(0.05) ? random.between(2_000, 20_000) : 0,
    nodes,
    output: output.length === 0 ? [nodes.length - 1] : output,
  };
}

function parents(random: Rng, below: number, often = 0.8): number[] {
  const found = new Set<number>();
  if (below === 0) return [];
  // near ones make chains, far ones make fans
  for (let i = random.chance(often) ? random.between(1, 3) : 0; i > 0; i--)
    found.add(random.chance(0.6) ? below - 1 - random.below(Math.min(below, 3)) : random.below(below));
  return [...found].sort((a, b) => a - b);
}

function makeElectron(random: Rng, pace: number, inputs: readonly Input[], after: readonly number[]): ElectronPlan {
  const ms = Math.max(1, Math.round(pace * (0.5 + random.fraction())));
  const retries = random.chance(0.3) ? random.between(1, 3) : 0;
  const flaky = retries > 0 && random.chance(0.6);
  const fails = flaky ? random.between(1, retries) : random.chance(0.03) ? 1_000_000 : 0;
  const timeouts = makeTimeouts(random, ms);
  const does: Does = {
    ms,
    fails,
    signMs: timeouts.silenceMs > 0 && random.chance(0.5) ? Math.max(1, timeouts.silenceMs >> 1) : 0,
    list: random.chance(0.12) ? random.between(1, 4) : 0,
    large: random.chance(0.02),
    kills: random.chance(0.002),
    varies: random.chance(0.3),
  };
  return { kind: 'electron', does, inputs, after, retries, timeouts };
}

/** Most have none. Some are over in each run, some only when work queues or is lost. */
function makeTimeouts(random: Rng, ms: number): Timeouts {
  const attemptMs = random.chance(0.03) ? Math.max(5, ms >> 1) : 0;
  if (!random.chance(1 / 12)) return { ...NO_TIMEOUTS, attemptMs };
  const which = random.between(1, 7);
  return {
    attemptMs,
    queueMs: which & 1 ? random.pick(300, 3_000, 10_000) : 0,
    silenceMs: which & 2 ? Math.max(5, random.pick(ms >> 1, ms, 2 * ms)) : 0,
    totalMs: which & 4 ? random.pick(ms, 3 * ms, 3_000, 12_000) + 20 : 0,
  };
}

function makeMap(random: Rng, over: number, below: number, pace: number): MapPlan {
  // a stream of its own, so that seeds mean what they meant before
  const other = random.fork(`collects ${below}`);
  const collects = other.chance(0.3);
  const body: ElectronPlan[] = [];
  for (let width = random.between(1, 2); width > 0; width--) {
    const inputs: Input[] = [body.length > 0 ? body.length - 1 : { item: 0 }];
    if (random.chance(0.3)) inputs.push({ index: 0 });
    if (random.chance(0.3)) inputs.push({ up: 1, node: random.below(below) });
    const electron = makeElectron(random, pace, inputs, []);
    const fails = collects && other.chance(0.3) ? 1_000_000 : electron.does.fails;
    body.push({ ...electron, does: { ...electron.does, list: 0, large: false, fails } });
  }
  return {
    kind: 'map',
    over,
    after: parents(random, below, 0.2),
    concurrency: random.below(3),
    ...(collects ? { collects } : {}),
    body,
    output: body.length - 1,
  };
}

function makeCancels(random: Rng, dispatches: readonly DispatchPlan[]): readonly CancelPlan[] {
  return Array.from({ length: random.between(1, 2) }, (): CancelPlan => {
    const dispatch = random.below(dispatches.length);
    const plan = dispatches[dispatch];
    const at = (plan?.at ?? 0) + random.below(random.pick(200, 2_000, 8_000));
    if (random.chance(0.4)) return { at, dispatch };
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

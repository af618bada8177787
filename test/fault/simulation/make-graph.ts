/** Makes up the dispatches of a seed: graphs, what each electron does, the lattices inside. Not here: what goes wrong meanwhile (make-plan.ts). */
import { NO_TIMEOUTS, type Timeouts } from '../../../model/graph.ts';
import type { DispatchPlan, Does, ElectronPlan, GraphPlan, LatticePlan, MapPlan, NodePlan, PlanInput } from './plan.ts';
import type { Rng } from './random.ts';

const MOST_ELECTRONS = 200;
/** Electrons and lattices of a seed whose dispatches have lattices inside: each of those has more. */
const MOST_AROUND = 20;
const MOST_INSIDE = 4;
/** Of one that dispatches all of it again. */
const MOST_AGAIN = 12;

const ARGS = ['x', 'y'];

/** What holds for the nodes of a graph and of all inside it. */
interface Scope {
  readonly random: Rng;
  /** Ms that an electron takes, more or less. */
  readonly pace: number;
  /** Lattices may be inside each other so deep; 0: there are none. */
  readonly levels: number;
  /** They are inside a lattice. A map's list names what is large, so its items give nothing that is. */
  readonly inside: boolean;
  /** Values that came with the graph. */
  readonly args: number;
}

export interface Sort {
  /** Of lattices inside. */
  readonly levels: number;
  /** They are dispatched again: their graphs come with values, which may be others then. */
  readonly again: boolean;
}

export function makeDispatches(random: Rng, sort: Sort): readonly DispatchPlan[] {
  const dispatches: DispatchPlan[] = [];
  // Most seeds are small: what goes wrong with many mostly goes wrong with few, sooner.
  let left = random.chance(0.1) ? random.between(50, MOST_ELECTRONS) : random.between(1, 30);
  if (sort.levels > 0) left = Math.min(left, MOST_AROUND);
  if (sort.again) left = Math.min(left, MOST_AGAIN);
  for (let count = random.between(1, 4); count > 0 && left > 0; count--) {
    const size = count === 1 ? left : random.between(1, left);
    left -= size;
    const at = dispatches.length === 0 ? 0 : random.below(3_000);
    dispatches.push(makeDispatch(random.fork(`d${count}`), size, at, sort));
  }
  return dispatches;
}

function makeDispatch(random: Rng, size: number, at: number, { levels, again }: Sort): DispatchPlan {
  const alone = size <= 8 && random.chance(0.1) ? 6_000 : random.pick(1, 1, 20, 200, size <= 40 ? 1_500 : 20);
  // what is inside others comes one after the other
  const pace = levels > 0 || again ? Math.min(alone, random.pick(20, 200, 1_000)) : alone;
  const nodes = makeNodes({ random, pace, levels, inside: false, args: again ? ARGS.length : 0 }, size);
  const output = random.some([...nodes.keys()], 0.3);
  return {
    at,
    strict: random.chance(levels > 0 ? 0.5 : 0.3),
    failFast: random.chance(0.15),
    priority: random.below(2),
    timeoutMs: random.chance(0.05) ? random.between(2_000, 20_000) : 0,
    nodes,
    output: output.length === 0 ? [nodes.length - 1] : output,
    ...(again ? { args: ARGS, codes: random.chance(0.5) } : {}),
  };
}

function makeNodes(scope: Scope, size: number): readonly NodePlan[] {
  const { random, levels } = scope;
  const nodes: NodePlan[] = [];
  const lists: number[] = [];
  for (let left = size; left > 0; left--) {
    const over = lists.length > 0 && random.chance(0.5) ? lists.shift() : undefined;
    if (over !== undefined) nodes.push(makeMap(scope, over, nodes.length));
    else if (levels > 0 && random.chance(0.35))
      nodes.push(...makeLattice(scope, nodes.length, inputsFor(scope, nodes.length)));
    else {
      const inputs = inputsFor(scope, nodes.length);
      nodes.push(makeElectron(scope, inputs, parents(random, nodes.length, 0.3)));
    }
    if (givesList(nodes, nodes.length - 1)) lists.push(nodes.length - 1);
  }
  return nodes;
}

function givesList(nodes: readonly NodePlan[], at: number): boolean {
  const node = nodes[at];
  if (node?.kind === 'electron') return node.does.list > 0;
  const graph = node?.kind === 'lattice' ? graphOf(nodes, node) : undefined;
  return graph !== undefined && givesList(graph.nodes, graph.output);
}

/** What a lattice of this scope runs. */
export function graphOf(scope: readonly NodePlan[], { graph }: LatticePlan): GraphPlan | undefined {
  if (typeof graph !== 'number') return graph;
  const drawing = scope[graph];
  return drawing?.kind === 'electron' ? drawing.does.draws : undefined;
}

/** Drawn by an electron before it, or known. */
function makeLattice(scope: Scope, below: number, inputs: readonly PlanInput[]): readonly NodePlan[] {
  const { random } = scope;
  const after = parents(random, below, 0.3);
  const draws = random.chance(0.6);
  const levels = scope.levels - 1;
  const inner = { ...scope, levels, inside: true, args: draws ? inputs.length + 1 : 1 };
  const nodes = makeNodes(inner, random.between(1, MOST_INSIDE));
  const graph: GraphPlan = { nodes, output: random.chance(0.7) ? nodes.length - 1 : random.below(nodes.length) };
  if (!draws) return [{ kind: 'lattice', graph, after }];
  const electron = makeElectron(scope, inputs, []);
  const drawing = { ...electron, does: { ...electron.does, list: 0, large: false, draws: graph } };
  return [drawing, { kind: 'lattice', graph: below, after }];
}

function inputsFor({ random, args }: Scope, below: number): readonly PlanInput[] {
  const inputs: PlanInput[] = parents(random, below);
  return args > 0 && random.chance(0.5) ? [...inputs, { arg: random.below(args) }] : inputs;
}

function parents(random: Rng, below: number, often = 0.8): number[] {
  const found = new Set<number>();
  if (below === 0) return [];
  // near ones make chains, far ones make fans
  for (let i = random.chance(often) ? random.between(1, 3) : 0; i > 0; i--)
    found.add(random.chance(0.6) ? below - 1 - random.below(Math.min(below, 3)) : random.below(below));
  return [...found].sort((a, b) => a - b);
}

function makeElectron(
  { random, pace, inside }: Scope,
  inputs: readonly PlanInput[],
  after: readonly number[],
): ElectronPlan {
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
    large: random.chance(0.02) && !inside,
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

function makeMap(scope: Scope, over: number, below: number): MapPlan {
  const { random, levels } = scope;
  // a stream of its own, so that seeds mean what they meant before
  const other = random.fork(`collects ${below}`);
  const collects = other.chance(0.3);
  const body: (ElectronPlan | LatticePlan)[] = [];
  for (let width = random.between(1, 2); width > 0; width--) {
    const inputs: PlanInput[] = [body.length > 0 ? body.length - 1 : { item: 0 }];
    if (random.chance(0.3)) inputs.push({ index: 0 });
    if (random.chance(0.3)) inputs.push({ up: 1, node: random.below(below) });
    const electron = makeElectron(scope, inputs, []);
    const fails = collects && other.chance(0.3) ? 1_000_000 : electron.does.fails;
    body.push({ ...electron, does: { ...electron.does, list: 0, large: false, fails } });
  }
  if (levels > 0 && random.chance(0.4)) {
    // a map that collects tells an item's error only of what its value needs
    const inside = makeLattice(scope, body.length, [body.length - 1]).map((node) => ({
      ...node,
      after: [body.length - 1],
    }));
    for (const node of inside) if (node.kind !== 'map') body.push(node);
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

/** Makes a failing plan smaller while it still fails: fewer faults, cancels, dispatches, agents, electrons. */
import { NO_TIMEOUTS } from '../../../model/graph.ts';
import type { DispatchPlan, GraphPlan, NodePlan, RunPlan } from './plan.ts';

/** Runs that a shrink may take. */
const MOST_RUNS = 400;

/** `stillFails` runs a plan. */
export async function shrink(plan: RunPlan, stillFails: (smaller: RunPlan) => Promise<boolean>): Promise<RunPlan> {
  let best = plan;
  let runs = 0;
  const smallerThan = async (large: RunPlan): Promise<RunPlan | undefined> => {
    for (const smaller of smallerPlans(large)) {
      if (runs++ >= MOST_RUNS) return undefined;
      if (await stillFails(smaller)) return smaller;
    }
    return undefined;
  };
  for (let next: RunPlan | undefined = plan; next !== undefined; next = await smallerThan(best)) best = next;
  return best;
}

/** The boldest cuts first. */
function* smallerPlans(plan: RunPlan): Generator<RunPlan> {
  const { faults, cancels, dispatches, agents, crashes = [], redispatches = [] } = plan;
  for (const cut of cuts(faults.length)) yield { ...plan, faults: without(faults, cut) };
  for (const cut of cuts(crashes.length)) yield { ...plan, crashes: without(crashes, cut) };
  // one may be of another before it
  if (redispatches.length > 0) yield { ...plan, redispatches: redispatches.slice(0, -1) };
  for (const [i, again] of redispatches.entries())
    if (again.replace.length > 0) yield { ...plan, redispatches: redispatches.with(i, { ...again, replace: [] }) };
  if (dispatches.length > 1 && redispatches.length === 0)
    for (let i = 0; i < dispatches.length; i++)
      yield {
        ...plan,
        dispatches: dispatches.filter((_, at) => at !== i),
        cancels: cancels.flatMap((cancel) =>
          cancel.dispatch === i ? [] : [{ ...cancel, dispatch: cancel.dispatch - (cancel.dispatch > i ? 1 : 0) }],
        ),
      };
  for (const cut of cuts(cancels.length)) yield { ...plan, cancels: without(cancels, cut) };
  for (const cut of cuts(plan.cancelled.length)) yield { ...plan, cancelled: without(plan.cancelled, cut) };
  if (agents.length > 1) yield { ...plan, agents: agents.slice(0, -1) };
  if (plan.isolated) yield { ...plan, isolated: false, faults: faults.filter(({ kind }) => kind !== 'kill-results') };
  for (const [i, dispatch] of dispatches.entries())
    for (const smaller of smallerDispatches(dispatch)) yield { ...plan, dispatches: dispatches.with(i, smaller) };
}

function* smallerDispatches(dispatch: DispatchPlan): Generator<DispatchPlan> {
  for (const { nodes, length } of smallerNodes(dispatch.nodes)) {
    const left = dispatch.output.filter((node) => node < length);
    yield { ...dispatch, nodes, output: left.length === 0 ? [length - 1] : left };
  }
}

function* smallerGraphs(graph: GraphPlan): Generator<GraphPlan> {
  for (const { nodes, length } of smallerNodes(graph.nodes))
    yield { nodes, output: Math.min(graph.output, length - 1) };
}

function* smallerNodes(
  nodes: readonly NodePlan[],
): Generator<{ readonly nodes: readonly NodePlan[]; readonly length: number }> {
  for (const length of new Set([nodes.length >> 1, nodes.length - 1]))
    if (length >= 1 && length < nodes.length) yield { nodes: nodes.slice(0, length), length };
  for (const [i, node] of nodes.entries())
    for (const smaller of plainer(node)) yield { nodes: nodes.with(i, smaller), length: nodes.length };
}

/** The same node with less inside, without what it waits for, or without its times. */
function* plainer(node: NodePlan): Generator<NodePlan> {
  if (node.kind === 'lattice' && typeof node.graph === 'object')
    for (const graph of smallerGraphs(node.graph)) yield { ...node, graph };
  if (node.kind === 'electron' && node.does.draws !== undefined)
    for (const draws of smallerGraphs(node.does.draws)) yield { ...node, does: { ...node.does, draws } };
  if (node.after.length > 0) yield { ...node, after: [] };
  else if (node.kind !== 'electron') return;
  else if (node.inputs.length > 1) yield { ...node, inputs: node.inputs.slice(0, 1) };
  else if (Object.values(node.timeouts).some((ms) => ms > 0)) yield { ...node, timeouts: NO_TIMEOUTS };
}

/** Halves, quarters … single ones, as [from, to). */
function* cuts(length: number): Generator<readonly [number, number]> {
  for (let size = length; size >= 1; size >>= 1)
    for (let from = 0; from < length; from += size) yield [from, Math.min(length, from + size)];
}
const without = <T>(list: readonly T[], [from, to]: readonly [number, number]): T[] => [
  ...list.slice(0, from),
  ...list.slice(to),
];

/** Makes a failing plan smaller while it still fails: fewer faults, cancels, dispatches, agents, electrons. */
import { NO_TIMEOUTS } from '../../../model/graph.ts';
import type { DispatchPlan, NodePlan, RunPlan } from './plan.ts';

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
  const { faults, cancels, dispatches, agents } = plan;
  for (const cut of cuts(faults.length)) yield { ...plan, faults: without(faults, cut) };
  if (dispatches.length > 1)
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
  const { nodes, output } = dispatch;
  for (const length of new Set([nodes.length >> 1, nodes.length - 1])) {
    if (length < 1 || length >= nodes.length) continue;
    const left = output.filter((node) => node < length);
    yield { ...dispatch, nodes: nodes.slice(0, length), output: left.length === 0 ? [length - 1] : left };
  }
  for (const [i, node] of nodes.entries()) {
    const plain = plainer(node);
    if (plain !== undefined) yield { ...dispatch, nodes: nodes.with(i, plain) };
  }
}

/** The same electron without what it waits for, or without its times. */
function plainer(node: NodePlan): NodePlan | undefined {
  if (node.kind === 'map') return node.after.length > 0 ? { ...node, after: [] } : undefined;
  if (node.after.length > 0) return { ...node, after: [] };
  if (node.inputs.length > 1) return { ...node, inputs: node.inputs.slice(0, 1) };
  if (Object.values(node.timeouts).some((ms) => ms > 0)) return { ...node, timeouts: NO_TIMEOUTS };
  return undefined;
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

/** Makes up what is dispatched again: after the end or before, with electrons replaced, with other arguments. Not here: what the first dispatches are (make-graph.ts). */
import { NO_TIMEOUTS } from '../../../model/graph.ts';
import type { DispatchPlan, ElectronPlan, RedispatchPlan } from './plan.ts';
import type { Rng } from './random.ts';

/** One is as before. */
const ARGS = ['x', 'z'];

export function makeRedispatches(random: Rng, dispatches: readonly DispatchPlan[]): readonly RedispatchPlan[] {
  const made: RedispatchPlan[] = [];
  /** Of each: the dispatch whose graph it has; undefined when that was drawn anew. */
  const graphs: (number | undefined)[] = [...dispatches.keys()];
  for (let count = random.between(1, 3); count > 0; count--) {
    const of = random.below(random.chance(0.7) ? dispatches.length : graphs.length);
    const graph = graphs[of];
    const anew = random.chance(0.3);
    const names = graph === undefined ? [] : electronsOf(dispatches[graph], `d${graph}`);
    const replaced = random.chance(0.6)
      ? names.filter(({ electron: { does } }) => random.chance(does.fails > 3 ? 0.7 : 0.1))
      : [];
    made.push({
      at: random.below(random.pick(500, 4_000, 10_000)),
      of,
      ended: random.chance(0.6),
      reuse: random.chance(0.8),
      replace: replaced.map(({ name, electron }) => ({ name, electron: another(random, electron) })),
      ...(anew ? { args: ARGS } : {}),
    });
    graphs.push(anew ? undefined : graph);
  }
  return made;
}

/** Those of the graph itself that draw nothing. */
function electronsOf(plan: DispatchPlan | undefined, names: string): readonly RedispatchPlan['replace'][number][] {
  return (plan?.nodes ?? []).flatMap((node, at) => {
    const body = node.kind === 'map' ? node.body : [node];
    return body.flatMap((electron, local) => {
      if (electron.kind !== 'electron' || electron.does.draws !== undefined) return [];
      return [{ name: `${names}e${at}${node.kind === 'map' ? `b${local}` : ''}`, electron }];
    });
  });
}

/** It succeeds, mostly, and gives another value. */
function another(random: Rng, electron: ElectronPlan): ElectronPlan {
  const { does } = electron;
  const fails = random.chance(0.1) ? 1 : 0;
  return { ...electron, does: { ...does, fails, ms: Math.max(1, does.ms >> 1) }, timeouts: NO_TIMEOUTS };
}

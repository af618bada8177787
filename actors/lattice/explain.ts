/** Which nodes of a dispatch wait for which others. Pure. Not here: what ready ones wait for (actors/matchmaker/why.ts). */
import { inputsOf } from '../../model/graph.ts';
import { isTerminalElectron } from '../../model/lifecycle.ts';
import type { DispatcherMessage, LatticeMessage } from '../../bus/protocol/actors.ts';
import { WhyGroups, type Waits } from '../why-groups.ts';
import type { LatticeState } from './state.ts';

/** Groups that are told. */
const MOST = 200;
/** Nodes that are looked at: a look takes about a microsecond, and the hub does nothing else meanwhile. */
const LOOKED_AT = 200_000;

type Explain = Extract<LatticeMessage, { type: 'lattice.explain' }>;
type Explained = Extract<DispatcherMessage, { type: 'lattice.explained' }>;

export function explained(state: LatticeState | undefined, { request, node, name }: Explain): Explained {
  const waits = state === undefined ? [] : waitsOf(state, node);
  const names = [...name, ...waits.flatMap(({ first }) => first)].map(
    (one) => [one, state?.plan.nameOf(one) ?? ''] as const,
  );
  return { type: 'lattice.explained', request, waits, names };
}

/** `only`: of one node. */
function waitsOf(state: LatticeState, only?: number): readonly Waits[] {
  const groups = new WhyGroups();
  const { size } = state.plan;
  const [from, to] = only === undefined ? [0, Math.min(size, LOOKED_AT)] : [only, Math.min(size, only + 1)];
  for (let node = from; node < to; node++) {
    if (state.status(node) !== 'waiting') continue;
    const parent = openParentOf(state, node);
    if (parent !== undefined) {
      const name = (): string => state.plan.nameOf(parent);
      groups.add(`${parent}`, () => ({ kind: 'parent', node: parent, name: name(), status: state.status(parent) }), [
        node,
      ]);
      continue;
    }
    const { map } = state.plan.place(node).region;
    const wire = map < 0 ? undefined : state.plan.place(map).node;
    if (wire?.kind !== 'map' || isTerminalElectron(state.status(map))) continue;
    const limit = wire.concurrency;
    groups.add(`map ${map}`, () => ({ kind: 'map', node: map, name: state.plan.nameOf(map), limit }), [node]);
  }
  return groups.list(MOST);
}

/** The first that it waits for. */
function openParentOf(state: LatticeState, node: number): number | undefined {
  const place = state.plan.place(node);
  const parents = [...place.node.after, ...inputsOf(place.node)].flatMap((input) => {
    const source = state.plan.source(place, input);
    return 'node' in source ? [source.node] : [];
  });
  return parents.find((parent) => !isTerminalElectron(state.status(parent)));
}

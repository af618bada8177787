/** What is said of a map whose value turned out to be no array: which map, where it was written, whose value. Pure. */
import { IDENTITY_ELECTRON } from '../../model/graph.ts';
import type { ErrorInfo } from '../../model/outcome.ts';
import type { Plan } from '../../model/plan.ts';

/** A map as errors name it: `map "train" (flow.ts:12)`. */
export function mapLabel(plan: Plan, map: number): string {
  const { node } = plan.place(map);
  const at = node.kind === 'map' && node.at !== undefined ? ` (${node.at})` : '';
  return `map "${plan.nameOf(map)}"${at}`;
}

export function notAnArray(plan: Plan, map: number): ErrorInfo {
  const place = plan.place(map);
  const source = place.node.kind === 'map' ? plan.source(place, place.node.over) : undefined;
  const by = source !== undefined && 'node' in source ? source.node : undefined;
  // a path into a value goes by way of the identity electron, which the user hasn't written
  const named = by !== undefined && plan.plainNameOf(by) !== IDENTITY_ELECTRON ? ` of "${plan.nameOf(by)}"` : '';
  return {
    code: 'MAP_ARG',
    message: `${mapLabel(plan, map)}: the value${named} that it runs over is not an array`,
  };
}

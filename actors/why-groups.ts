/** Puts electrons that wait for the same together. Pure. */
import { NAMED, type Why } from '../bus/protocol/why.ts';

/** Electrons that wait for the same: how many, and the first of them. */
export interface Waits {
  readonly why: Why;
  readonly electrons: number;
  readonly first: readonly number[];
}

export class WhyGroups {
  readonly #groups = new Map<string, { why: Why; electrons: number; first: number[] }>();

  /** `what`: names the reason; electrons of one name are one group. */
  add(what: string, why: () => Why, nodes: readonly number[], electrons = nodes.length): void {
    let group = this.#groups.get(what);
    if (group === undefined) this.#groups.set(what, (group = { why: why(), electrons: 0, first: [] }));
    group.electrons += electrons;
    for (const node of nodes) {
      if (group.first.length === NAMED) break;
      group.first.push(node);
    }
  }

  /** The largest first. */
  list(most: number): readonly Waits[] {
    return [...this.#groups.values()].sort((a, b) => b.electrons - a.electrons).slice(0, most);
  }
}

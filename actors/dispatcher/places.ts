/**
 * Where a node stands in a dispatch, by names: the second `load` in item 3 of the first map `m`. What comes or goes beside it changes nothing, so the node of another dispatch
 * that stands there can be found. Pure. Not here: places by number, which an id is made of (model/plan.ts).
 */
import type { WireNode } from '../../model/graph.ts';
import type { Plan } from '../../model/plan.ts';
import type { ReplacedElectrons } from '../../model/replaced.ts';

/** In one scope: which of its nodes, in which item of the map around it. */
interface Step {
  readonly label: string;
  readonly item: number;
}

/** From outside in. */
export type Steps = readonly Step[];

interface Scope {
  readonly labels: readonly string[];
  readonly byLabel: ReadonlyMap<string, number>;
}

export class Places {
  readonly #plan: Plan;
  readonly #scopes = new Map<readonly WireNode[], Scope>();
  /** What the lattice calls them, by the names that they have. */
  readonly #called = new Map<string, string>();

  /** `replaced`: one that stands for another stands where that one does. */
  constructor(plan: Plan, replaced: ReplacedElectrons = {}) {
    this.#plan = plan;
    for (const [name, { def }] of Object.entries(replaced))
      if (!this.#called.has(def.name)) this.#called.set(def.name, name);
  }

  stepsOf(node: number): Steps {
    const steps: Step[] = [];
    for (let id = node; id >= 0; ) {
      const { region, item, local } = this.#plan.place(id);
      steps.unshift({ label: this.#scopeOf(region.nodes).labels[local] ?? '', item });
      id = region.map;
    }
    return steps;
  }

  /** The node that stands there, of whatever kind. */
  find(steps: Steps): number | undefined {
    let region: ReturnType<Plan['root']> | undefined = this.#plan.root();
    let node: number | undefined;
    for (const { label, item } of steps) {
      if (region === undefined || item >= region.items) return undefined;
      const local = this.#scopeOf(region.nodes).byLabel.get(label);
      if (local === undefined) return undefined;
      node = region.base + item * region.nodes.length + local;
      region = this.#plan.regionOf(node);
    }
    return node;
  }

  #scopeOf(nodes: readonly WireNode[]): Scope {
    let scope = this.#scopes.get(nodes);
    if (scope === undefined) {
      const seen = new Map<string, number>();
      const labels = nodes.map((node) => {
        const name = this.#nameOf(node);
        const nth = seen.get(name) ?? 0;
        seen.set(name, nth + 1);
        return `${name} ${nth}`;
      });
      scope = { labels, byLabel: new Map(labels.map((label, local) => [label, local])) };
      this.#scopes.set(nodes, scope);
    }
    return scope;
  }

  #nameOf(node: WireNode): string {
    if (node.kind !== 'electron') return node.name;
    const { name = '' } = this.#plan.graph.electrons[node.electron] ?? {};
    return this.#called.get(name) ?? name;
  }
}

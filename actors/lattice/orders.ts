/** What a dispatch's electrons have in common, and the order to work on one: manifest, requirement, resolved inputs. */
import type { MatchmakerMessage, Requirement } from '../../bus/protocol/actors.ts';
import type { Manifest } from '../../bus/protocol/agent.ts';
import type { DispatchSpec } from '../../bus/protocol/results.ts';
import { ReuseKeys } from '../../bus/reuse-key.ts';
import { PolaronError } from '../../model/errors.ts';
import type { ElectronDef } from '../../model/graph.ts';
import type { ValueInfo } from '../../model/outcome.ts';
import { isTimed } from '../../model/timeouts.ts';
import { taskIdOf, type Digest, type TaskId } from '../../model/ids.ts';
import { requirementOf } from '../requirement.ts';
import type { ElectronWork } from '../services.ts';
import type { Address } from '../system.ts';
import { rootOf } from './inner.ts';
import { largeInputs, resolveInputs } from './inputs.ts';
import type { LatticeState } from './state.ts';

type MatchRequest = Extract<MatchmakerMessage, { type: 'match.request' }>;

/** Nodes of one definition. */
interface Group {
  readonly nodes: number[];
  readonly large: (readonly [node: number, values: readonly ValueInfo[]])[];
}

export class Orders {
  readonly #spec: DispatchSpec;
  readonly #state: LatticeState;
  readonly #addressOf: (task: TaskId) => Address;
  readonly #manifest: Manifest;
  /** Of electrons whose code is in another bundle. */
  readonly #others: ReadonlyMap<string, Manifest> | undefined;
  readonly #literals: ReadonlyMap<string, ValueInfo>;
  /** Of those with `cache`. */
  #keys: ReuseKeys | undefined;
  readonly #requirements = new Map<ElectronDef, Requirement>();
  readonly #anyTimed: boolean;

  /** `addressOf`: where a task's electron actor is. */
  constructor(spec: DispatchSpec, state: LatticeState, addressOf: (task: TaskId) => Address) {
    this.#spec = spec;
    this.#addressOf = addressOf;
    this.#state = state;
    this.#anyTimed = state.plan.graph.electrons.some(({ timeouts }) => isTimed(timeouts));
    this.#literals = new Map(spec.literals.map((value) => [value.digest, value]));
    this.#manifest = {
      dispatch: spec.id,
      user: spec.user,
      lattice: spec.lattice.name,
      ...(Object.keys(spec.metadata).length === 0 ? {} : { metadata: spec.metadata }),
      ...(spec.bundle === undefined ? {} : { bundle: spec.bundle }),
      argv: spec.argv,
      captures: spec.captures,
      expiresAt: 0,
      strict: spec.durability === 'strict',
    };
    if (spec.replaced === undefined) return;
    const others = new Map<string, Manifest>();
    for (const { def, bundle } of Object.values(spec.replaced))
      if (bundle !== undefined) others.set(def.name, { ...this.#manifest, bundle });
    this.#others = others;
  }

  /** `made` is told of values that the hub makes itself: positions in a map. Raises VALUE_MISSING. */
  work(node: number, made: (value: ValueInfo, bytes: Uint8Array) => void): ElectronWork {
    const place = this.#state.plan.place(node);
    if (place.node.kind !== 'electron')
      throw new PolaronError('SUPERVISOR_FAILED', `node ${node} is a map and can't be assigned`);
    const { electron, inputs, template, split } = place.node;
    const def = this.#def(electron);
    const name = this.#state.plan.nameOf(node);
    const resolved = resolveInputs(this.#state, name, place, inputs, template, this.#literals, made);
    const task = taskIdOf(this.#spec.id, node);
    return {
      task,
      address: this.#addressOf(task),
      dispatch: this.#spec.id,
      user: this.#spec.user,
      node,
      name,
      path: place.region.map < 0 ? undefined : this.#state.plan.pathOf(node),
      def,
      manifest: this.#manifestOf(def),
      requirement: this.#requirement(def),
      priority: this.#spec.priority,
      root: rootOf(this.#spec),
      template,
      inputs: resolved.infos,
      inputsDigest: resolved.digest,
      split: split === true,
      strict: this.#manifest.strict,
      cacheKey: def.cache === undefined ? undefined : this.#keyOf(node),
    };
  }

  /** The hub judges how long it waits, or how long all of it takes. */
  isTimed(node: number): boolean {
    if (!this.#anyTimed) return false;
    const wire = this.#state.plan.place(node).node;
    return wire.kind === 'electron' && isTimed(this.#def(wire.electron).timeouts);
  }

  /** What these nodes ask of the matchmaker, those that ask for the same together. */
  requests(nodes: readonly number[], resumed: boolean): readonly MatchRequest[] {
    const groups = new Map<ElectronDef, Group>();
    for (const node of nodes) {
      const place = this.#state.plan.place(node);
      const wire = place.node;
      if (wire.kind !== 'electron') continue;
      const def = this.#def(wire.electron);
      let group = groups.get(def);
      if (group === undefined) groups.set(def, (group = { nodes: [], large: [] }));
      group.nodes.push(node);
      const large = largeInputs(this.#state, place, wire.inputs, this.#literals);
      if (large !== undefined) group.large.push([node, large]);
    }
    const { id: dispatch, priority, user } = this.#spec;
    const root = rootOf(this.#spec);
    return Array.from(groups, ([def, group]) => {
      const { bundle } = this.#manifestOf(def);
      return {
        type: 'match.request' as const,
        dispatch,
        nodes: group.nodes,
        requirement: this.#requirement(def),
        priority,
        user,
        root,
        resumed,
        ...(bundle === undefined ? {} : { bundle }),
        ...(group.large.length === 0 ? {} : { large: group.large }),
      };
    });
  }

  #manifestOf(def: ElectronDef): Manifest {
    return this.#others?.get(def.name) ?? this.#manifest;
  }

  #keyOf(node: number): Digest | undefined {
    this.#keys ??= new ReuseKeys(this.#spec, this.#state);
    return this.#keys.of(node);
  }

  #def(index: number): ElectronDef {
    const def = this.#state.plan.graph.electrons[index];
    if (def === undefined) throw new PolaronError('GRAPH_INVALID', `there is no electron definition ${index}`);
    return def;
  }

  #requirement(def: ElectronDef): Requirement {
    let requirement = this.#requirements.get(def);
    if (requirement === undefined) {
      requirement = requirementOf(def, this.#spec.user);
      this.#requirements.set(def, requirement);
    }
    return requirement;
  }
}

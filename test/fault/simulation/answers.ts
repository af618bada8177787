/**
 * The right value of every node of a dispatch, whatever happened to it, worked out from its graph, the attempts that count, and what it may have taken over from
 * another dispatch. Not here: what an electron gives (program.ts).
 */
import { encodeList, listElement, listLength } from '../../../bus/value/list.ts';
import { encodeValue } from '../../../bus/value/value.ts';
import { digestOf } from '../../../bus/value/digest.ts';
import { FULFILLED, REJECTED, withContent } from '../../../bus/value/settled.ts';
import type { ErrorInfo, Token } from '../../../model/outcome.ts';
import type { Plan } from '../../../model/plan.ts';
import { reasonOf } from '../../../model/reason.ts';
import type { ElectronPlan } from './plan.ts';
import { callOf, valueOf } from './program.ts';
import { BrokenPromise } from './promise.ts';

/** One dispatch as the disk has it. */
export interface Known {
  /** With the maps expanded. */
  readonly plan: Plan;
  /** The attempt that counts. */
  token(node: number): Token | undefined;
  /** Why a node ended by itself without a value. */
  error(node: number): ErrorInfo | undefined;
  /** The digest of a value that was taken over. */
  reused(node: number): string | undefined;
  /** The dispatch of a lattice's node. */
  inner(node: number): Known | undefined;
}

/** Values by call and digest: those of an old dispatch. */
export type Taken = ReadonlyMap<string, ReadonlyMap<string, Uint8Array>>;

export interface AnswersOptions {
  readonly does: ReadonlyMap<string, ElectronPlan>;
  /** What stands for the electron of this name. */
  readonly called: (name: string) => string;
  /** What may be taken over. */
  readonly taken: Taken;
}

export class Answers {
  readonly #of: Known;
  readonly #o: AnswersOptions;
  readonly #values: ReadonlyMap<string, Uint8Array>;
  readonly #known = new Map<number, Uint8Array>();
  readonly #inside = new Map<number, Answers>();

  /** `values`: those that the graph names. */
  constructor(of: Known, options: AnswersOptions, values: ReadonlyMap<string, Uint8Array>) {
    this.#of = of;
    this.#o = options;
    this.#values = values;
  }

  /** Raises BrokenPromise for a value that was taken over from nobody. */
  of(id: number): Uint8Array {
    let value = this.#known.get(id);
    if (value === undefined) this.#known.set(id, (value = this.#make(id)));
    return value;
  }

  /** What a lattice's node runs: the list that was drawn, or known. */
  graphOf(id: number): Uint8Array {
    const place = this.#of.plan.place(id);
    if (place.node.kind !== 'lattice') throw new Error(`node ${id} is no lattice`);
    const source = this.#of.plan.source(place, place.node.graph);
    if ('digest' in source) return this.#value(source.digest);
    if ('node' in source) return this.of(source.node);
    throw new Error('plans draw lattices by nodes');
  }

  /** Of the dispatch of a lattice's node. */
  inside(id: number): Answers {
    let answers = this.#inside.get(id);
    if (answers !== undefined) return answers;
    const inner = this.#of.inner(id);
    if (inner === undefined) throw new Error(`the lattice ${id} never began`);
    answers = new Answers(inner, this.#o, valuesIn(this.graphOf(id)));
    this.#inside.set(id, answers);
    return answers;
  }

  /** Of an item that has no value the first of its nodes that failed or was cancelled says why. */
  #settled(output: number): Uint8Array {
    const { plan } = this.#of;
    const { region, item } = plan.place(output);
    const first = region.base + item * region.nodes.length;
    for (let id = first; id < first + region.nodes.length; id++) {
      const error = this.#of.error(id);
      if (error === undefined) continue;
      const reason = reasonOf({ node: plan.nameOf(id), error });
      return withContent(REJECTED, encodeValue(reason, 'reason'));
    }
    return withContent(FULFILLED, this.of(output));
  }

  /** What an electron is called with; its inputs have values. */
  callOf(id: number): string {
    return callOf(this.#o.called(this.#nameOf(id)), this.#inputsOf(id));
  }

  #value(digest: string): Uint8Array {
    const value = this.#values.get(digest);
    if (value === undefined) throw new Error(`the value ${digest} came with no graph`);
    return value;
  }

  #nameOf(id: number): string {
    const { node } = this.#of.plan.place(id);
    if (node.kind !== 'electron') throw new Error(`node ${id} is no electron`);
    return this.#of.plan.graph.electrons[node.electron]?.name ?? '';
  }

  #make(id: number): Uint8Array {
    const { plan } = this.#of;
    const { node } = plan.place(id);
    if (node.kind === 'map') {
      const region = plan.regionOf(id);
      if (region === undefined) throw new Error(`map ${id} was never expanded`);
      const outputs = Array.from({ length: region.items }, (_, item) => plan.outputOf(region, item));
      return encodeList(
        outputs.map((output) => (node.onItemError === 'fail' ? this.of(output) : this.#settled(output))),
      );
    }
    if (node.kind === 'lattice') {
      const [output] = this.#of.inner(id)?.plan.graph.output.inputs ?? [];
      if (typeof output !== 'number') throw new Error(`the lattice ${id} gives no node's value`);
      return this.inside(id).of(output);
    }
    const reused = this.#of.reused(id);
    if (reused !== undefined) {
      const value = this.#o.taken.get(this.callOf(id))?.get(reused);
      if (value !== undefined) return value;
      throw new BrokenPromise('reused', `${plan.nameOf(id)} (${id}) took ${reused} over, which no equal call gave`);
    }
    const called = this.#o.called(this.#nameOf(id));
    const does = this.#o.does.get(called)?.does;
    if (does === undefined) throw new Error(`no electron is called ${called}`);
    return valueOf(called, does, this.#inputsOf(id), this.#of.token(id));
  }

  #inputsOf(id: number): readonly Uint8Array[] {
    const { plan } = this.#of;
    const place = plan.place(id);
    return (place.node.kind === 'electron' ? place.node.inputs : []).map((input) => {
      const source = plan.source(place, input);
      if ('node' in source) return this.of(source.node);
      if ('index' in source) return encodeValue(source.index, 'index');
      if ('digest' in source) return this.#value(source.digest);
      const map = plan.place(source.map);
      if (map.node.kind !== 'map') throw new Error(`node ${source.map} is no map`);
      const over = plan.source(map, map.node.over);
      if (!('node' in over)) throw new Error('plans map over nodes');
      return listElement(this.of(over.node), source.item);
    });
  }
}

/** Values behind a drawn graph and its arguments. */
function valuesIn(list: Uint8Array): ReadonlyMap<string, Uint8Array> {
  const values = Array.from({ length: listLength(list) - 2 }, (_, i) => listElement(list, i + 2));
  return new Map(values.map((bytes) => [digestOf(bytes), bytes]));
}

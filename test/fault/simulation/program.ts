/**
 * What the electrons of a plan give: a pure function of an electron's name, its inputs and, for some, the attempt, so that every right value is known.
 * Also the graph that is dispatched. Not here: when they run (sim-executor.ts).
 */
import { digestOf } from '../../../bus/value/digest.ts';
import { encodeList, listElement } from '../../../bus/value/list.ts';
import { FULFILLED, REJECTED, withContent } from '../../../bus/value/settled.ts';
import { encodeValue } from '../../../bus/value/value.ts';
import type { ElectronDef, Timeouts, WireGraph, WireNode } from '../../../model/graph.ts';
import type { ErrorInfo, Token } from '../../../model/outcome.ts';
import { reasonOf } from '../../../model/reason.ts';
import type { Plan } from '../../../model/plan.ts';
import type { AttemptTimeout } from '../../../model/timeouts.ts';
import type { DispatchPlan, Does, ElectronPlan, RunPlan } from './plan.ts';

/** Over what a message carries with an outcome, and over what the store keeps among its records. */
const LARGE_TEXT = 'x'.repeat(70_000);
const template = Uint8Array.of(0x90);

export const bundle = Buffer.from('the code of every electron');

/** `token`: of the attempt, for electrons whose value varies with it. */
export function valueOf(name: string, does: Does, inputs: readonly Uint8Array[], token: Token | undefined): Uint8Array {
  const call = `${name}(${inputs.map((bytes) => digestOf(bytes)).join()})`;
  const seen = digestOf(Buffer.from(does.varies ? `${call} ${token?.join()}` : call)).slice(0, 16);
  if (does.list === 0) return encodeValue(does.large ? `${seen} ${LARGE_TEXT}` : seen, name);
  return encodeList(Array.from({ length: does.list }, (_, i) => encodeValue(`${seen}/${i}`, name)));
}

/** When an attempt that is let run is over, and by which of the times that its agent judges. */
export function endOf(
  { ms, signMs }: Does,
  { attemptMs, silenceMs }: Pick<Timeouts, 'attemptMs' | 'silenceMs'>,
): { readonly ms: number; readonly by?: AttemptTimeout } {
  const silent = silenceMs > 0 && (signMs === 0 || signMs > silenceMs) ? silenceMs : Number.POSITIVE_INFINITY;
  const long = attemptMs > 0 ? attemptMs : Number.POSITIVE_INFINITY;
  if (ms <= Math.min(silent, long)) return { ms };
  return silent < long ? { ms: silent, by: 'silence' } : { ms: long, by: 'attempt' };
}

export interface Program {
  readonly graph: WireGraph;
  readonly plan: DispatchPlan;
}

/** Dispatch number `index` of a plan. */
export function programOf(plan: DispatchPlan, index: number, does: Map<string, ElectronPlan>): Program {
  const electrons: ElectronDef[] = [];
  const make = (electron: ElectronPlan, name: string): WireNode => {
    does.set(name, electron);
    const { retries, timeouts, inputs, after, concurrency, exclusive } = electron;
    electrons.push({
      name,
      executor: 'process',
      needs: [],
      retries: { max: retries, delayMs: 150, backoff: 2, maxDelayMs: 2_000, jitter: 0.2, retryOn: [], notOn: [] },
      timeouts,
      ...(concurrency === undefined ? {} : { concurrency }),
      ...(exclusive === undefined ? {} : { exclusive }),
    });
    const split = electron.does.list > 0;
    return { kind: 'electron', electron: electrons.length - 1, template, inputs, after, ...(split ? { split } : {}) };
  };
  const nodes = plan.nodes.map((node, i): WireNode => {
    if (node.kind === 'electron') return make(node, `d${index}e${i}`);
    const { over, after, concurrency, collects, body, output } = node;
    const inner = body.map((electron, at) => make(electron, `d${index}e${i}b${at}`));
    const map = { over, after, concurrency, body: { nodes: inner, output } };
    return { kind: 'map', name: `d${index}m${i}`, onItemError: collects === true ? 'collect' : 'fail', ...map };
  });
  return { plan, graph: { electrons, nodes, output: { template, inputs: plan.output } } };
}

/** All electrons of a plan by name, and the dispatches' graphs. */
export function programsOf(plan: RunPlan): {
  readonly does: ReadonlyMap<string, ElectronPlan>;
  readonly programs: readonly Program[];
} {
  const does = new Map<string, ElectronPlan>();
  return { does, programs: plan.dispatches.map((dispatch, index) => programOf(dispatch, index, does)) };
}

/** The right value of a node, whatever happened to it. `plan` has the maps expanded. */
export class Answers {
  readonly #plan: Plan;
  readonly #does: ReadonlyMap<string, ElectronPlan>;
  readonly #tokenOf: (id: number) => Token | undefined;
  readonly #errorOf: (id: number) => ErrorInfo | undefined;
  readonly #known = new Map<number, Uint8Array>();

  /** `tokenOf`: the attempt that counts; `errorOf`: why a node ended by itself without a value. */
  constructor(
    plan: Plan,
    does: ReadonlyMap<string, ElectronPlan>,
    tokenOf: (id: number) => Token | undefined,
    errorOf: (id: number) => ErrorInfo | undefined,
  ) {
    this.#errorOf = errorOf;
    this.#plan = plan;
    this.#does = does;
    this.#tokenOf = tokenOf;
  }

  of(id: number): Uint8Array {
    let value = this.#known.get(id);
    if (value === undefined) this.#known.set(id, (value = this.#make(id)));
    return value;
  }

  /** Of an item that has no value the first of its nodes that failed or was cancelled says why. */
  #settled(output: number): Uint8Array {
    const { region, item } = this.#plan.place(output);
    const first = region.base + item * region.nodes.length;
    for (let id = first; id < first + region.nodes.length; id++) {
      const error = this.#errorOf(id);
      if (error === undefined) continue;
      const reason = reasonOf({ node: this.#plan.nameOf(id), error });
      return withContent(REJECTED, encodeValue(reason, 'reason'));
    }
    return withContent(FULFILLED, this.of(output));
  }

  #make(id: number): Uint8Array {
    const place = this.#plan.place(id);
    const { node } = place;
    if (node.kind === 'map') {
      const region = this.#plan.regionOf(id);
      if (region === undefined) throw new Error(`map ${id} was never expanded`);
      const outputs = Array.from({ length: region.items }, (_, item) => this.#plan.outputOf(region, item));
      if (node.onItemError === 'fail') return encodeList(outputs.map((output) => this.of(output)));
      return encodeList(outputs.map((output) => this.#settled(output)));
    }
    if (node.kind === 'lattice') throw new Error('plans have no lattices inside');
    const name = this.#plan.graph.electrons[node.electron]?.name ?? '';
    const does = this.#does.get(name)?.does;
    if (does === undefined) throw new Error(`no electron is called ${name}`);
    const inputs = node.inputs.map((input) => {
      const source = this.#plan.source(place, input);
      if ('node' in source) return this.of(source.node);
      if ('index' in source) return encodeValue(source.index, 'index');
      if ('digest' in source) throw new Error('plans have no literals');
      const map = this.#plan.place(source.map);
      if (map.node.kind !== 'map') throw new Error(`node ${source.map} is no map`);
      const over = this.#plan.source(map, map.node.over);
      if (!('node' in over)) throw new Error('plans map over nodes');
      return listElement(this.of(over.node), source.item);
    });
    return valueOf(name, does, inputs, this.#tokenOf(id));
  }
}

/**
 * What the electrons of a plan give: a pure function of an electron's name, its inputs and, for some, the attempt, so that every right value is known.
 * Also the graphs that are dispatched, and those that electrons draw. Not here: when they run (sim-executor.ts), what is right in the end (answers.ts).
 */
import { encodeBody } from '../../../bus/codec.ts';
import type { DrawingHead } from '../../../bus/protocol/drawing.ts';
import { encodeGraph } from '../../../bus/protocol/wire-graph.ts';
import { digestOf } from '../../../bus/value/digest.ts';
import { encodeList } from '../../../bus/value/list.ts';
import { encodeValue } from '../../../bus/value/value.ts';
import type { ElectronDef, Input, Timeouts, WireGraph, WireNode } from '../../../model/graph.ts';
import type { Digest } from '../../../model/ids.ts';
import type { Token } from '../../../model/outcome.ts';
import type { AttemptTimeout } from '../../../model/timeouts.ts';
import type { Does, ElectronPlan, GraphPlan, NodePlan, PlanInput } from './plan.ts';

/** Over what a message carries with an outcome, and over what the store keeps among its records. */
const LARGE_TEXT = 'x'.repeat(70_000);
const template = Uint8Array.of(0x90);

export const bundle = Buffer.from('the code of every electron');

/** An electron of other code than that of the first dispatch has another name in plans and histories. `code`: digest of its bundle. */
export const calledBy = (name: string, code: string): string =>
  code === BUNDLE ? name : `${name}@${code.slice(0, 8)}`;
const BUNDLE = digestOf(bundle);

/** Equal calls of electrons that don't vary give equal values. */
export const callOf = (called: string, inputs: readonly Uint8Array[]): string =>
  `${called}(${inputs.map((bytes) => digestOf(bytes)).join()})`;

/** `token`: of the attempt, for electrons whose value varies with it. */
export function valueOf(name: string, does: Does, inputs: readonly Uint8Array[], token: Token | undefined): Uint8Array {
  const call = callOf(name, inputs);
  const seen = digestOf(Buffer.from(does.varies ? `${call} ${token?.join()}` : call)).slice(0, 16);
  if (does.draws !== undefined) return drawn(makeGraph(does.draws, name, [...inputs, encodeValue(seen, name)]));
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

/** A graph as it travels, with the values that it names. */
export interface Made {
  readonly graph: WireGraph;
  readonly values: ReadonlyMap<Digest, Uint8Array>;
}
/** As the hub reads it: the graph with its settings, the arguments, and what the graph names. */
function drawn({ graph, values }: Made): Uint8Array {
  const head: DrawingHead = { graph: encodeGraph(graph), source: '', metadata: {}, timeoutMs: 0 };
  const bytes = new Uint8Array(encodeBody(head));
  return encodeList([encodeValue(bytes, 'graph'), encodeValue([], 'arguments'), ...values.values()]);
}

/** Before the names of a graph's nodes. `by`: what draws it, or has it inside. */
export const namesOf = ({ names }: GraphPlan, by: string): string => names ?? `${by}.`;

const makeGraph = (plan: GraphPlan, by: string, args: readonly Uint8Array[]): Made =>
  makeNodes(plan.nodes, [plan.output], namesOf(plan, by), args);

/** `names`: before the name of each node. `args`: values that come with it. */
export function makeNodes(
  plans: readonly NodePlan[],
  output: readonly number[],
  names: string,
  args: readonly Uint8Array[],
): Made {
  const electrons: ElectronDef[] = [];
  const values = new Map<Digest, Uint8Array>();
  const literal = (bytes: Uint8Array): Input => {
    const digest = digestOf(bytes);
    values.set(digest, bytes);
    return { value: digest };
  };
  const inputOf = (input: PlanInput): Input =>
    typeof input === 'object' && 'arg' in input
      ? literal(args[input.arg % args.length] ?? encodeValue(null, names))
      : input;
  const make = (plan: NodePlan, name: string): WireNode => {
    const { after } = plan;
    switch (plan.kind) {
      case 'electron': {
        electrons.push(definitionOf(plan, name));
        const split = plan.does.list > 0 || plan.does.draws !== undefined;
        const inputs = plan.inputs.map(inputOf);
        const electron = electrons.length - 1;
        return { kind: 'electron', electron, template, inputs, after, ...(split ? { split } : {}) };
      }
      case 'map': {
        const { over, concurrency, collects, body, output } = plan;
        const inner = body.map((node, at) => make(node, `${name}b${at}`));
        const map = { over, after, concurrency, body: { nodes: inner, output } };
        const onItemError = collects === true ? 'collect' : 'fail';
        return { kind: 'map', name: name.replace(/e(?=\d+$)/, 'm'), onItemError, ...map };
      }
      case 'lattice': {
        const { graph } = plan;
        const known = (of: GraphPlan): Input =>
          literal(drawn(makeGraph(of, name, [encodeValue(`came with ${name}`, name)])));
        return { kind: 'lattice', name, graph: typeof graph === 'number' ? graph : known(graph), after };
      }
    }
  };
  const nodes = plans.map((plan, i) => make(plan, `${names}e${i}`));
  return { graph: { electrons, nodes, output: { template, inputs: output } }, values };
}

export function definitionOf({ retries, timeouts, concurrency, exclusive }: ElectronPlan, name: string): ElectronDef {
  return {
    name,
    executor: 'process',
    needs: [],
    retries: { max: retries, delayMs: 150, backoff: 2, maxDelayMs: 2_000, jitter: 0.2, retryOn: [], notOn: [] },
    timeouts,
    ...(concurrency === undefined ? {} : { concurrency }),
    ...(exclusive === undefined ? {} : { exclusive }),
  };
}

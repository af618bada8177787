/**
 * The lattices inside a dispatch, each a dispatch of its own: begun, cancelled, asked for after a restart. See docs/adr/019-sublattices.md.
 * Not here: reading what they drew (drawn.ts), what their ends mean for this dispatch (state.ts).
 *
 * I1. A node's dispatch has one id, whatever happens: it is made of this one's id and the node's place in the graph.
 * I2. The records that accept it and the node's `running` are one batch, so after a restart either both are there or none.
 */
import type { Drawn, LatticeMessage } from '../../bus/protocol/actors.ts';
import { innerIdOf } from '../../bus/inner-id.ts';
import { digestOf } from '../../bus/value/digest.ts';
import type { Clock } from '../../model/clock.ts';
import { outputValue } from '../../model/graph-values.ts';
import type { Digest, DispatchId } from '../../model/ids.ts';
import { isTerminalDispatch, type DispatchStatus } from '../../model/lifecycle.ts';
import { errorInfoOf, type ErrorInfo, type ValueInfo } from '../../model/outcome.ts';
import type { DispatchSpec, NodeFailure } from '../../model/records.ts';
import type { ResultsClient } from '../results-client.ts';
import type { ActorSystem, Address } from '../system.ts';
import { levelOf, readDrawn } from './drawn.ts';
import type { LatticeState } from './state.ts';

export interface InnerOptions {
  readonly spec: DispatchSpec;
  readonly state: LatticeState;
  readonly system: ActorSystem;
  readonly results: ResultsClient;
  readonly clock: Clock;
  readonly supervisor: Address;
  readonly dispatcher: Address;
}

type Entered = Extract<LatticeMessage, { type: 'lattice.entered' }>;

export class InnerDispatches {
  readonly #o: InnerOptions;

  constructor(options: InnerOptions) {
    this.#o = options;
  }

  /** Reads what was drawn; answered by `lattice.entered`. */
  enter(node: number, digest: Digest): void {
    const { spec, state, results } = this.#o;
    results.turns
      .run(() => readDrawn(results, spec, state.plan.nameOf(node), digest))
      .then(
        (drawn) => this.#tell({ type: 'lattice.entered', node, drawn }),
        (error: unknown) =>
          this.#tell({ type: 'lattice.entered', node, drawn: { error: errorInfoOf(error, 'STORE_FAILED') } }),
      );
  }

  /** Begins the node's dispatch, unless it isn't wanted any more. */
  entered({ node, drawn }: Entered): void {
    const { state, results, system, supervisor, dispatcher } = this.#o;
    // It was cancelled meanwhile; or a supervisor that crashed had asked as well, and it has begun.
    if (state.status(node) !== 'ready') return;
    if ('error' in drawn) return state.left(node, 'failed', undefined, drawn.error);
    state.entered(node);
    const spec = this.#specOf(node, drawn);
    // I2: the node's own record is written in the same turn.
    results.write({ op: 'accept', spec, contentDigest: digestOf(Buffer.from(spec.key)) });
    system.send(dispatcher, { type: 'dispatch.inner', spec, graph: drawn.graph }, supervisor);
  }

  /** This dispatch ended: the one around it, if it is an inner one itself, goes on. */
  ended(status: DispatchStatus, errors: readonly NodeFailure[]): void {
    const { spec, state, system, supervisor } = this.#o;
    if (spec.outer === undefined) return;
    const value = outputValue(state.plan.graph, spec.literals, (node) => state.value(node));
    const outer = system.address('lattice', spec.outer.dispatch);
    system.send(outer, leftOf(spec.outer.node, status, value, errors), supervisor);
  }

  leave(node: number, reason: string): void {
    const { system, supervisor, dispatcher } = this.#o;
    system.send(dispatcher, { type: 'dispatch.leave', id: this.idOf(node), reason }, supervisor);
  }

  /** After a restart: those that ended meanwhile are told, those that aren't wanted any more are told that again. */
  resume(): void {
    const { state, results } = this.#o;
    for (let node = 0; node < state.plan.size; node++) {
      const status = state.status(node);
      if ((status !== 'running' && status !== 'cancelling') || state.plan.place(node).node.kind !== 'lattice') continue;
      results.turns
        .run(() => results.ask('results.ended', { id: this.idOf(node) }))
        .then(
          (found) => {
            if (isTerminalDispatch(found.status)) this.#tell(leftOf(node, found.status, found.value, found.errors));
            else if (state.status(node) === 'cancelling') this.leave(node, 'cancelled before the hub restarted');
          },
          (error: unknown) => {
            this.leave(node, 'the dispatch around it could not learn how it stands');
            this.#tell({ type: 'lattice.left', node, status: 'failed', error: errorInfoOf(error, 'STORE_FAILED') });
          },
        );
    }
  }

  /** I1. */
  idOf(node: number): DispatchId {
    const { spec, state } = this.#o;
    return innerIdOf(spec.id, state.plan.pathOf(node));
  }

  #specOf(node: number, { source, settings, graph, stored, args, literals }: Drawn): DispatchSpec {
    const { spec, state, clock } = this.#o;
    const { user, bundle, argv, captures, codes, origin, replaced, executors, priority } = spec;
    return {
      id: this.idOf(node),
      user,
      key: `${spec.id} ${state.plan.pathOf(node)}`,
      lattice: { name: state.plan.plainNameOf(node), source },
      graph: stored,
      args,
      ...(bundle === undefined ? {} : { bundle }),
      argv,
      captures,
      ...(codes === undefined ? {} : { codes }),
      ...(origin?.reuse === true ? { origin: { ...origin, by: origin.by ?? spec.id } } : {}),
      ...(graph.electrons.some(({ cache }) => cache !== undefined) ? { caches: true } : {}),
      ...(replaced === undefined ? {} : { replaced }),
      ...(executors === undefined ? {} : { executors }),
      ...settings,
      priority,
      nodes: graph.nodes.length,
      literals,
      acceptedAt: clock.now(),
      outer: { dispatch: spec.id, node, level: levelOf(spec) + 1, root: rootOf(spec) },
    };
  }

  #tell(message: LatticeMessage): void {
    this.#o.system.send(this.#o.supervisor, message, this.#o.supervisor);
  }
}

/** The outermost dispatch around it, or itself. */
export const rootOf = (spec: DispatchSpec): DispatchId => spec.outer?.root ?? spec.id;

/** What the supervisor of the lattice around is told. */
export function leftOf(
  node: number,
  status: DispatchStatus,
  value: ValueInfo | undefined,
  errors: readonly NodeFailure[],
): Extract<LatticeMessage, { type: 'lattice.left' }> {
  if (status === 'completed' && value !== undefined) return { type: 'lattice.left', node, status, value };
  if (status === 'cancelled') return { type: 'lattice.left', node, status };
  return { type: 'lattice.left', node, status: 'failed', error: errorOf(errors[0]) };
}

/** Of many lattices in each other's the innermost error is kept, and so many around it. */
const MOST_CAUSES = 8;

function errorOf(failure: NodeFailure | undefined): ErrorInfo {
  if (failure === undefined) return { code: 'VALUE_MISSING', message: 'it has no result' };
  const { node, error } = failure;
  const cause = causesOf(error) < MOST_CAUSES ? error : error.cause;
  const message = node === '' ? error.message : `${node}: ${error.message}`;
  return { code: error.code, message, ...(cause === undefined ? {} : { cause }) };
}

function causesOf(error: ErrorInfo): number {
  let causes = 0;
  for (let at = error.cause; at !== undefined; at = at.cause) causes++;
  return causes;
}

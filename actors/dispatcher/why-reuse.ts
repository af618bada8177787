/**
 * Answers why electrons of a dispatch that takes values over were reused or not, from the records of both: while it runs, when it has ended, after a restart.
 * Of those with `cache` also which values were found.
 * Not here: what a value's key is (bus/reuse-key.ts), who decides (actors/lattice/reuse.ts).
 */
import { MOST_NAMES, type WhyInput, type WhyReuse } from '../../bus/protocol/why-reuse.ts';
import { innerIdOf } from '../../bus/inner-id.ts';
import { ReuseKeys, sameCode, type KnownValues } from '../../bus/reuse-key.ts';
import { asPolaronError } from '../../model/errors.ts';
import type { ElectronNode, Input } from '../../model/graph.ts';
import type { DispatchId } from '../../model/ids.ts';
import { hasValue } from '../../model/lifecycle.ts';
import type { DispatchSpec, ElectronRecord } from '../../model/records.ts';
import { valuesOf } from '../recorded-values.ts';
import type { ResultsClient } from '../results-client.ts';
import { WhyGroups, type Waits } from '../why-groups.ts';
import { Places } from './places.ts';

/** A dispatch as its records tell it. */
interface Recorded {
  readonly spec: DispatchSpec;
  readonly known: KnownValues;
  readonly keys: ReuseKeys;
  readonly places: Places;
  readonly records: ReadonlyMap<number, ElectronRecord>;
}

/** The reasons, with the names of the electrons that they are told of. */
export interface ReuseReasons {
  readonly reasons: readonly Waits[];
  readonly nameOf: (node: number) => string;
}

/** Electrons looked at before others have their turn: some ms. */
const MOST_IN_TURN = 1_000;

export class ReuseQuestions {
  readonly #results: ResultsClient;
  /** All records of two dispatches are in memory for one: so they are answered one after the other. */
  #last: Promise<unknown> = Promise.resolve();

  constructor(results: ResultsClient) {
    this.#results = results;
  }

  /** `only`: of this node, and with the positions in maps in all names. Undefined: it takes nothing over. */
  ask(id: DispatchId, user: string, only?: number): Promise<ReuseReasons | undefined> {
    const answer = this.#last.then(() => this.#answer(id, user, only));
    this.#last = answer.catch(() => undefined);
    return answer;
  }

  async #answer(id: DispatchId, user: string, only: number | undefined): Promise<ReuseReasons | undefined> {
    const { spec } = await this.#results.ask('results.spec', { id, user });
    if (spec.origin?.reuse !== true && spec.caches !== true) return undefined;
    const made = await this.#read(id);
    if (made === undefined) return undefined;
    const old = spec.origin?.reuse === true ? await this.#oldOf(made) : undefined;
    const groups = new WhyGroups();
    let inTurn = 0;
    for (const [node, record] of made.records) {
      if (only !== undefined && node !== only) continue;
      const why = whyOf(made, old, node, record, only !== undefined);
      if (why !== undefined) {
        const exact = why.kind === 'reused' && only !== undefined ? await this.#exact(why, record) : why;
        groups.add(why.kind === 'lattice' ? why.kind : JSON.stringify(why), () => exact, [node]);
      }
      if (++inTurn < MOST_IN_TURN) continue;
      inTurn = 0;
      await new Promise((resolve) => setImmediate(resolve));
    }
    // What was read may be newer than the disk.
    await this.#results.flushed();
    return { reasons: groups.list(Number.POSITIVE_INFINITY), nameOf: (node) => made.known.plan.nameOf(node) };
  }

  /** With the whole name of the electron there, unless it is gone. */
  async #exact(why: WhyReuse & { readonly kind: 'reused' }, { from }: ElectronRecord): Promise<WhyReuse> {
    const there = from === undefined ? undefined : await this.#read(from.dispatch);
    return there === undefined || from === undefined ? why : { ...why, name: there.known.plan.nameOf(from.node) };
  }

  /** The dispatch that stands where `made` does: its origin, or what is inside of that. */
  async #oldOf({ spec }: Recorded): Promise<Recorded | 'gone' | 'new'> {
    const { origin, outer } = spec;
    if (origin === undefined) return 'gone';
    if (origin.by === undefined || outer === undefined) return (await this.#read(origin.of)) ?? 'gone';
    const around = await this.#read(outer.dispatch);
    if (around === undefined) return 'gone';
    const old = await this.#oldOf(around);
    if (old === 'gone' || old === 'new') return old;
    const node = old.places.find(around.places.stepsOf(outer.node));
    if (node === undefined || old.known.plan.place(node).node.kind !== 'lattice') return 'new';
    return (await this.#read(innerIdOf(old.spec.id, old.known.plan.pathOf(node)))) ?? 'new';
  }

  async #read(id: DispatchId): Promise<Recorded | undefined> {
    try {
      const loaded = await this.#results.ask('results.load', { id });
      const { spec } = loaded;
      const known = valuesOf(loaded);
      const places = new Places(known.plan, spec.replaced);
      return { spec, known, keys: new ReuseKeys(spec, known), places, records: new Map(loaded.electrons) };
    } catch (error) {
      if (asPolaronError(error, 'STORE_FAILED').code !== 'UNKNOWN_DISPATCH') throw error;
      return undefined;
    }
  }
}

/** Undefined: it was not judged. */
function whyOf(
  made: Recorded,
  old: Recorded | 'gone' | 'new' | undefined,
  node: number,
  record: ElectronRecord,
  exact: boolean,
): WhyReuse | undefined {
  const { plan } = made.known;
  const place = plan.place(node);
  if (place.node.kind === 'lattice' && old === undefined) return undefined;
  if (place.node.kind === 'lattice') return { kind: 'lattice', dispatch: innerIdOf(made.spec.id, plan.pathOf(node)) };
  const { status, attempt, from } = record;
  if (place.node.kind !== 'electron' || status === 'skipped' || (status === 'cancelled' && attempt === 0))
    return undefined;
  const origin = made.spec.origin?.of ?? '';
  // Its name is a part of the key.
  if (status === 'reused') return { kind: 'reused', dispatch: from?.dispatch ?? origin, name: plan.plainNameOf(node) };
  if (old === undefined) {
    const cached = plan.graph.electrons[place.node.electron]?.cache !== undefined;
    return cached ? { kind: 'uncached', dispatch: made.spec.id } : undefined;
  }
  if (old === 'gone' || old === 'new') return { kind: old, dispatch: origin };
  const dispatch = old.spec.id;
  const there = old.places.find(made.places.stepsOf(node));
  const other = there === undefined ? undefined : old.known.plan.place(there).node;
  if (there === undefined || other?.kind !== 'electron') return { kind: 'new', dispatch };
  const { status: before = 'waiting' } = old.records.get(there) ?? {};
  if (!hasValue(before)) return { kind: 'no-value', dispatch, status: before };
  return codeChange(made, old, place.node, other) ?? inputChange(made, old, { node, there, exact }, place.node, other);
}

function codeChange(made: Recorded, old: Recorded, node: ElectronNode, other: ElectronNode): WhyReuse | undefined {
  const [now, before] = [made.keys.partsOf(node.electron), old.keys.partsOf(other.electron)];
  const dispatch = old.spec.id;
  if (now.name !== before.name) return { kind: 'replaced', dispatch, name: before.name };
  const own = now.digest !== before.digest;
  const captured = changed(now.captures, before.captures);
  const [hooks, hooksBefore] = [now.hooks ?? '', before.hooks ?? ''];
  const options = changed({ ...now.options, hooks }, { ...before.options, hooks: hooksBefore });
  if (!own && captured.length + options.length === 0) return undefined;
  return { kind: 'code', dispatch, own, whole: own && (now.whole || before.whole), captured, options };
}

type Named = Readonly<Record<string, unknown>>;
const changed = (now: Named, before: Named): readonly string[] =>
  [...new Set([...Object.keys(now), ...Object.keys(before)])]
    .filter((name) => !sameCode(now[name], before[name]))
    .slice(0, MOST_NAMES);

function inputChange(
  made: Recorded,
  old: Recorded,
  { node, there, exact }: { readonly node: number; readonly there: number; readonly exact: boolean },
  now: ElectronNode,
  before: ElectronNode,
): WhyReuse {
  const dispatch = old.spec.id;
  const sameCall =
    Buffer.compare(now.template, before.template) === 0 &&
    now.inputs.length === before.inputs.length &&
    (now.split === true) === (before.split === true);
  if (!sameCall) return { kind: 'arguments', dispatch };
  const [place, oldPlace] = [made.known.plan.place(node), old.known.plan.place(there)];
  const from = new Map<string, WhyInput>();
  now.inputs.forEach((input, i) => {
    const other = before.inputs[i];
    if (other !== undefined && made.keys.inputOf(place, input) === old.keys.inputOf(oldPlace, other)) return;
    const found = inputNamed(made, node, input, exact);
    if (from.size < MOST_NAMES) from.set(`${found.kind} ${found.name}`, found);
  });
  return from.size === 0 ? { kind: 'too-late', dispatch } : { kind: 'input', dispatch, from: [...from.values()] };
}

function inputNamed({ known, records }: Recorded, node: number, input: Input, exact: boolean): WhyInput {
  const { plan } = known;
  const name = (id: number): string => (exact ? plan.nameOf(id) : plan.plainNameOf(id));
  const source = plan.source(plan.place(node), input);
  if ('node' in source)
    return { kind: 'node', name: name(source.node), ran: records.get(source.node)?.status !== 'reused' };
  if ('map' in source)
    return { kind: 'item', name: exact ? `${name(source.map)}[${source.item}]` : name(source.map), ran: false };
  return 'index' in source
    ? { kind: 'index', name: String(source.index), ran: false }
    : { kind: 'given', name: '', ran: false };
}

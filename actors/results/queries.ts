/** Answers about dispatches from the records: lists, details, pages of electrons, values, logs. Reads only. */
import type {
  AttemptsReply,
  DispatchDetail,
  DispatchSummary,
  ElectronView,
  ListReply,
  ListRequest,
  LogsReply,
  LogsRequest,
  OutputView,
  SnapshotReply,
  SnapshotRequest,
  ValueReply,
} from '../../bus/protocol/api.ts';
import type { LoadedDispatch, ResultsRequests } from '../../bus/protocol/results.ts';
import { innerIdOf } from '../../bus/inner-id.ts';
import { decodeGraph } from '../../bus/protocol/wire-graph.ts';
import { PolaronError } from '../../model/errors.ts';
import { outputValue } from '../../model/graph-values.ts';
import { isDispatchId, type Digest, type DispatchId } from '../../model/ids.ts';
import { isTerminalDispatch } from '../../model/lifecycle.ts';
import type { ValueInfo } from '../../model/outcome.ts';
import { Plan } from '../../model/plan.ts';
import { Recent } from '../../model/recent.ts';
import type { DispatchRecord, DispatchSpec, ElectronRecord } from '../../model/records.ts';
import {
  decodeDispatch,
  decodeElectron,
  decodeExpansion,
  attemptOfKey,
  decodeLogs,
  decodeSpec,
  keys,
  nodeOfKey,
  tailOfKey,
} from '../../store/records.ts';
import { INLINE_VALUE_BYTES, type Store } from '../../store/store.ts';
import { bytesOf, errorWithin, LIST_BYTES } from '../answer-size.ts';
import type { NearMemory } from '../services.ts';
import { attemptsOf } from './attempts.ts';
import type { LiveDispatches } from './live.ts';
import { nearMatches } from '../../model/near.ts';
import { composeList, storeBytes, wholeValue } from './values.ts';

const MOST_PAGE = 10_000;
const MOST_LISTED = 1_000;
/** Of one electron's error in a list; its beginning is told of a larger one. */
const ERROR_BYTES = 64 * 1024;
/** Output inputs inside one answer; more become one list value to pull. */
const MESSAGE_BYTES = 256 * 1024;
/** When they are more: a template over this is a value to pull, as 100,000 references are. */
const TEMPLATE_BYTES = 128 * 1024;
const CACHED_PLANS = 32;
const CACHED_PLAN_NODES = 1_000_000;
const RECENT_SPECS = 1_024;
const NOTHING = { stdout: '', stderr: '' };
const NO_NODES: Pick<LoadedDispatch, 'electrons' | 'expansions'> = { electrons: [], expansions: [] };

export class Queries {
  readonly #store: Store;
  readonly #live: LiveDispatches;
  readonly #specs = new Recent<DispatchId, DispatchSpec>(RECENT_SPECS);
  readonly #plans = new Map<DispatchId, { readonly plan: Plan; readonly maps: boolean }>();

  readonly #near: NearMemory | undefined;

  constructor(store: Store, live: LiveDispatches, near?: NearMemory) {
    this.#store = store;
    this.#live = live;
    this.#near = near;
  }

  /** Raises UNKNOWN_DISPATCH, and NOT_ALLOWED for another user's dispatch. */
  owned(id: DispatchId, user: string): void {
    if (this.spec(id).user !== user)
      throw new PolaronError('NOT_ALLOWED', `dispatch ${id} belongs to another user than ${JSON.stringify(user)}`);
  }

  /** Raises UNKNOWN_DISPATCH. */
  spec(id: DispatchId): DispatchSpec {
    let spec = this.#specs.get(id);
    if (spec === undefined) {
      const bytes = this.#store.get(keys.spec(id));
      if (bytes === undefined) throw this.#unknown(id);
      spec = decodeSpec(bytes);
      this.remember(spec);
    }
    return spec;
  }
  /** A spec never changes: those of late are kept. */
  remember(spec: DispatchSpec): void {
    this.#specs.set(spec.id, spec);
  }
  /** It is removed. */
  forget(id: DispatchId): void {
    this.#specs.delete(id);
    this.#plans.delete(id);
  }
  record(id: DispatchId): DispatchRecord {
    const bytes = this.#store.get(keys.dispatch(id));
    if (bytes === undefined) throw this.#unknown(id);
    return decodeDispatch(bytes);
  }
  electron(id: DispatchId, node: number): ElectronRecord | undefined {
    const bytes = this.#store.get(keys.electron(id, node));
    return bytes === undefined ? undefined : decodeElectron(bytes);
  }

  async load(id: DispatchId): Promise<LoadedDispatch> {
    const [spec, record] = [this.spec(id), this.record(id)];
    // That it began is written before anything of its nodes: of one that waits for its turn there is nothing to look for.
    const nodes = record.status === 'accepted' ? NO_NODES : this.#nodesOf(id);
    if (this.#live.isUncounted(id)) this.#count(spec, nodes);
    return { spec, record, graph: await wholeValue(this.#store, spec.graph.digest), ...nodes };
  }

  /** Counts of a dispatch that was live when the manager stopped. */
  restoreCounts(id: DispatchId): void {
    this.#count(this.spec(id), this.#nodesOf(id));
  }

  #nodesOf(id: DispatchId): Pick<LoadedDispatch, 'electrons' | 'expansions'> {
    const electrons: [number, ElectronRecord][] = [];
    for (const { key, value } of this.#store.range(keys.electronsOf(id)))
      electrons.push([nodeOfKey(key), decodeElectron(value)]);
    const expansions = [...this.#store.range(keys.expansionsOf(id))].map(({ value }) => decodeExpansion(value));
    return { electrons, expansions };
  }

  #count(
    { id, nodes }: DispatchSpec,
    { electrons, expansions }: Pick<LoadedDispatch, 'electrons' | 'expansions'>,
  ): void {
    this.#live.add(id, nodes);
    for (const [node, { status, seq }] of electrons) this.#live.changed(id, node, undefined, status, seq);
    for (const { count } of expansions) this.#live.grow(id, count);
  }

  summary(id: DispatchId): DispatchSummary {
    return this.#summary(this.spec(id), this.record(id));
  }
  detail(id: DispatchId): DispatchDetail {
    return { ...this.brief(id), source: this.spec(id).lattice.source };
  }
  /** Without the source, which may be long. */
  brief(id: DispatchId, record = this.record(id)): Omit<DispatchDetail, 'source'> {
    const spec = this.spec(id);
    const { graph, args, bundle } = spec;
    return Object.assign(
      this.#summary(spec, record),
      { graph, args, errors: record.errors },
      bundle === undefined ? undefined : { bundle: bundle.digest, bundleSize: bundle.size },
    );
  }

  list(request: ListRequest & { readonly user: string }): ListReply {
    const limit = Math.min(request.limit ?? 100, MOST_LISTED);
    const range = request.before === undefined ? keys.allDispatches : keys.dispatchesBefore(request.before);
    const dispatches: DispatchSummary[] = [];
    let left = LIST_BYTES;
    for (const { key } of this.#store.range({ ...range, reverse: true })) {
      const id = tailOfKey(key);
      if (!isDispatchId(id)) continue;
      const summary = this.summary(id);
      if (summary.outer !== undefined && request.inner !== true) continue;
      if (summary.user !== request.user || (request.status !== undefined && summary.status !== request.status))
        continue;
      if (dispatches.length === limit || left <= 0) return { dispatches, more: true };
      dispatches.push(summary);
      left -= bytesOf(summary);
    }
    return { dispatches, more: false };
  }

  async snapshot(request: SnapshotRequest & { readonly id: DispatchId }): Promise<SnapshotReply> {
    const { id, name: names } = request;
    const limit = Math.min(request.limit ?? 1_000, MOST_PAGE);
    const plan = await this.plan(id);
    const electrons: ElectronView[] = [];
    let node = request.from ?? 0;
    let left = LIST_BYTES;
    for (; node < plan.size && electrons.length < limit && left > 0; node++) {
      const record = this.electron(id, node);
      if ((request.since ?? 0) > 0 && (record?.seq ?? 0) <= (request.since ?? 0)) continue;
      const view = this.#view(id, plan, node, record);
      if (request.status !== undefined && view.status !== request.status) continue;
      if (names !== undefined && view.name !== names && plan.plainNameOf(node) !== names) continue;
      electrons.push(view);
      left -= bytesOf(view);
    }
    const detail = this.detail(id);
    const { source, graph, ...brief } = detail;
    return {
      dispatch:
        request.brief === true
          ? brief
          : { ...brief, ...(source === undefined ? {} : { source }), ...(graph === undefined ? {} : { graph }) },
      electrons,
      ...(node < plan.size ? { next: node } : {}),
    };
  }

  async value(id: DispatchId, electron: number | string | undefined): Promise<ValueReply> {
    let value: ValueInfo | undefined = this.spec(id).args;
    if (electron !== undefined) {
      const view = await this.#find(id, electron);
      value = view.value;
      if (value === undefined)
        throw new PolaronError('VALUE_MISSING', `electron "${view.name}" has no value: it is ${view.status}`, {
          help: `See \`polaron show ${id}\`.`,
        });
    }
    const bytes = value.size <= INLINE_VALUE_BYTES ? this.#store.smallValue(value.digest) : undefined;
    return { value, ...(bytes === undefined ? {} : { bytes }) };
  }

  async attempts(id: DispatchId, electron: number | string): Promise<AttemptsReply> {
    const view = await this.#find(id, electron);
    const record = this.electron(id, view.id);
    const running = record?.status === 'assigned' ? this.#live.runningSince(id, view.id) : undefined;
    return { electron: view, attempts: attemptsOf(this.#store, id, view.id, record, running) };
  }

  /** Of one attempt, or of the last one that wrote something. */
  async logs({ id, electron, attempt }: LogsRequest & { readonly id: DispatchId }): Promise<LogsReply> {
    const view = await this.#find(id, electron);
    if (attempt !== undefined) {
      const bytes = this.#store.get(keys.logs(id, view.id, attempt));
      return { electron: view, attempt, ...(bytes === undefined ? NOTHING : decodeLogs(bytes)) };
    }
    let last: { readonly key: string; readonly value: Uint8Array } | undefined;
    for (const found of this.#store.range(keys.logsOf(id, view.id))) last = found;
    if (last === undefined) return { electron: view, ...NOTHING };
    return { electron: view, attempt: attemptOfKey(last.key), ...decodeLogs(last.value) };
  }

  /** Whether a dispatch inside another has ended, and with what. */
  async ended(id: DispatchId): Promise<ResultsRequests['results.ended']['answer']> {
    const { status, errors } = this.record(id);
    if (status !== 'completed') return { status, errors };
    const { graph } = await this.plan(id);
    const value = outputValue(graph, this.spec(id).literals, (node) => this.electron(id, node)?.value);
    return value === undefined ? { status, errors } : { status, errors, value };
  }

  /** What a completed dispatch's result is made of. */
  async output(id: DispatchId): Promise<OutputView> {
    const graph = this.#near?.graphs.get(this.spec(id).graph.digest) ?? (await this.plan(id)).graph;
    const { template, inputs } = graph.output;
    const known = this.spec(id).literals;
    const literals =
      known.length === 0 ? undefined : new Map<string, ValueInfo>(known.map((value) => [value.digest, value]));
    const infos = inputs.map((input) => {
      const value =
        typeof input === 'number'
          ? this.electron(id, input)?.value
          : 'value' in input
            ? literals?.get(input.value)
            : undefined;
      if (value === undefined)
        throw new PolaronError('VALUE_MISSING', `dispatch ${id}: a value that its result needs is not in the store`);
      return value;
    });
    let total = template.byteLength;
    for (const info of infos) total += info.size <= INLINE_VALUE_BYTES ? info.size : 100;
    if (total > MESSAGE_BYTES) {
      const inputs = await composeList(this.#store, infos);
      return {
        template: template.byteLength <= TEMPLATE_BYTES ? template : await storeBytes(this.#store, template),
        inputs,
      };
    }
    return {
      template,
      inputs: infos.map(
        (info) => (info.size <= INLINE_VALUE_BYTES ? this.#smallValue(info.digest) : undefined) ?? info,
      ),
    };
  }

  #smallValue(digest: Digest): Uint8Array | undefined {
    return this.#near?.values.get(digest) ?? this.#store.smallValue(digest);
  }

  /** The dispatch's nodes, expanded maps included. */
  async plan(id: DispatchId): Promise<Plan> {
    let cached = this.#plans.get(id);
    if (cached === undefined) {
      const { digest } = this.spec(id).graph;
      const graph = this.#near?.graphs.get(digest) ?? decodeGraph(await wholeValue(this.#store, digest));
      cached = { plan: new Plan(graph), maps: graph.nodes.some((node) => node.kind === 'map') };
      this.#plans.set(id, cached);
      this.#forgetPlans();
    }
    if (!cached.maps) return cached.plan;
    for (const { value } of this.#store.range(keys.expansionsOf(id))) {
      const { map, items } = decodeExpansion(value);
      // By map, not by position: one without items may come before what was seen already.
      if (cached.plan.regionOf(map) === undefined) cached.plan.expand(map, items.length);
    }
    return cached.plan;
  }

  /** The oldest, until few enough are left with few enough nodes; the newest stays. */
  #forgetPlans(): void {
    let nodes = 0;
    for (const { plan } of this.#plans.values()) nodes += plan.size;
    for (const [oldest, { plan }] of this.#plans) {
      if (this.#plans.size === 1 || (this.#plans.size <= CACHED_PLANS && nodes <= CACHED_PLAN_NODES)) return;
      this.#plans.delete(oldest);
      nodes -= plan.size;
    }
  }

  /** By node id or name; the first that has a value when several share a name. Raises UNKNOWN_ELECTRON with near matches. */
  async #find(id: DispatchId, wanted: number | string): Promise<ElectronView> {
    const plan = await this.plan(id);
    if (typeof wanted === 'number' && wanted >= 0 && wanted < plan.size)
      return this.#view(id, plan, wanted, this.electron(id, wanted));
    const names = new Set<string>();
    let first: number | undefined;
    for (let node = 0; node < plan.size; node++) {
      const [name, plain] = [plan.nameOf(node), plan.plainNameOf(node)];
      if (name === wanted) return this.#view(id, plan, node, this.electron(id, node));
      if (plain === wanted) first ??= node;
      if (names.size < 10_000) names.add(name).add(plain);
    }
    if (first !== undefined) return this.#view(id, plan, first, this.electron(id, first));
    const near = nearMatches(String(wanted), names);
    throw new PolaronError(
      'UNKNOWN_ELECTRON',
      `dispatch ${id} has no electron ${JSON.stringify(wanted)}${near.length > 0 ? `; did you mean ${near.join(', ')}?` : ''}`,
      { details: { near } },
    );
  }

  #view(id: DispatchId, plan: Plan, node: number, record: ElectronRecord | undefined): ElectronView {
    const name = plan.nameOf(node);
    const { map } = plan.place(node).region;
    const within = map < 0 ? {} : { map };
    if (record === undefined) return { id: node, name, status: 'waiting', attempts: 0, seq: 0, ...within };
    const runningSince = record.status === 'assigned' ? this.#live.runningSince(id, node) : undefined;
    return {
      id: node,
      name,
      status: runningSince === undefined ? record.status : 'running',
      attempts: record.attempt,
      seq: record.seq,
      ...(record.agent === undefined ? {} : { agent: record.agent }),
      ...(record.startedAt === undefined ? {} : { startedAt: runningSince ?? record.startedAt }),
      ...(record.endedAt === undefined ? {} : { endedAt: record.endedAt }),
      ...(record.error === undefined ? {} : { error: errorWithin(record.error, ERROR_BYTES) }),
      ...(record.value === undefined ? {} : { value: record.value }),
      ...(record.from === undefined ? {} : { from: record.from }),
      ...(record.status === 'retrying' && record.retryAt !== undefined ? { retryAt: record.retryAt } : {}),
      ...(record.cause === undefined ? {} : { cause: plan.nameOf(record.cause) }),
      ...innerView(id, plan, node),
      ...within,
    };
  }

  #summary(spec: DispatchSpec, record: DispatchRecord): DispatchSummary {
    const [error] = record.errors;
    return {
      id: spec.id,
      user: spec.user,
      lattice: spec.lattice.name,
      status: record.status,
      acceptedAt: spec.acceptedAt,
      counts: isTerminalDispatch(record.status) ? (record.counts ?? {}) : this.#live.counts(spec.id),
      metadata: spec.metadata,
      seq: Math.max(record.seq, this.#live.seq(spec.id)),
      ...(record.startedAt === undefined ? {} : { startedAt: record.startedAt }),
      ...(record.endedAt === undefined ? {} : { endedAt: record.endedAt }),
      ...(error === undefined ? {} : { error }),
      ...(spec.outer === undefined ? {} : { outer: spec.outer.dispatch }),
      ...(spec.origin === undefined || spec.origin.by !== undefined
        ? {}
        : { origin: { of: spec.origin.of, root: spec.origin.root } }),
    };
  }

  #unknown(id: string): PolaronError {
    const ids: string[] = [];
    for (const { key } of this.#store.range({ ...keys.allDispatches, reverse: true, limit: 1_000 }))
      ids.push(tailOfKey(key));
    const near = nearMatches(id, ids);
    return new PolaronError(
      'UNKNOWN_DISPATCH',
      `there is no dispatch ${id}${near.length > 0 ? `; did you mean ${near.join(', ')}?` : ''}`,
      { details: { near } },
    );
  }
}

/** The dispatch of a lattice's node. One that failed before it began has an id, too, under which nothing is found. */
const innerView = (id: DispatchId, plan: Plan, node: number): Pick<ElectronView, 'inner'> =>
  plan.place(node).node.kind === 'lattice' ? { inner: innerIdOf(id, plan.pathOf(node)) } : {};

/**
 * A hub that obeys bus/protocol/api.ts over a bus, with its dispatches in memory and driven by the test: it runs nothing by itself.
 * Shapes are checked with the real readers, so that a request that no hub would take fails here, too.
 */
import type { Bus, BusMessage } from '../../../bus/bus.ts';
import { decodeBody, decodeEnvelope, encodeEnvelope } from '../../../bus/codec.ts';
import type {
  DispatchDetail,
  ElectronView,
  EventBody,
  OutputView,
  SnapshotReply,
  SubmitRequest,
} from '../../../bus/protocol/api.ts';
import * as read from '../../../bus/protocol/wire-api.ts';
import { decodeGraph } from '../../../bus/protocol/wire-graph.ts';
import { digestOf, valueInfoOf } from '../../../bus/value/digest.ts';
import { encodeValue } from '../../../bus/value/value.ts';
import { PolaronError } from '../../../model/errors.ts';
import type { Digest } from '../../../model/ids.ts';
import { isTerminalDispatch, type ElectronStatus } from '../../../model/lifecycle.ts';

export interface FakeDispatch {
  detail: DispatchDetail;
  readonly submit: SubmitRequest;
  readonly electrons: ElectronView[];
  readonly values: Map<number, Uint8Array>;
  output: OutputView | undefined;
  readonly waiters: Set<() => void>;
}

const text = new TextEncoder();

export class FakeHub {
  readonly values = new Map<Digest, Uint8Array>();
  readonly dispatches = new Map<string, FakeDispatch>();
  readonly keys = new Map<string, string>();
  /** Every request by verb or blob kind. */
  readonly asked: { readonly what: string; readonly body: Record<string, unknown> }[] = [];
  /** Durable events numbered here (seq) are not published. */
  readonly lostEvents = new Set<number>();
  /** Answers the next requests of a verb with this error. */
  readonly failNext = new Map<string, PolaronError[]>();
  /** Called with a started dispatch: the test's script for it. */
  onSubmit: (id: string) => void = () => undefined;
  readonly #uploads = new Map<Digest, { size: number; parts: Uint8Array[]; received: number }>();
  #bus: Bus | undefined;
  #subs: { unsubscribe(): void }[] = [];
  #n = 0;

  constructor(bus: Bus) {
    this.start(bus);
  }

  start(bus: Bus): void {
    this.#bus = bus;
    this.#subs = [
      bus.subscribe('polaron.api.>', (message) => this.#answer(message, message.subject.split('.')[3] ?? '')),
      bus.subscribe('polaron.blob.>', (message) => this.#answer(message, message.subject.split('.')[4] ?? '')),
    ];
  }

  stop(): void {
    for (const sub of this.#subs) sub.unsubscribe();
  }

  count(what: string): number {
    return this.asked.filter((ask) => ask.what === what).length;
  }

  dispatch(id: string): FakeDispatch {
    const found = this.dispatches.get(id);
    if (found === undefined) throw new PolaronError('UNKNOWN_DISPATCH', `there is no dispatch ${id}`);
    return found;
  }

  /** Moves an electron: a durable transition unless it only runs. */
  electron(id: string, node: number, status: ElectronStatus, more: Partial<ElectronView> = {}): void {
    const dispatch = this.dispatch(id);
    const old = dispatch.electrons[node];
    if (old === undefined) throw new Error(`no electron ${node}`);
    const transient = status === 'assigned' || status === 'running';
    if (!transient) dispatch.detail = { ...dispatch.detail, seq: dispatch.detail.seq + 1 };
    const view = {
      ...old,
      status,
      attempts: Math.max(1, old.attempts),
      seq: transient ? old.seq : dispatch.detail.seq,
      ...more,
    };
    dispatch.electrons[node] = view;
    this.event(id, { type: `electron.${status}`, transient, electron: view.name, node });
  }

  completeElectron(id: string, node: number, value: unknown): void {
    const bytes = encodeValue(value, 'value');
    this.dispatch(id).values.set(node, bytes);
    this.electron(id, node, 'completed', { value: valueInfoOf(bytes), endedAt: Date.now() });
  }

  /** Ends a dispatch; `inputs`: the output's, in the order of the graph's. */
  end(
    id: string,
    status: 'completed' | 'failed' | 'cancelled',
    inputs: OutputView['inputs'] = [],
    more: Partial<DispatchDetail> = {},
  ): void {
    const dispatch = this.dispatch(id);
    dispatch.detail = { ...dispatch.detail, status, endedAt: Date.now(), seq: dispatch.detail.seq + 1, ...more };
    if (status === 'completed') {
      const graph = decodeGraph(this.#bytes(dispatch.submit.graph));
      dispatch.output = { template: graph.output.template, inputs };
    }
    this.event(id, { type: `dispatch.${status}`, transient: false });
    for (const wake of dispatch.waiters) wake();
  }

  event(id: string, part: Pick<EventBody, 'type' | 'transient'> & Partial<EventBody>): void {
    const { detail } = this.dispatch(id);
    const event: EventBody = { dispatch: id, seq: detail.seq, at: Date.now(), ...part };
    if (!event.transient && this.lostEvents.has(event.seq)) return;
    this.#bus?.publish(`polaron.event.${detail.user}.${id}.${event.type}`, text.encode(JSON.stringify(event)));
  }

  async #answer(message: BusMessage, what: string): Promise<void> {
    const body = decodeBody(decodeEnvelope(message.data).body);
    const fields = typeof body === 'object' && body !== null ? Object.fromEntries(Object.entries(body)) : {};
    this.asked.push({ what, body: fields });
    if (what === 'get') {
      const bytes = this.values.get(digestFrom(fields)) ?? new Uint8Array();
      const offset = Number(fields['offset']);
      message.respond(bytes.slice(offset, offset + Number(fields['length'])));
      return;
    }
    let reply: unknown;
    try {
      const failure = this.failNext.get(what)?.shift();
      if (failure !== undefined) throw failure;
      reply = { ok: true, body: await this.#verb(what, body, message.subject.split('.')[2] ?? '') };
    } catch (error) {
      const e = error instanceof PolaronError ? error : new PolaronError('BAD_REQUEST', String(error));
      reply = { ok: false, error: { code: e.code, message: e.message, help: e.help, details: e.details } };
    }
    message.respond(encodeEnvelope('hub', reply));
  }

  async #verb(verb: string, body: unknown, user: string): Promise<unknown> {
    switch (verb) {
      case 'submit':
        return this.#submit(read.parseSubmit(body), user);
      case 'has':
        return { have: read.parseBlobHas(body).digests.filter((digest) => this.values.has(digest)) };
      case 'put':
        return this.#put(read.parseBlobPut(body));
      case 'wait':
        return this.#wait(read.parseWait(body));
      case 'snapshot':
        return this.#snapshot(read.parseSnapshot(body));
      case 'value': {
        const { id, electron } = read.parseValue(body);
        const dispatch = this.dispatch(id);
        const bytes =
          electron === undefined
            ? this.#bytes(dispatch.submit.args)
            : dispatch.values.get(this.#node(dispatch, electron).id);
        if (bytes === undefined) throw new PolaronError('VALUE_MISSING', 'it has no value yet');
        return { value: valueInfoOf(bytes), bytes };
      }
      case 'logs': {
        const { id, electron } = read.parseLogs(body);
        return { electron: this.#node(this.dispatch(id), electron), stdout: 'said\n', stderr: 'complained\n' };
      }
      case 'cancel': {
        const { id, electrons } = read.parseCancelRequest(body);
        if (electrons === undefined) this.end(id, 'cancelled');
        return { cancelled: (electrons ?? [id]).map(String), unconfirmed: [] };
      }
      case 'status': {
        const { id } = read.parseStatus(body);
        if (id !== undefined) return this.dispatch(id).detail;
        return {
          version: '0',
          pid: 1,
          node: 'n',
          bus: 'b',
          data: 'd',
          startedAt: 1,
          agents: [],
          dispatches: { live: 0 },
        };
      }
      case 'list':
        return { dispatches: [...this.dispatches.values()].map((dispatch) => dispatch.detail), more: false };
      case 'agents':
        return { agents: [] };
      default:
        throw new PolaronError('BAD_REQUEST', `unknown verb ${verb}`);
    }
  }

  #submit(submit: SubmitRequest, user: string): unknown {
    const existing = this.keys.get(submit.key);
    if (existing !== undefined) return { id: existing, existing: true };
    if (submit.bundle !== undefined && !this.values.has(submit.bundle.digest)) {
      throw new PolaronError('VALUE_MISSING', `bundle ${submit.bundle.digest} is not here`);
    }
    const id = `0123456789abcdefgh${String(this.#n++).padStart(2, '0')}-n`;
    const graphBytes = this.#bytes(submit.graph);
    this.values.set(digestOf(graphBytes), graphBytes);
    const graph = decodeGraph(graphBytes);
    const electrons = graph.nodes.map((node, i): ElectronView => {
      const name = node.kind === 'electron' ? (graph.electrons[node.electron]?.name ?? '?') : node.name;
      return { id: i, name: `${name}[${i}]`, status: 'waiting', attempts: 0, seq: 0 };
    });
    const detail: DispatchDetail = {
      id,
      user,
      lattice: submit.lattice.name,
      status: 'running',
      acceptedAt: Date.now(),
      startedAt: Date.now(),
      counts: { waiting: electrons.length },
      metadata: submit.metadata,
      seq: 2,
      source: submit.lattice.source,
      graph: valueInfoOf(graphBytes),
      args: valueInfoOf(this.#bytes(submit.args)),
      errors: [],
    };
    this.dispatches.set(id, { detail, submit, electrons, values: new Map(), output: undefined, waiters: new Set() });
    this.keys.set(submit.key, id);
    this.onSubmit(id);
    return { id, existing: false };
  }

  #put(put: ReturnType<typeof read.parseBlobPut>): unknown {
    const upload = this.#uploads.get(put.digest) ?? { size: put.size, parts: [], received: 0 };
    this.#uploads.set(put.digest, upload);
    if (put.offset === upload.received) {
      upload.parts.push(put.bytes.slice());
      upload.received += put.bytes.length;
    }
    if (upload.received < upload.size) return { received: upload.received, done: false };
    const whole = new Uint8Array(Buffer.concat(upload.parts));
    if (digestOf(whole) !== put.digest) throw new PolaronError('BAD_MESSAGE', 'the digest does not fit');
    this.values.set(put.digest, whole);
    return { received: upload.size, done: true };
  }

  /** As after a restart: what was half uploaded is gone. */
  forgetUploads(): void {
    this.#uploads.clear();
  }

  async #wait({ id, timeoutMs }: { id: string; timeoutMs: number }): Promise<unknown> {
    const dispatch = this.dispatch(id);
    if (!isTerminalDispatch(dispatch.detail.status) && timeoutMs > 0) {
      await new Promise<void>((resolve) => {
        const timer = setTimeout(resolve, timeoutMs);
        dispatch.waiters.add(() => {
          clearTimeout(timer);
          resolve();
        });
      });
    }
    const { source: _, graph: __, ...brief } = dispatch.detail;
    return { dispatch: brief, ...(dispatch.output === undefined ? {} : { output: dispatch.output }) };
  }

  #snapshot(o: ReturnType<typeof read.parseSnapshot>): SnapshotReply {
    const { detail, electrons } = this.dispatch(o.id);
    const fitting = electrons.filter(
      (e) =>
        e.id >= (o.from ?? 0) &&
        ((o.since ?? 0) === 0 || e.seq > (o.since ?? 0)) &&
        (o.status === undefined || e.status === o.status) &&
        (o.name === undefined || e.name === o.name || e.name.replace(/\[\d+\]$/, '') === o.name),
    );
    const limit = o.limit ?? 1_000;
    const next = fitting[limit]?.id;
    const { source: _, graph: __, ...brief } = detail;
    return {
      dispatch: o.brief === true ? brief : detail,
      electrons: fitting.slice(0, limit),
      ...(next === undefined ? {} : { next }),
    };
  }

  #node(dispatch: FakeDispatch, electron: number | string): ElectronView {
    const found = dispatch.electrons.find((e) => e.id === electron || e.name === electron);
    if (found !== undefined) return found;
    throw new PolaronError(
      'UNKNOWN_ELECTRON',
      `no electron ${electron}; did you mean ${dispatch.electrons[0]?.name ?? ''}?`,
    );
  }

  #bytes(carried: SubmitRequest['graph']): Uint8Array {
    if ('bytes' in carried) return carried.bytes;
    const bytes = this.values.get(carried.value.digest);
    if (bytes === undefined) throw new PolaronError('VALUE_MISSING', `value ${carried.value.digest} is not here`);
    return bytes;
  }
}

function digestFrom(fields: Record<string, unknown>): Digest {
  const { digests } = read.parseBlobHas({ digests: [fields['digest']] });
  const [digest] = digests;
  if (digest === undefined) throw new Error('no digest');
  return digest;
}

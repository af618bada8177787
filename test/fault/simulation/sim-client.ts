/** The user's side: uploads, submits with a key, waits, cancels, hears events; asks again as the SDK does. What it is told is what is promised. */
import { decodeBody, decodeEnvelope, encodeEnvelope } from '../../../bus/codec.ts';
import { userIdentity } from '../../../bus/identity.ts';
import {
  parseAgentsReply,
  parseBlobPutReply,
  parseCancelReplyBody,
  parseEvent,
  parseReply,
  parseSubmitReply,
  parseWaitReply,
} from '../../../bus/protocol/wire-api.ts';
import type { ApiReply, SubmitReply } from '../../../bus/protocol/api.ts';
import { encodeGraph } from '../../../bus/protocol/wire-graph.ts';
import type { ApiVerb, Subjects } from '../../../bus/subjects.ts';
import { digestOf, valueInfoOf } from '../../../bus/value/digest.ts';
import { encodeValue } from '../../../bus/value/value.ts';
import { PolaronError } from '../../../model/errors.ts';
import type { Digest } from '../../../model/ids.ts';
import { isTerminalDispatch } from '../../../model/lifecycle.ts';
import type { History } from './history.ts';
import type { SimProcess } from './machine.ts';
import type { CancelPlan, RedispatchPlan } from './plan.ts';
import { bundle, definitionOf } from './program.ts';
import { codeOf, type Program } from './programs.ts';
import type { Rng } from './random.ts';
import type { SimBus } from './sim-bus.ts';

export const USER = 'kim';
const REQUEST_MS = 5_000;
const WAIT_MS = 5_000;
const CANCEL_MS = 20_000;
const PAUSE_MS = 200;
const again: ReadonlySet<string> = new Set([
  'NO_RESPONDERS',
  'REQUEST_TIMEOUT',
  'BUS_DISCONNECTED',
  'HUB_BUSY',
  'MAILBOX_FULL',
  'STORE_FAILED',
]);

export interface ClientOptions {
  readonly bus: SimBus;
  readonly process: SimProcess;
  readonly subjects: Subjects;
  readonly history: History;
  readonly random: Rng;
  /** A dispatch is one inside another. */
  readonly inner: (dispatch: string) => boolean;
  /** Digests of the electrons' code whose names begin so. */
  readonly codes: (names: string) => Readonly<Record<string, Digest>>;
}

export class SimClient {
  readonly #o: ClientOptions;
  readonly #ids: (string | undefined)[] = [];
  readonly #inner = new Set<string>();
  /** By number. */
  readonly #ended = new Set<number>();
  #uploaded: Promise<unknown> | undefined;
  /** What it has begun and has no answer to. */
  busy = 0;

  constructor(options: ClientOptions) {
    this.#o = options;
    const { bus, subjects, history } = options;
    bus.subscribe(subjects.eventsOf(USER), ({ data }) => {
      const {
        dispatch,
        seq,
        transient,
        type: event,
        node,
      } = parseEvent(JSON.parse(Buffer.from(data).toString('utf8')));
      if (event.startsWith('dispatch.') && this.#o.inner(dispatch)) this.#inner.add(dispatch);
      history.add({ type: 'event', dispatch, seq, transient, event, ...(node === undefined ? {} : { node }) });
    });
  }

  get ids(): readonly (string | undefined)[] {
    return this.#ids;
  }

  /** Dispatches inside its own that it has heard of. */
  get inner(): readonly string[] {
    return [...this.#inner];
  }

  /** Which dispatch of the plan this is, before the client was told. */
  indexOf(dispatch: string): number | undefined {
    const at = this.#ids.indexOf(dispatch);
    return at < 0 ? undefined : at;
  }

  /** Submits, waits for the end, and tells what it was told. */
  dispatch(program: Program, index: number): void {
    this.#busy(async () => {
      const { again } = program;
      const { id, existing } =
        again === undefined ? await this.#submit(program, index) : await this.#redispatch(program, again, index);
      this.#ids[index] = id;
      const { history } = this.#o;
      history.add({ type: 'submitted', index, dispatch: id, existing });
      for (;;) {
        const read = parseReply(parseWaitReply);
        const { dispatch, output } = await this.#ask('wait', read, { id, timeoutMs: WAIT_MS }, WAIT_MS + 2_000);
        if (!isTerminalDispatch(dispatch.status)) continue;
        const inputs = output?.inputs;
        const digests = Array.isArray(inputs) ? inputs.map(digestIn) : undefined;
        history.add({
          type: 'ended',
          dispatch: id,
          status: dispatch.status,
          ...(digests === undefined ? {} : { output: digests }),
        });
        this.#ended.add(index);
        return;
      }
    });
  }

  #submit({ graph, plan, values, names }: Program, index: number): Promise<SubmitReply> {
    const request = {
      key: `dispatch ${index}`,
      lattice: { name: `d${index}`, source: '' },
      graph: { bytes: encodeGraph(graph) },
      args: { bytes: encodeValue([], 'arguments') },
      bundle: valueInfoOf(bundle),
      argv: [],
      captures: {},
      metadata: {},
      durability: plan.strict ? 'strict' : 'pipelined',
      failFast: plan.failFast,
      priority: plan.priority,
      timeoutMs: plan.timeoutMs,
      ...(plan.codes === true ? { codes: this.#o.codes(names) } : {}),
    };
    return this.#send('submit', request, [...values.values()]);
  }

  /** Once the other one has an id, or has ended. */
  async #redispatch({ graph, values }: Program, again: RedispatchPlan, index: number): Promise<SubmitReply> {
    let id: string | undefined;
    while ((id = this.#ids[again.of]) === undefined || (again.ended && !this.#ended.has(again.of)))
      await new Promise<void>((resolve) => this.#o.process.clock.after(PAUSE_MS, resolve));
    const code = codeOf(index);
    const replace = again.replace.map(({ name, electron }) => {
      const def = definitionOf(electron, name);
      return { name, def, bundle: valueInfoOf(code), code: digestOf(Buffer.from(`${name} in ${index}`)) };
    });
    const anew = again.args === undefined ? undefined : [encodeGraph(graph), encodeValue(again.args, 'arguments')];
    const [drawn, args] = anew?.map((bytes) => valueInfoOf(bytes)) ?? [];
    const request = {
      key: `redispatch ${index}`,
      id,
      reuse: again.reuse,
      ...(replace.length === 0 ? {} : { replace }),
      ...(drawn === undefined ? {} : { graph: drawn, args }),
    };
    const uploads = [...(replace.length === 0 ? [] : [code]), ...(anew ?? []), ...values.values()];
    return this.#send('redispatch', request, uploads);
  }

  /** Nothing happens while the dispatch has no id. */
  cancel({ dispatch, inner, nodes }: CancelPlan): void {
    const known = this.inner;
    const id = inner === undefined ? this.#ids[dispatch] : known[inner % known.length];
    if (id !== undefined) this.cancelOf(id, nodes);
  }

  cancelOf(id: string, nodes: readonly number[] | undefined): void {
    this.#busy(async () => {
      const { history } = this.#o;
      const electrons = nodes === undefined ? {} : { nodes };
      history.add({ type: 'cancelling', dispatch: id, ...electrons });
      const body = { id, reason: 'by plan', ...(nodes === undefined ? {} : { electrons: nodes }) };
      const { cancelled } = await this.#ask('cancel', parseReply(parseCancelReplyBody), body, CANCEL_MS);
      history.add({ type: 'cancelled', dispatch: id, names: cancelled });
    });
  }

  /** Which agents the hub thinks to have work. */
  agents(): void {
    this.#busy(async () => {
      const { agents } = await this.#ask('agents', parseReply(parseAgentsReply), {});
      const busy = agents.filter(({ running, queued }) => running + queued > 0);
      this.#o.history.add({
        type: 'agents',
        busy: busy.map(({ name, running, queued }) => `${name}: ${running} running, ${queued} queued`),
      });
    });
  }

  #busy(work: () => Promise<void>): void {
    this.busy++;
    work().then(
      () => this.busy--,
      (error: unknown) => {
        this.busy--;
        const code = error instanceof PolaronError ? error.code : String(error);
        this.#o.history.add({ type: 'refusal', verb: 'any', code });
      },
    );
  }

  /** As the SDK does (D5): a hub that lost what was uploaded, since a clock that jumped a day ended its pin, is given it once more. */
  async #send(verb: 'submit' | 'redispatch', request: object, values: readonly Uint8Array[]): Promise<SubmitReply> {
    this.#uploaded ??= this.#upload(bundle);
    await this.#uploaded;
    for (const value of values) await this.#upload(value);
    const send = (): Promise<SubmitReply> => this.#ask(verb, parseReply(parseSubmitReply), request);
    try {
      return await send();
    } catch (error) {
      if (!(error instanceof Refused) || error.code !== 'VALUE_MISSING') throw error;
      for (const value of [bundle, ...values]) await this.#upload(value);
      return send();
    }
  }

  async #upload(bytes: Uint8Array): Promise<void> {
    const { subjects } = this.#o;
    const body = { digest: digestOf(bytes), size: bytes.length, offset: 0, bytes };
    await this.#request(subjects.userBlob(USER, 'put'), body, parseReply(parseBlobPutReply), REQUEST_MS);
  }

  #ask<T>(verb: ApiVerb, read: (x: unknown) => ApiReply<T>, body: unknown, timeoutMs = REQUEST_MS): Promise<T> {
    return this.#request(this.#o.subjects.api(USER, verb), body, read, timeoutMs);
  }

  async #request<T>(subject: string, body: unknown, read: (x: unknown) => ApiReply<T>, timeoutMs: number): Promise<T> {
    const { bus, process, random } = this.#o;
    for (;;) {
      try {
        const answer = await bus.request(subject, encodeEnvelope(userIdentity(USER), body), { timeoutMs });
        const reply = read(decodeBody(decodeEnvelope(answer.data).body));
        if (reply.ok) return reply.body;
        if (!again.has(reply.error.code)) throw new Refused(reply.error);
      } catch (error) {
        if (!(error instanceof PolaronError) || !again.has(error.code)) throw error;
      }
      await new Promise<void>((resolve) => process.clock.after(PAUSE_MS * (0.5 + random.fraction()), resolve));
    }
  }
}

class Refused extends Error {
  readonly code: string;

  constructor({ code, message }: { readonly code: string; readonly message: string }) {
    super(`${code}: ${message}`);
    this.code = code;
  }
}

const digestIn = (input: unknown): string =>
  input instanceof Uint8Array
    ? digestOf(input)
    : typeof input === 'object' && input !== null && 'digest' in input
      ? String(input.digest)
      : '';

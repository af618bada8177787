/**
 * Accepts dispatches, starts and recovers lattice supervisors, and answers for them.
 *
 * D1. A dispatch id is given out only when manifest, graph, arguments and code are on disk.
 * D2. A crashed supervisor begins again from its records, at most MAX_RESTARTS times in a window; then its dispatch is failed.
 * D3. The dispatch of a lattice inside another lives as long as that one lives: what is left of one that ended is cancelled, after a restart too.
 */
import type { Clock } from '../../model/clock.ts';
import { asPolaronError, PolaronError } from '../../model/errors.ts';
import { isDispatchId, ownerOf, type DispatchId } from '../../model/ids.ts';
import type { Log } from '../../model/log.ts';
import { INLINE_VALUE_BYTES } from '../../store/store.ts';
import type { DispatcherMessage, LatticeMessage } from '../../bus/protocol/actors.ts';
import type {
  AgentsReply,
  AgentStatus,
  CancelReplyBody,
  HubStatus,
  PurgeReply,
  SnapshotReply,
  SubmitReply,
  Unoffered,
} from '../../bus/protocol/api.ts';
import type { DispatchSpec, RecordOp } from '../../bus/protocol/results.ts';
import {
  parseAttempts,
  parseCancelRequest,
  parseList,
  parseLogs,
  parseSnapshot,
  parseStatus,
  parseSubmit,
  parseValue,
  parseWait,
} from '../../bus/protocol/wire-api.ts';
import { parseRedispatch } from '../../bus/protocol/wire-redispatch.ts';
import { parseWhy, type WhyReply, type WhyRequest } from '../../bus/protocol/why.ts';
import { parseBackup, parsePurge } from '../../bus/protocol/wire-upkeep.ts';
import type { ApiVerb } from '../../bus/subjects.ts';
import type { WireGraph } from '../../model/graph.ts';
import type { ResultsClient } from '../results-client.ts';
import type { GraphCache, PublishEvent } from '../services.ts';
import type { Actor, ActorSystem, Address, Message } from '../system.ts';
import { parseAgents, parseDrain } from '../../bus/protocol/agents.ts';
import { Admission, type AdmissionLimits } from './admission.ts';
import { agentsReply, drainAgent, type Command } from './agent-requests.ts';
import { Beginnings } from './beginnings.ts';
import type { FirstNeed } from './first-need.ts';
import { CancelRequests } from './cancel-requests.ts';
import { failDispatch } from './fail-dispatch.ts';
import { takeIn, type Intake } from './intake.ts';
import { withLiveLogs, type AskLogs } from './live-logs.ts';
import { WhyRequests, type WhyOptions } from './why.ts';
import { submitOf, type Taken } from './redispatch.ts';

export interface DispatcherOptions {
  readonly system: ActorSystem;
  readonly results: ResultsClient;
  readonly clock: Clock;
  readonly log: Log;
  readonly randomBytes: (count: number) => Uint8Array;
  readonly publish: PublishEvent;
  readonly graphs: GraphCache;
  readonly agents: () => readonly AgentStatus[];
  readonly command: Command;
  /** What a dispatch waits for that no agent offers. */
  readonly unoffered: (id: DispatchId, waits: FirstNeed | undefined) => readonly Unoffered[];
  readonly about: () => Omit<HubStatus, keyof AgentsReply | 'dispatches'>;
  /** Puts a supervisor at its address. */
  readonly spawnSupervisor: (id: DispatchId) => void;
  /** Stops a supervisor's electron actors. */
  readonly disposeSupervisor: (id: DispatchId) => void;
  readonly limits?: AdmissionLimits;
  /** Why electrons of a dispatch have no agent. */
  readonly why: WhyOptions['why'];
  /** Dispatches that wait for an agent, by what they need and from this priority on. */
  readonly waitingAhead: (key: string, priority: number) => number;
  /** Absent: what has not ended shows nothing. */
  readonly liveLogs?: AskLogs;
  /** See beginnings.ts. */
  readonly mostWaiting?: number | undefined;
}

const LONGEST_WAIT_MS = 25_000;
const MAX_RESTARTS = 3;
const RESTART_WINDOW_MS = 60_000;
/** Kinds of missing agents that a snapshot tells: it has to fit into a message. */
const MOST_UNOFFERED = 20;
/** Electrons of a cancel that are looked up by the result manager; the supervisor looks all of them up. */
const MOST_CHECKED = 20;
const RESTART_PAUSE_MS = 100;
const UPKEEP_MS = 55_000;
/** The number of a cancel that no user asked for. */
const UNASKED = 0;

export class Dispatcher implements Actor<DispatcherMessage> {
  readonly #o: DispatcherOptions;
  readonly #self: Address;
  readonly #live: Admission;
  readonly #beginnings: Beginnings;
  readonly #restarts = new Map<DispatchId, number[]>();
  /** Submissions under way, by user and key. */
  readonly #keys = new Map<string, Promise<SubmitReply>>();
  readonly #cancels: CancelRequests;
  readonly #whys: WhyRequests;
  #recovered: Promise<unknown> = Promise.resolve();

  constructor(options: DispatcherOptions) {
    this.#o = options;
    this.#live = new Admission(options.results, options.limits);
    this.#self = options.system.address('dispatcher', 'main');
    this.#cancels = new CancelRequests(options, this.#self);
    this.#whys = new WhyRequests(options, this.#self);
    this.#beginnings = new Beginnings({
      ...options,
      dispatcher: this.#self,
      live: this.#live,
      onFailed: (id, error) => void this.#fail(id, asPolaronError(error, 'SUPERVISOR_FAILED').message),
    });
  }

  receive(message: DispatcherMessage): void {
    switch (message.type) {
      case 'dispatch.ended':
        this.#live.ended(message.id);
        this.#restarts.delete(message.id);
        return;
      case 'dispatch.inner':
        return this.#inner(message.spec, message.graph);
      case 'dispatch.leave':
        void this.#leave(message.id, message.reason);
        return;
      case 'lattice.explained':
        return this.#whys.explained(message);
      case 'cancel.settled':
        this.#cancels.settled(message);
    }
  }

  undeliverable(to: Address, message: Message): void {
    if (message.type !== 'lattice.cancel' || !('request' in message) || typeof message.request !== 'number') return;
    const id = to.slice(to.lastIndexOf('.') + 1);
    if (isDispatchId(id) && this.#live.has(id)) {
      // Its supervisor crashed and is beginning again.
      this.#o.clock.after(RESTART_PAUSE_MS, () => this.#o.system.send(to, message, this.#self));
      return;
    }
    this.#cancels.late(message.request);
  }

  /** Puts every dispatch that has not ended back to work. */
  recover(ids: readonly DispatchId[]): Promise<void> {
    const recovered = this.#recover(ids);
    this.#recovered = recovered.catch(() => undefined); // told to whoever asked for it
    return recovered;
  }

  /** D3. */
  async #recover(ids: readonly DispatchId[]): Promise<void> {
    for (const id of await this.#beginnings.recover(ids)) void this.#leave(id, 'the dispatch around it has ended');
  }

  /** Agents have taken some of what waited. */
  readonly taken = (): void => this.#beginnings.next();

  /** Something is for this dispatch, and nobody was there to hear it. */
  readonly unheard = (id: DispatchId): void => void this.#beginnings.wake(id);

  /** A supervisor crashed: it begins again alone, or its dispatch is failed. */
  crashed(id: DispatchId, error: Error): void {
    this.#o.disposeSupervisor(id);
    const now = this.#o.clock.monotonic();
    const recent = [...(this.#restarts.get(id) ?? []).filter((at) => now - at < RESTART_WINDOW_MS), now];
    this.#restarts.set(id, recent);
    this.#o.log('error', `the supervisor of ${id} crashed: ${error.message}`, {
      restarts: recent.length,
      stack: error.stack,
    });
    if (recent.length > MAX_RESTARTS) {
      void this.#fail(id, `the supervisor crashed ${recent.length} times in a minute, last: ${error.message}`);
      return;
    }
    this.#beginnings
      .resume(id)
      .catch((failure: unknown) => this.#fail(id, asPolaronError(failure, 'SUPERVISOR_FAILED').message));
  }

  async handle(user: string, verb: ApiVerb, body: unknown): Promise<unknown> {
    const { results } = this.#o;
    switch (verb) {
      case 'submit':
        return this.#submit(user, () => parseSubmit(body));
      case 'redispatch':
        return this.#submit(user, async () => {
          const request = parseRedispatch(body);
          const { spec } = await results.ask('results.spec', { id: this.#own(request.id), user });
          return submitOf(spec, request);
        });
      case 'list':
        return results.ask('results.list', { ...parseList(body), user });
      case 'status': {
        const { id } = parseStatus(body);
        if (id !== undefined) return results.ask('results.detail', { id: this.#own(id), user });
        return {
          ...this.#o.about(),
          ...agentsReply(this.#o.agents()),
          dispatches: { live: this.#live.size },
        } satisfies HubStatus;
      }
      case 'snapshot': {
        const request = parseSnapshot(body);
        const id = this.#own(request.id);
        const reply = await results.ask('results.snapshot', { ...request, id, user });
        const unoffered = this.#o.unoffered(id, this.#beginnings.needOf(id)).slice(0, MOST_UNOFFERED);
        return { ...reply, ...(unoffered.length === 0 ? {} : { unoffered }) } satisfies SnapshotReply;
      }
      case 'wait': {
        const { id, timeoutMs } = parseWait(body);
        return results.ask(
          'results.wait',
          { id: this.#own(id), user, timeoutMs: Math.min(timeoutMs, LONGEST_WAIT_MS) },
          LONGEST_WAIT_MS + 10_000,
        );
      }
      case 'value': {
        const request = parseValue(body);
        return results.ask('results.value', { ...request, id: this.#own(request.id), user });
      }
      case 'logs': {
        const request = parseLogs(body);
        const id = this.#own(request.id);
        return withLiveLogs(id, request, () => results.ask('results.logs', { ...request, id, user }), this.#o.liveLogs);
      }
      case 'attempts': {
        const request = parseAttempts(body);
        return results.ask('results.attempts', { ...request, id: this.#own(request.id), user });
      }
      case 'why':
        return this.#why(user, parseWhy(body));
      case 'cancel':
        return this.#cancel(user, body);
      case 'agents':
        return agentsReply(this.#o.agents(), parseAgents(body));
      case 'drain':
        return drainAgent(this.#o, user, parseDrain(body));
      case 'purge':
        return this.#purge(user, body);
      case 'backup':
        return results.ask('results.backup', parseBackup(body), UPKEEP_MS);
    }
  }

  async #why(user: string, request: WhyRequest): Promise<WhyReply> {
    const id = this.#own(request.id);
    const { results } = this.#o;
    const detail = await results.ask('results.detail', { id, user });
    const of = { id, user, electron: request.electron ?? 0 };
    const electron = request.electron === undefined ? undefined : (await results.ask('results.attempts', of)).electron;
    return this.#whys.ask(detail, id, electron, this.#beginnings.needOf(id));
  }

  /** Checks an id's form and owner. Raises UNKNOWN_DISPATCH, NOT_OWNER. */
  #own(id: string): DispatchId {
    if (!isDispatchId(id))
      throw new PolaronError(
        'UNKNOWN_DISPATCH',
        `${JSON.stringify(id.slice(0, 80))} is not a dispatch id; expected e.g. 01jd3k9x2m4n5p6q7r8s-${this.#o.system.node}`,
      );
    const owner = ownerOf(id);
    if (owner !== this.#o.system.node)
      throw new PolaronError('NOT_OWNER', `dispatch ${id} belongs to hub ${owner}; this is ${this.#o.system.node}`);
    return id;
  }

  #submit(user: string, read: () => Taken | Promise<Taken>): Promise<SubmitReply> {
    return this.#live.enter(async () => {
      const request = await read();
      const name = `${user}/${request.key}`;
      // The same key while another is being taken in: wait, then ask again for the decision.
      for (let other = this.#keys.get(name); other !== undefined; other = this.#keys.get(name))
        await other.catch(() => undefined);
      const submission = this.#take(user, request);
      this.#keys.set(name, submission);
      try {
        return await submission;
      } finally {
        this.#keys.delete(name);
      }
    });
  }

  async #take(user: string, request: Taken): Promise<SubmitReply> {
    const { results, system, clock, randomBytes } = this.#o;
    const taken = await takeIn({ results, node: system.node, now: () => clock.now(), randomBytes }, user, request);
    if (!('existing' in taken)) return this.#accept(taken);
    await results.flushed();
    return { id: taken.existing, existing: true };
  }

  async #accept(taken: Exclude<Intake, { existing: DispatchId }>): Promise<SubmitReply> {
    const { spec, graph, contentDigest, request } = taken;
    const { results } = this.#o;
    const ops: RecordOp[] = [];
    for (const part of [request.graph, request.args]) {
      if ('value' in part) continue;
      const digest = part === request.graph ? spec.graph.digest : spec.args.digest;
      if (part.bytes.byteLength > INLINE_VALUE_BYTES) await results.ask('results.store', { bytes: part.bytes });
      else ops.push({ op: 'value', digest, bytes: part.bytes });
    }
    ops.push({ op: 'accept', spec, contentDigest });
    results.write(...ops);
    // before what it tells of itself when it begins
    results.afterFlush(() => this.#tellAccepted(spec));
    this.#beginnings.accepted(spec, graph);
    await results.flushed();
    return { id: spec.id, existing: false };
  }

  #tellAccepted({ id, user }: DispatchSpec): void {
    this.#o.publish({ user, dispatch: id, type: 'dispatch.accepted', seq: 0, transient: true });
  }

  /** Its records are queued. */
  #inner(spec: DispatchSpec, graph: WireGraph): void {
    this.#o.results.afterFlush(() => this.#tellAccepted(spec));
    const crowded = this.#live.crowded();
    if (crowded === undefined) return this.#beginnings.inside(spec, graph);
    const error = { code: 'HUB_BUSY', message: `no lattice inside another can begin: ${crowded}` };
    void failDispatch(this.#o, this.#self, spec.id, error, spec);
  }

  /** Nobody waits for the answer: the one around it hears when it has ended. */
  async #leave(id: DispatchId, reason: string): Promise<void> {
    // The one around it may have been recovered before it.
    await this.#recovered;
    if (!this.#live.has(id)) return;
    await this.#beginnings.wake(id);
    const cancel: LatticeMessage = { type: 'lattice.cancel', request: UNASKED, reason };
    this.#o.system.send(this.#o.system.address('lattice', id), cancel, this.#self);
  }

  #purge(user: string, body: unknown): Promise<PurgeReply> {
    const { olderThanMs, dryRun = false, ...rest } = parsePurge(body);
    const endedBefore = this.#o.clock.now() - olderThanMs;
    return this.#o.results.ask('results.purge', { ...rest, user, endedBefore, dryRun }, UPKEEP_MS);
  }

  async #cancel(user: string, body: unknown): Promise<CancelReplyBody> {
    const request = parseCancelRequest(body);
    const id = this.#own(request.id);
    const { results } = this.#o;
    await results.ask('results.detail', { id, user });
    // What was mistyped is told with near matches, of a dispatch that has ended too.
    for (const electron of request.electrons?.slice(0, MOST_CHECKED) ?? [])
      await results.ask('results.logs', { id, user, electron });
    if (!this.#live.has(id)) return { cancelled: [], unconfirmed: [] };
    await this.#beginnings.wake(id);
    return this.#cancels.ask(id, request);
  }

  async #fail(id: DispatchId, why: string): Promise<void> {
    this.#live.ended(id);
    this.#restarts.delete(id);
    this.#o.log('error', `dispatch ${id} was failed: ${why}`);
    const error = { code: 'SUPERVISOR_FAILED', message: why };
    for (const inner of await failDispatch(this.#o, this.#self, id, error)) void this.#leave(inner, why);
  }
}

export const isDispatcherMessage = (message: Message): message is DispatcherMessage =>
  message.type.startsWith('dispatch.') || message.type === 'cancel.settled' || message.type === 'lattice.explained';

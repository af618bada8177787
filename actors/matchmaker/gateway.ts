/**
 * The matchmaker's side of the bus: what agents say (`up`), and what is said to them (`down`). Decodes and checks at the edge; decides nothing.
 * A message that isn't decodable, of another version, or that claims another identity than its subject's is dropped, counted and logged.
 */
import type { Bus, BusMessage } from '../../bus/bus.ts';
import {
  decodeBody,
  decodeEnvelope,
  encodeBody,
  encodeEnvelope,
  encodeEnvelopeFor,
  PROTOCOL_VERSION,
} from '../../bus/codec.ts';
import { agentIdentity } from '../../bus/identity.ts';
import type {
  Assign,
  AssignReply,
  Cancel,
  CancelReply,
  Control,
  Done,
  DoneReply,
  LiveLogs,
  LogLine,
  LogsAsk,
  Progress,
  Sync,
  SyncReply,
} from '../../bus/protocol/agent.ts';
import {
  parseAssign,
  parseAssignReply,
  parseCancelReply,
  parseDone,
  parseLiveLogs,
  parseLogLine,
  parseProgress,
  parseSync,
} from '../../bus/protocol/wire-agent.ts';
import { packAssign } from '../../bus/protocol/shared-parts.ts';
import type { Subjects } from '../../bus/subjects.ts';
import { offerRefused } from '../../model/capability.ts';
import { asPolaronError, PolaronError } from '../../model/errors.ts';
import { agentKeyOf, isToken, type AgentKey } from '../../model/ids.ts';
import { throttledLog, type Log } from '../../model/log.ts';
import { ReadOffers } from './read-offers.ts';

export interface GatewayOptions {
  readonly bus: Bus;
  readonly subjects: Subjects;
  /** The hub's identity. */
  readonly by: string;
  /** Of the hub's package: what an agent of another protocol is told. */
  readonly version: string;
  readonly log: Log;
  readonly monotonic: () => number;
}

export interface GatewayHandlers {
  sync(agent: AgentKey, sync: Sync, reply: (reply: SyncReply) => void): void;
  done(agent: AgentKey, done: Done, reply: (reply: DoneReply) => void): void;
  log(agent: AgentKey, line: LogLine): void;
  progress(agent: AgentKey, progress: Progress): void;
}

export class AgentGateway {
  readonly #o: GatewayOptions;
  readonly #warn: ReturnType<typeof throttledLog>;
  readonly #offers = new ReadOffers();
  /** Messages that were refused at the edge. */
  dropped = 0;

  constructor(options: GatewayOptions) {
    this.#o = options;
    this.#warn = throttledLog(options.log, options.monotonic);
  }

  /** Begins to listen; returns what ends it. */
  listen(handlers: GatewayHandlers): () => void {
    const subscription = this.#o.bus.subscribe(this.#o.subjects.allUp, (message) => {
      try {
        this.#receive(message, handlers);
      } catch (error) {
        this.#refuseVersion(message, error);
        this.#drop(`a message on ${message.subject}`, error);
      }
    });
    return () => subscription.unsubscribe();
  }

  /** An agent of another protocol hears so, in an envelope that it reads: it would ask for ever. */
  #refuseVersion(message: BusMessage, error: unknown): void {
    if (!(error instanceof PolaronError) || error.code !== 'WRONG_VERSION' || !message.subject.endsWith('.sync'))
      return;
    const { v } = error.details;
    if (typeof v !== 'number' || !Number.isSafeInteger(v) || v < 0) return;
    const refusal: SyncReply = { type: 'other-version', protocol: PROTOCOL_VERSION, version: this.#o.version };
    message.respond(encodeEnvelopeFor(v, this.#o.by, refusal));
  }

  #drop(what: string, error: unknown): void {
    this.dropped++;
    const { code, message } = asPolaronError(error, 'BAD_MESSAGE');
    this.#warn(`up:${code}`, 'warn', `dropped ${what}: ${message}`, { code, dropped: this.dropped });
  }

  #receive(message: BusMessage, handlers: GatewayHandlers): void {
    const [, , site, agent, kind] = message.subject.split('.');
    if (!isToken(site) || !isToken(agent)) throw new PolaronError('BAD_MESSAGE', `${message.subject} names no agent`);
    const envelope = decodeEnvelope(message.data);
    if (envelope.by !== agentIdentity(site, agent)) {
      throw new PolaronError('NOT_ALLOWED', `the message says it is from ${JSON.stringify(envelope.by.slice(0, 80))}`);
    }
    const key = agentKeyOf(site, agent);
    const body = decodeBody(envelope.body);
    if (kind === 'done') handlers.done(key, parseDone(body), (reply) => this.#respond(message, reply));
    else if (kind === 'sync') this.#sync(key, parseSync(body), message, handlers);
    else if (kind === 'log') handlers.log(key, parseLogLine(body));
    else if (kind === 'progress') handlers.progress(key, parseProgress(body));
    else throw new PolaronError('BAD_MESSAGE', `unknown kind ${JSON.stringify(kind)}`);
  }

  /** What can't be read would be offered to nobody: its agent hears so, and goes. */
  #sync(key: AgentKey, sync: Sync, message: BusMessage, handlers: GatewayHandlers): void {
    const wrong = this.#offers.unreadable(sync.capabilities);
    if (wrong === undefined) return handlers.sync(key, sync, (reply) => this.#respond(message, reply));
    this.#respond(message, { type: 'unreadable-offer', ...wrong });
    const { code, message: text, details } = offerRefused(`agent ${key}`, wrong);
    this.#warn(`offer:${key}`, 'warn', text, { code, ...details });
  }

  /**
   * One try. Rejects with NO_RESPONDERS, REQUEST_TIMEOUT, BUS_DISCONNECTED; with PAYLOAD_TOO_LARGE when the bus doesn't carry it, and BAD_MESSAGE
   * when it went unanswered and is nothing that an agent would take.
   */
  async assign(agent: AgentKey, assign: Assign, timeoutMs: number): Promise<AssignReply> {
    const packed = packAssign(assign);
    try {
      return await this.#request(agent, 'assign', packed, parseAssignReply, timeoutMs);
    } catch (error) {
      // An agent drops what doesn't fit the protocol without a word: only then it is worth the look.
      if (asPolaronError(error, 'BAD_MESSAGE').code === 'REQUEST_TIMEOUT') parseAssign(decodeBody(encodeBody(packed)));
      throw error;
    }
  }

  async cancel(agent: AgentKey, cancel: Cancel, timeoutMs: number): Promise<CancelReply> {
    return this.#request(agent, 'cancel', cancel, parseCancelReply, timeoutMs);
  }

  /** Tells an agent to drain or to stop; resolves when it has heard. Rejects as `cancel` does. */
  async control(agent: AgentKey, control: Control, timeoutMs: number): Promise<void> {
    await this.#request(agent, 'control', control, (x) => x, timeoutMs);
  }

  /** What a task has written so far on its agent. Rejects as `cancel` does. */
  async logs(agent: AgentKey, ask: LogsAsk, timeoutMs: number): Promise<LiveLogs> {
    return this.#request(agent, 'logs', ask, parseLiveLogs, timeoutMs);
  }

  /** Asks every agent to sync now. */
  probe(): void {
    this.#o.bus.publish(this.#o.subjects.probe, encodeEnvelope(this.#o.by, {}));
  }

  async #request<T>(
    agent: AgentKey,
    kind: 'assign' | 'cancel' | 'control' | 'logs',
    body: unknown,
    read: (x: unknown) => T,
    timeoutMs: number,
  ): Promise<T> {
    const [site = '', name = ''] = agent.split('.');
    const message = await this.#o.bus.request(
      this.#o.subjects.down(site, name, kind),
      encodeEnvelope(this.#o.by, body),
      { timeoutMs },
    );
    try {
      return read(decodeBody(decodeEnvelope(message.data).body));
    } catch (error) {
      this.#drop(`the answer of ${agent} to ${kind}`, error);
      throw new PolaronError('REQUEST_TIMEOUT', `agent ${agent} gave ${kind} no answer that can be read`, {
        cause: error,
      });
    }
  }

  #respond(message: BusMessage, body: unknown): void {
    message.respond(encodeEnvelope(this.#o.by, body));
  }
}

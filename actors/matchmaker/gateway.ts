/**
 * The matchmaker's side of the bus: what agents say (`up`), and what is said to them (`down`). Decodes and checks at the edge; decides nothing.
 * A message that isn't decodable, of another version, or that claims another identity than its subject's is dropped, counted and logged.
 */
import type { Bus, BusMessage } from '../../bus/bus.ts';
import { decodeBody, decodeEnvelope, encodeEnvelope } from '../../bus/codec.ts';
import { agentIdentity } from '../../bus/identity.ts';
import type {
  Assign,
  AssignReply,
  Cancel,
  CancelReply,
  Done,
  DoneReply,
  LogLine,
  Progress,
  Sync,
  SyncReply,
} from '../../bus/protocol/agent.ts';
import {
  parseAssignReply,
  parseCancelReply,
  parseDone,
  parseLogLine,
  parseProgress,
  parseSync,
} from '../../bus/protocol/wire-agent.ts';
import type { Subjects } from '../../bus/subjects.ts';
import { asPolaronError, PolaronError } from '../../model/errors.ts';
import { agentKeyOf, isToken, type AgentKey } from '../../model/ids.ts';
import { throttledLog, type Log } from '../../model/log.ts';

export interface GatewayOptions {
  readonly bus: Bus;
  readonly subjects: Subjects;
  /** The hub's identity. */
  readonly by: string;
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
        this.dropped++;
        const failure = asPolaronError(error, 'BAD_MESSAGE');
        this.#warn(`up:${failure.code}`, 'warn', `dropped a message on ${message.subject}: ${failure.message}`, {
          code: failure.code,
          dropped: this.dropped,
        });
      }
    });
    return () => subscription.unsubscribe();
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
    else if (kind === 'sync') handlers.sync(key, parseSync(body), (reply) => this.#respond(message, reply));
    else if (kind === 'log') handlers.log(key, parseLogLine(body));
    else if (kind === 'progress') handlers.progress(key, parseProgress(body));
    else throw new PolaronError('BAD_MESSAGE', `unknown kind ${JSON.stringify(kind)}`);
  }

  /** One try. Rejects with NO_RESPONDERS, REQUEST_TIMEOUT, BUS_DISCONNECTED or BAD_MESSAGE. */
  async assign(agent: AgentKey, assign: Assign, timeoutMs: number): Promise<AssignReply> {
    return parseAssignReply(await this.#request(agent, 'assign', assign, timeoutMs));
  }

  async cancel(agent: AgentKey, cancel: Cancel, timeoutMs: number): Promise<CancelReply> {
    return parseCancelReply(await this.#request(agent, 'cancel', cancel, timeoutMs));
  }

  /** Asks every agent to sync now. */
  probe(): void {
    this.#o.bus.publish(this.#o.subjects.probe, encodeEnvelope(this.#o.by, {}));
  }

  async #request(agent: AgentKey, kind: 'assign' | 'cancel', body: unknown, timeoutMs: number): Promise<unknown> {
    const [site = '', name = ''] = agent.split('.');
    const message = await this.#o.bus.request(
      this.#o.subjects.down(site, name, kind),
      encodeEnvelope(this.#o.by, body),
      { timeoutMs },
    );
    return decodeBody(decodeEnvelope(message.data).body);
  }

  #respond(message: BusMessage, body: unknown): void {
    message.respond(encodeEnvelope(this.#o.by, body));
  }
}

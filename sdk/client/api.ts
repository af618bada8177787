/**
 * Every verb of the dispatcher as a typed method: encodes, asks with patience, decodes, turns error answers into PolaronError.
 * Used by the SDK's functions and by the CLI. Not here: what the answers mean (wait.ts, result.ts, watch.ts), values (blobs.ts).
 */
import type { RedispatchRequest } from '../../bus/protocol/redispatch.ts';
import { parseDrainReply, type AgentsRequest, type DrainReply, type DrainRequest } from '../../bus/protocol/agents.ts';
import type { Bus, BusMessage, Subscription } from '../../bus/bus.ts';
import { decodeBody, decodeEnvelope, encodeEnvelope } from '../../bus/codec.ts';
import type * as wire from '../../bus/protocol/api.ts';
import {
  parseAgentsReply,
  parseAttemptsReply,
  parseCancelReplyBody,
  parseEvent,
  parseHubStatus,
  parseListReply,
  parseLogsReply,
  parseReply,
  parseSnapshotReply,
  parseSubmitReply,
  parseSummary,
  parseValueReply,
  parseWaitReply,
  type WaitAnswer,
} from '../../bus/protocol/wire-api.ts';
import { parseWhyReply, type WhyReply, type WhyRequest } from '../../bus/protocol/why.ts';
import { parseBackupReply, parsePurgeReply } from '../../bus/protocol/wire-upkeep.ts';
import type { ApiVerb } from '../../bus/subjects.ts';
import { isErrorCode } from '../../model/error-table.ts';
import { PolaronError } from '../../model/errors.ts';
import type { Connection, Line } from './connection.ts';
import { type Patience, WAITING, withPatience } from './patience.ts';

/** Milliseconds that one request may take, and how long it is tried again. */
export interface CallOptions extends Patience {
  readonly timeoutMs?: number;
}

/** A checked reader of a decoded answer (bus/protocol/wire-api.ts). */
export type Read<T> = (x: unknown) => T;

const REQUEST_MS = 5_000;
/** A submit may wait for a flush behind many others. */
const SUBMIT_MS = 15_000;
const SUBMIT_OUTAGE_MS = 30_000;
/** A cancel is answered when the agents have confirmed, or a lease has ended. */
const CANCEL_MS = 20_000;
/** A page of a purge waits for the disk; what takes longer is asked again. */
const UPKEEP_MS = 60_000;
/** What a wait's answer may come late. */
const WAIT_GRACE_MS = 2_000;

/** Made once: a call would make the same closures again. */
const answers = {
  hubStatus: parseReply(parseHubStatus),
  summary: parseReply(parseSummary),
  listReply: parseReply(parseListReply),
  agentsReply: parseReply(parseAgentsReply),
  drainReply: parseReply(parseDrainReply),
  submitReply: parseReply(parseSubmitReply),
  snapshotReply: parseReply(parseSnapshotReply),
  waitReply: parseReply(parseWaitReply),
  valueReply: parseReply(parseValueReply),
  logsReply: parseReply(parseLogsReply),
  attemptsReply: parseReply(parseAttemptsReply),
  cancelReplyBody: parseReply(parseCancelReplyBody),
  purgeReply: parseReply(parsePurgeReply),
  backupReply: parseReply(parseBackupReply),
};
const NO_OPTIONS: CallOptions = {};
/** A busy hub takes it in the end, however long that is: giving up would lose the dispatch. */
const SUBMIT: CallOptions = { timeoutMs: SUBMIT_MS, outageMs: SUBMIT_OUTAGE_MS, busyMs: Infinity };

export class ApiClient {
  readonly connection: Connection;

  constructor(connection: Connection) {
    this.connection = connection;
  }

  /** The hub itself. */
  hubStatus(o: CallOptions = {}): Promise<wire.HubStatus> {
    return this.ask('status', {}, answers.hubStatus, o);
  }

  /** One dispatch in short. Raises UNKNOWN_DISPATCH. */
  dispatchStatus(id: string, o: CallOptions = {}): Promise<wire.DispatchSummary> {
    return this.ask('status', { id }, answers.summary, o);
  }

  /** Dispatches of this user, newest first. */
  list(request: wire.ListRequest = {}, o: CallOptions = {}): Promise<wire.ListReply> {
    return this.ask('list', request, answers.listReply, o);
  }

  /** One page, by site and name. */
  agents(request: AgentsRequest = {}, o: CallOptions = {}): Promise<wire.AgentsReply> {
    return this.ask('agents', request, answers.agentsReply, o);
  }

  /** Has an agent finish and leave; answered when it has heard. Raises UNKNOWN_AGENT, AGENT_SILENT. */
  drain(request: DrainRequest, o: CallOptions = {}): Promise<DrainReply> {
    return this.ask('drain', request, answers.drainReply, o);
  }

  /** Waits for a busy hub. Raises GRAPH_INVALID, IDEMPOTENCY_MISMATCH, VALUE_MISSING, DISK_FULL. Sent again it starts nothing new. */
  submit(request: wire.SubmitRequest, o: CallOptions = NO_OPTIONS): Promise<wire.SubmitReply> {
    return this.ask('submit', request, answers.submitReply, o === NO_OPTIONS ? SUBMIT : { ...SUBMIT, ...o });
  }

  /** As `submit`, of what the hub has. Raises UNKNOWN_DISPATCH, too. */
  redispatch(request: RedispatchRequest, o: CallOptions = NO_OPTIONS): Promise<wire.SubmitReply> {
    return this.ask('redispatch', request, answers.submitReply, o === NO_OPTIONS ? SUBMIT : { ...SUBMIT, ...o });
  }

  /** One page. Raises UNKNOWN_DISPATCH. */
  snapshot(request: wire.SnapshotRequest, o: CallOptions = {}): Promise<wire.SnapshotReply> {
    return this.ask('snapshot', request, answers.snapshotReply, o);
  }

  /** All pages, one after another. */
  async *snapshotPages(request: wire.SnapshotRequest, o: CallOptions = {}): AsyncGenerator<wire.SnapshotReply, void> {
    for (let from = request.from; ; ) {
      const page = await this.snapshot(from === undefined ? request : { ...request, from }, o);
      yield page;
      if (page.next === undefined) return;
      from = page.next;
    }
  }

  /** Answered when the dispatch has ended or `timeoutMs` (at most 20 s) is over. Goes on over outages. Raises UNKNOWN_DISPATCH. */
  wait(request: wire.WaitRequest, o: CallOptions = {}): Promise<WaitAnswer> {
    return this.ask('wait', request, answers.waitReply, {
      timeoutMs: request.timeoutMs + WAIT_GRACE_MS,
      ...WAITING,
      ...o,
    });
  }

  /** An electron's value, or the arguments. Raises UNKNOWN_DISPATCH, UNKNOWN_ELECTRON. */
  value(request: wire.ValueRequest, o: CallOptions = {}): Promise<wire.ValueReply> {
    return this.ask('value', request, answers.valueReply, o);
  }

  /** Raises UNKNOWN_DISPATCH, UNKNOWN_ELECTRON (with near matches). */
  logs(request: wire.LogsRequest, o: CallOptions = {}): Promise<wire.LogsReply> {
    return this.ask('logs', request, answers.logsReply, o);
  }

  /** Raises UNKNOWN_DISPATCH, UNKNOWN_ELECTRON (with near matches). */
  attempts(request: wire.AttemptsRequest, o: CallOptions = {}): Promise<wire.AttemptsReply> {
    return this.ask('attempts', request, answers.attemptsReply, o);
  }

  /** Raises UNKNOWN_DISPATCH, UNKNOWN_ELECTRON (with near matches). */
  why(request: WhyRequest, o: CallOptions = {}): Promise<WhyReply> {
    return this.ask('why', request, parseReply(parseWhyReply), o);
  }

  /** Goes on over outages. Raises UNKNOWN_DISPATCH, UNKNOWN_ELECTRON. */
  cancel(request: wire.CancelRequest, o: CallOptions = {}): Promise<wire.CancelReplyBody> {
    return this.ask('cancel', request, answers.cancelReplyBody, { timeoutMs: CANCEL_MS, ...WAITING, ...o });
  }

  /** One page. */
  purge(request: wire.PurgeRequest, o: CallOptions = {}): Promise<wire.PurgeReply> {
    return this.ask('purge', request, answers.purgeReply, { timeoutMs: UPKEEP_MS, ...o });
  }

  /** Begins it, or asks how it goes. Raises BAD_REQUEST, DISK_FULL. */
  backup(request: wire.BackupRequest, o: CallOptions = {}): Promise<wire.BackupReply> {
    return this.ask('backup', request, answers.backupReply, { timeoutMs: UPKEEP_MS, ...o });
  }

  /** Events of one dispatch (or of all of the user's), on the given line: gone when that is lost. What can't be read is left out. */
  events(line: Line, dispatch: string | undefined, listener: (event: wire.EventBody) => void): Subscription {
    return line.bus.subscribe(line.subjects.eventsOf(line.target.user, dispatch), (message) => {
      const event = readEvent(message);
      if (event !== undefined) listener(event);
    });
  }

  /** Any verb, with a reader for the answer. */
  ask<T>(verb: ApiVerb, body: unknown, read: Read<wire.ApiReply<T>>, o: CallOptions = NO_OPTIONS): Promise<T> {
    return withPatience(this.connection, o, (line) =>
      this.request(line, apiSubject(line, verb), encodeEnvelope(line.target.identity, body), read, o),
    );
  }

  /** One request on one line, not tried again. */
  async request<T>(
    line: Line,
    subject: string,
    data: Uint8Array,
    read: Read<wire.ApiReply<T>>,
    { timeoutMs = REQUEST_MS, signal }: CallOptions,
  ): Promise<T> {
    const answer = await line.bus.request(subject, data, signal === undefined ? { timeoutMs } : { timeoutMs, signal });
    this.connection.markContacted();
    const reply = read(decodeBody(decodeEnvelope(answer.data).body));
    if (reply.ok) return reply.body;
    throw errorOf(reply.error);
  }
}

/** Of one line each verb's subject is always the same. */
const subjects = new WeakMap<Line, Map<ApiVerb, string>>();

function apiSubject(line: Line, verb: ApiVerb): string {
  let known = subjects.get(line);
  if (known === undefined) {
    known = new Map();
    subjects.set(line, known);
  }
  let subject = known.get(verb);
  if (subject === undefined) {
    subject = line.subjects.api(line.target.user, verb);
    known.set(verb, subject);
  }
  return subject;
}

/** The hub's error as ours; a code of a newer hub becomes BAD_MESSAGE and stays in the details. */
function errorOf(error: wire.ApiError): PolaronError {
  const known = isErrorCode(error.code);
  return new PolaronError(known ? error.code : 'BAD_MESSAGE', error.message, {
    details: known ? error.details : { ...error.details, code: error.code },
    ...(error.help === '' ? {} : { help: error.help }),
  });
}

const text = new TextDecoder();

function readEvent(message: BusMessage): wire.EventBody | undefined {
  try {
    return parseEvent(JSON.parse(text.decode(message.data)));
  } catch {
    // Anyone with the right may publish there; the snapshot heals what is missing.
    return undefined;
  }
}

/** Room for a payload in one message of this bus, leaving some for envelope and headers. */
export const payloadRoom = (bus: Bus): number => bus.maxPayload - 2_048;

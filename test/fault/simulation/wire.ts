/** Reads what goes over the simulated bus into the history: between hub and agents, the hub's durable events, its answers to the client. Changes nothing. */
import { decodeBody, decodeEnvelope } from '../../../bus/codec.ts';
import type { DoneReply } from '../../../bus/protocol/agent.ts';
import {
  parseAssign,
  parseAssignReply,
  parseCancel,
  parseDone,
  parseDoneReply,
  parseSync,
  parseSyncReply,
} from '../../../bus/protocol/wire-agent.ts';
import {
  parseCancelRequest,
  parseEvent,
  parseReply,
  parseSubmitReply,
  parseWaitReply,
} from '../../../bus/protocol/wire-api.ts';
import { isTerminalDispatch } from '../../../model/lifecycle.ts';
import type { History, TaskRef } from './history.ts';
import type { NetFault, SimBus, Tap } from './sim-bus.ts';

type Question =
  | { readonly kind: 'sync' | 'done' | 'assign'; readonly agent: string; readonly life: string; readonly n: number }
  | { readonly kind: 'submit' | 'wait' }
  | { readonly kind: 'cancel'; readonly dispatch: string };

const bodyOf = (data: Uint8Array): unknown => decodeBody(decodeEnvelope(data).body);
const submitReply = parseReply(parseSubmitReply);
const waitReply = parseReply(parseWaitReply);
const anyReply = parseReply(() => undefined);

export class Wire implements Tap {
  readonly #history: History;
  /** By reply subject. */
  readonly #questions = new Map<string, Question>();
  readonly #reported = new Map<string, readonly TaskRef[]>();
  /** How often each fault of the bus struck. */
  readonly faults = new Map<NetFault, number>();

  constructor(history: History) {
    this.#history = history;
  }

  fault(kind: NetFault): void {
    this.faults.set(kind, (this.faults.get(kind) ?? 0) + 1);
  }

  sent(from: SimBus, subject: string, data: Uint8Array, reply: string | undefined): void {
    const question = this.#questions.get(subject);
    if (question !== undefined) return this.#answered(from, subject, question, data);
    const [, way, , agent = '', kind] = subject.split('.');
    const life = from.process.name;
    if (way === 'up' && reply !== undefined && (kind === 'sync' || kind === 'done')) {
      this.#questions.set(reply, { kind, agent, life, n: 0 });
      if (kind === 'done') this.#reported.set(reply, parseDone(bodyOf(data)).outcomes);
    } else if (way === 'down' && kind === 'assign' && reply !== undefined) {
      const { epoch, hub: hubEpoch, n, tasks } = parseAssign(bodyOf(data));
      this.#questions.set(reply, { kind, agent, life, n });
      const brief = tasks.map(({ task, token, inputsDigest }) => ({ task, token, inputsDigest }));
      this.#history.add({ type: 'assign', agent, hub: life, epoch, hubEpoch, n, tasks: brief });
    } else if (way === 'down' && kind === 'cancel') {
      const { tasks } = parseCancel(bodyOf(data));
      for (const type of ['stop', 'recall'] as const) {
        const those = tasks.filter(({ revoke }) => revoke === (type === 'recall'));
        const brief = those.map(({ task, token }) => ({ task, token }));
        if (brief.length > 0) this.#history.add({ type, agent, hub: life, tasks: brief });
      }
    } else if (way === 'event') this.#event(data);
    else if (way === 'api' && reply !== undefined) {
      const verb = agent;
      if (verb === 'submit' || verb === 'redispatch') this.#questions.set(reply, { kind: 'submit' });
      else if (verb === 'wait') this.#questions.set(reply, { kind: verb });
      else if (verb === 'cancel')
        this.#questions.set(reply, { kind: verb, dispatch: parseCancelRequest(bodyOf(data)).id });
    }
  }

  arrived(to: SimBus, _subject: string, data: Uint8Array, reply: string | undefined): void {
    const question = reply === undefined ? undefined : this.#questions.get(reply);
    if (question === undefined || !('life' in question)) return;
    if (question.kind === 'assign') {
      const { agent, n } = question;
      return this.#history.add({ type: 'brought', agent, life: to.process.name, n });
    }
    const { agent, life } = question;
    const hub = to.process.name;
    if (question.kind === 'sync') {
      const { epoch, seq, seen, hub: hubEpoch, instance, draining, run } = parseSync(bodyOf(data));
      const about = { epoch, seq, seen, hubEpoch, instance, draining };
      this.#history.add({ type: 'sync', agent, life, hub, ...about, run });
    } else {
      const outcomes = parseDone(bodyOf(data)).outcomes.map(({ task, token, outcome }) => ({
        task,
        token,
        status: outcome.status,
        ...(outcome.status === 'completed' ? { digest: outcome.value.digest } : {}),
      }));
      this.#history.add({ type: 'done', agent, life, hub, outcomes });
    }
  }

  #event(data: Uint8Array): void {
    const text = Buffer.from(data).toString('utf8');
    if (!text.includes('"transient":false')) return;
    const { dispatch, type: event, seq, node } = parseEvent(JSON.parse(text));
    this.#history.add({ type: 'told', dispatch, event, seq, ...(node === undefined ? {} : { node }) });
  }

  #answered(from: SimBus, subject: string, question: Question, data: Uint8Array): void {
    const by = from.process.name;
    const body = bodyOf(data);
    switch (question.kind) {
      case 'sync': {
        const { agent, life } = question;
        const told = parseSyncReply(body);
        // the one thing that differs from process to process
        const reply = told.type === 'name-taken' ? { ...told, pid: 0, host: '' } : told;
        return this.#history.add({ type: 'synced', agent, life, hub: by, reply });
      }
      case 'done': {
        const { agent, life } = question;
        const verdicts = verdictsOf(parseDoneReply(body), this.#reported.get(subject) ?? []);
        return this.#history.add({ type: 'judged', agent, life, hub: by, verdicts });
      }
      case 'assign': {
        const { agent, n } = question;
        return this.#history.add({ type: 'taken', agent, life: by, n, refused: parseAssignReply(body).refused });
      }
      case 'submit': {
        const reply = submitReply(body);
        if (reply.ok) this.#history.add({ type: 'answered', verb: 'submit', dispatch: reply.body.id, ended: false });
        return;
      }
      case 'wait': {
        const reply = waitReply(body);
        if (!reply.ok) return;
        const { id, status } = reply.body.dispatch;
        return this.#history.add({ type: 'answered', verb: 'wait', dispatch: id, ended: isTerminalDispatch(status) });
      }
      case 'cancel': {
        const { dispatch } = question;
        if (anyReply(body).ok) this.#history.add({ type: 'answered', verb: 'cancel', dispatch, ended: false });
      }
    }
  }
}

function verdictsOf(
  reply: DoneReply,
  outcomes: readonly TaskRef[],
): Extract<DoneReply, { verdicts: unknown }>['verdicts'] {
  if ('verdicts' in reply) return reply.verdicts;
  return outcomes.flatMap(({ task, token }) => (isTask(task) ? [{ task, token, verdict: reply.all }] : []));
}

const isTask = (text: string): text is `${string}_${number}` => /_\d+$/.test(text);

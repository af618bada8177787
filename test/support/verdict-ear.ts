/** Counts what a hub says to the outcomes that agents report: heard by a plain NATS client that may hear everything. */
import { connect } from 'nats';
import { decodeBody, decodeEnvelope } from '../../bus/codec.ts';
import type { FinishedTask, Verdict } from '../../bus/protocol/agent.ts';
import { parseDone, parseDoneReply, parseSyncReply } from '../../bus/protocol/wire-agent.ts';

export interface VerdictEar {
  /** Outcomes of an agent, or attempts that it still had, which the hub has no use for: answered `stale`, or a sync said to drop them. */
  refused(agent: string): number;
  /** Of all agents together. An outcome that is reported again and answered the same counts once. */
  total(): Readonly<Partial<Record<Verdict, number>>>;
  close(): Promise<void>;
}

interface Question {
  readonly agent: string;
  readonly outcomes: readonly FinishedTask[];
}

/** Raises what connecting raises. */
export async function hearVerdicts(
  url: string,
  login: { readonly user?: string; readonly pass?: string },
): Promise<VerdictEar> {
  const verdicts: Partial<Record<Verdict, number>> = {};
  const questions = new Map<string, Question>();
  const syncs = new Map<string, string>();
  const refused = new Map<string, Set<string>>();
  const refuse = (agent: string, { task, token }: Pick<FinishedTask, 'task' | 'token'>): void =>
    void refused.set(agent, (refused.get(agent) ?? new Set()).add(`${task} ${token.join()}`));
  const counted = new Set<string>();
  const count = (agent: string, verdict: Verdict, { task, token }: Pick<FinishedTask, 'task' | 'token'>): void => {
    const key = `${agent} ${task} ${token.join()} ${verdict}`;
    if (counted.has(key)) return;
    if (verdict === 'stale') refuse(agent, { task, token });
    counted.add(key);
    verdicts[verdict] = (verdicts[verdict] ?? 0) + 1;
  };
  const nats = await connect({ servers: url, reconnectTimeWait: 50, maxReconnectAttempts: -1, ...login });
  nats.subscribe('polaron.up.*.*.done', {
    callback: (error, { subject, reply, data }) => {
      if (error !== null || reply === undefined) return;
      const [, , site, agent] = subject.split('.');
      const { outcomes } = parseDone(decodeBody(decodeEnvelope(data).body));
      questions.set(reply, { agent: `${site}.${agent}`, outcomes });
    },
  });
  nats.subscribe('polaron.up.*.*.sync', {
    callback: (error, { subject, reply }) => {
      const [, , site, agent] = subject.split('.');
      if (error === null && reply !== undefined) syncs.set(reply, `${site}.${agent}`);
    },
  });
  nats.subscribe('_INBOX.a.>', {
    callback: (error, { subject, data }) => {
      const synced = syncs.get(subject);
      if (error === null && synced !== undefined && data.length > 0) {
        syncs.delete(subject);
        const answer = parseSyncReply(decodeBody(decodeEnvelope(data).body));
        if (answer.type === 'ok') for (const dropped of answer.drop) refuse(synced, dropped);
        return;
      }
      const question = questions.get(subject);
      if (error !== null || question === undefined) return;
      questions.delete(subject);
      // an answer without a body says that nobody listens
      if (data.length === 0) return;
      const { agent, outcomes } = question;
      const answer = parseDoneReply(decodeBody(decodeEnvelope(data).body));
      if ('all' in answer) for (const outcome of outcomes) count(agent, answer.all, outcome);
      else for (const judged of answer.verdicts) count(agent, judged.verdict, judged);
    },
  });
  await nats.flush();
  return {
    refused: (agent) => refused.get(agent)?.size ?? 0,
    total: () => verdicts,
    close: () => nats.close(),
  };
}

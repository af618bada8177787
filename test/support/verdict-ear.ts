/** Counts what a hub says to the outcomes that agents report, by agent: heard by a plain NATS client that may hear everything. */
import { connect } from 'nats';
import { decodeBody, decodeEnvelope } from '../../bus/codec.ts';
import type { FinishedTask, Verdict } from '../../bus/protocol/agent.ts';
import { parseDone, parseDoneReply } from '../../bus/protocol/wire-agent.ts';

export interface VerdictEar {
  /** By agent, as SITE.AGENT. An outcome that is reported again and answered the same counts once. */
  readonly verdicts: ReadonlyMap<string, ReadonlyMap<Verdict, number>>;
  /** Of all agents together. */
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
  const verdicts = new Map<string, Map<Verdict, number>>();
  const questions = new Map<string, Question>();
  const counted = new Set<string>();
  const count = (agent: string, verdict: Verdict, { task, token }: Pick<FinishedTask, 'task' | 'token'>): void => {
    const key = `${agent} ${task} ${token.join()} ${verdict}`;
    if (counted.has(key)) return;
    counted.add(key);
    const own = verdicts.get(agent) ?? new Map<Verdict, number>();
    verdicts.set(agent, own.set(verdict, (own.get(verdict) ?? 0) + 1));
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
  nats.subscribe('_INBOX.a.>', {
    callback: (error, { subject, data }) => {
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
    verdicts,
    total: () => {
      const all: Partial<Record<Verdict, number>> = {};
      for (const own of verdicts.values()) for (const [verdict, n] of own) all[verdict] = (all[verdict] ?? 0) + n;
      return all;
    },
    close: () => nats.close(),
  };
}

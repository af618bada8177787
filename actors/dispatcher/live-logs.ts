/**
 * What a running electron has written so far: its agent has it, nobody else keeps it. Not here: what is kept of attempts that have ended (results/queries.ts).
 */
import type { LiveLogs } from '../../bus/protocol/agent.ts';
import type { LogsReply, LogsRequest } from '../../bus/protocol/api.ts';
import { isAgentKey, taskIdOf, type AgentKey, type DispatchId, type TaskId } from '../../model/ids.ts';

/** Asks an agent. Rejects when it can't be reached. */
export type AskLogs = (agent: AgentKey, task: TaskId) => Promise<LiveLogs>;

/**
 * The answer to `logs`, with what the attempt at work has written when that is asked for. `stored`: what is on disk, asked again when the attempt ended
 * meanwhile. An agent that can't be reached is no failure: what is on disk is told.
 */
export async function withLiveLogs(
  id: DispatchId,
  { attempt }: LogsRequest,
  stored: () => Promise<LogsReply>,
  ask: AskLogs | undefined,
): Promise<LogsReply> {
  const reply = await stored();
  const { agent, id: node, status, attempts } = reply.electron;
  const atWork = status === 'assigned' || status === 'running' || status === 'cancelling';
  if (!atWork || ask === undefined || !isAgentKey(agent) || (attempt ?? attempts) !== attempts) return reply;
  const live = await ask(agent, taskIdOf(id, node)).catch(() => undefined);
  if (live === undefined) return { ...reply, live: false };
  const { token, logs } = live;
  if (token === undefined) return stored();
  if (logs === undefined || (attempt !== undefined && token[1] !== attempt)) return reply;
  return { electron: reply.electron, attempt: token[1], live: true, ...logs };
}

/** The longer messages that an electron actor sends, put together. Decides nothing. */
import type { Arguments, LatticeMessage, MatchmakerMessage } from '../../bus/protocol/actors.ts';
import type { AgentKey, TaskId } from '../../model/ids.ts';
import type { ElectronStatus } from '../../model/lifecycle.ts';
import type { ErrorInfo, Token, ValueInfo } from '../../model/outcome.ts';
import { holdsOf } from '../requirement.ts';
import type { ElectronWork } from '../services.ts';

/** What an electron leaves when it ends; `unconfirmed`: its agent never said that it stopped. */
export interface Ending {
  readonly value?: ValueInfo;
  readonly error?: ErrorInfo;
  readonly unconfirmed?: boolean;
}

type Ended = Extract<LatticeMessage, { type: 'electron.ended' }>;

/** To the supervisor, when an electron has ended. */
export function endedOf(node: number, status: ElectronStatus, { value, error, unconfirmed }: Ending): Ended {
  // The usual end, without spreads.
  if (value !== undefined && error === undefined && unconfirmed !== true)
    return { type: 'electron.ended', node, status, value };
  return {
    type: 'electron.ended',
    node,
    status,
    ...(value === undefined ? {} : { value }),
    ...(error === undefined ? {} : { error }),
    ...(unconfirmed === true ? { unconfirmed: true } : {}),
  };
}

/** To the matchmaker: send this attempt to its agent. */
export function sendOf(
  work: ElectronWork,
  agent: AgentKey,
  token: Token,
  { template, inputs }: Arguments,
): Extract<MatchmakerMessage, { type: 'attempt.send' }> {
  const { task, manifest, def, name, path, split, inputsDigest, requirement } = work;
  const holds = holdsOf(requirement.limited, task);
  const sent = {
    type: 'attempt.send' as const,
    agent,
    task,
    token,
    inputsDigest,
    manifest,
    electron: def,
    name,
    path,
    template,
    inputs,
    split,
  };
  return holds === undefined ? sent : { ...sent, holds };
}

/** To the matchmaker: the agent has had this attempt since before the hub restarted. */
export const recoveredOf = (
  task: TaskId,
  agent: AgentKey,
  token: Token,
  cancelling: boolean,
): Extract<MatchmakerMessage, { type: 'attempt.recovered' }> => ({
  type: 'attempt.recovered',
  agent,
  task,
  token,
  ...(cancelling ? { cancelling: 'cancelled' } : {}),
});

/** What became of an attempt that its agent doesn't have any more. */
export const lostError = (name: string, agent: AgentKey | undefined, reason: string): ErrorInfo => ({
  code: 'AGENT_LOST',
  message: `electron "${name}": agent ${agent ?? '?'} ${reason === 'agent-lost' ? 'gave no sign of life for a lease' : 'was restarted or drained, or never got it'}`,
});

/** Why an electron isn't tried again that was lost too often. */
export const poisonOf = (name: string, losses: number, agents: readonly AgentKey[]): ErrorInfo => ({
  code: 'POISON',
  message: `electron "${name}" was lost ${losses} times with its agent (${[...new Set(agents)].join(', ')})`,
});

/** The longer messages that an electron actor sends, put together. Decides nothing. */
import type { Arguments, ElectronMessage, LatticeMessage, MatchmakerMessage } from '../../bus/protocol/actors.ts';
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

const lostBy = {
  'agent-lost': ['AGENT_LOST', 'gave no sign of life for a lease'],
  'not-listed': ['AGENT_LOST', 'was restarted, or never got it'],
  'given-back': ['AGENT_DRAINED', 'gave it back, since it drained'],
  refused: undefined,
  'no-responders': undefined,
} as const satisfies Record<LostReason, readonly [code: string, how: string] | undefined>;
type LostReason = Extract<ElectronMessage, { type: 'attempt.lost' }>['reason'];

/** What became of an attempt that its agent doesn't have any more; undefined: it never had it. */
export function lostError(name: string, agent: AgentKey | undefined, reason: LostReason): ErrorInfo | undefined {
  const lost = lostBy[reason];
  if (lost === undefined) return undefined;
  const [code, how] = lost;
  return { code, message: `electron "${name}": agent ${agent ?? '?'} ${how}` };
}

/** Why an electron isn't tried again that was lost too often. */
export const poisonOf = (name: string, losses: number, agents: readonly AgentKey[]): ErrorInfo => ({
  code: 'POISON',
  message: `electron "${name}" was lost ${losses} times with its agent (${[...new Set(agents)].join(', ')})`,
});

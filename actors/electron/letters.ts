/** The longer messages that an electron actor sends, put together. Decides nothing. */
import type { Arguments, LatticeMessage, MatchmakerMessage } from '../../bus/protocol/actors.ts';
import { taskIdOf, type AgentKey } from '../../model/ids.ts';
import type { ElectronStatus } from '../../model/lifecycle.ts';
import type { ErrorInfo, Token, ValueInfo } from '../../model/outcome.ts';
import type { ElectronWork } from '../services.ts';

/** What an electron leaves when it ends; `unconfirmed`: its agent never said that it stopped. */
export interface Ending {
  readonly value?: ValueInfo;
  readonly error?: ErrorInfo;
  readonly unconfirmed?: boolean;
}

/** To the supervisor, when an electron has ended. */
export const endedOf = (
  node: number,
  status: ElectronStatus,
  o: Ending,
): Extract<LatticeMessage, { type: 'electron.ended' }> => ({
  type: 'electron.ended',
  node,
  status,
  ...(o.value === undefined ? {} : { value: o.value }),
  ...(o.error === undefined ? {} : { error: o.error }),
  ...(o.unconfirmed === true ? { unconfirmed: true } : {}),
});

/** To the matchmaker: send this attempt to its agent. */
export function sendOf(
  work: ElectronWork,
  agent: AgentKey,
  token: Token,
  { template, inputs }: Arguments,
): Extract<MatchmakerMessage, { type: 'attempt.send' }> {
  const { dispatch, node, manifest, def, name, split, inputsDigest } = work;
  const task = taskIdOf(dispatch, node);
  return {
    type: 'attempt.send',
    agent,
    task,
    token,
    inputsDigest,
    manifest,
    electron: def,
    name,
    template,
    inputs,
    split,
  };
}

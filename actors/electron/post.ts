/** What an electron actor tells the matchmaker in short. Decides nothing; the longer messages are put together in letters.ts. */
import type { MatchmakerMessage } from '../../bus/protocol/actors.ts';
import type { Verdict } from '../../bus/protocol/agent.ts';
import { materialsOf } from '../materials.ts';
import type { ElectronServices, ElectronWork } from '../services.ts';
import type { Finished } from './pull.ts';

export const tell = (s: ElectronServices, work: ElectronWork, message: MatchmakerMessage): void =>
  s.system.send(s.matchmaker, message, work.address);

/** It wants an agent; the supervisor gets the match. */
export const requestMatch = (s: ElectronServices, work: ElectronWork): void => {
  const { dispatch, node, requirement, priority, user, root } = work;
  const request = {
    type: 'match.request',
    dispatch,
    nodes: [node],
    requirement,
    priority,
    user,
    root,
    resumed: s.resumed(),
    ...materialsOf(work),
  } as const;
  s.system.send(s.matchmaker, request, s.supervisor);
};

/** It wants none any more. */
export const withdraw = (s: ElectronServices, work: ElectronWork): void =>
  tell(s, work, { type: 'match.withdraw', dispatch: work.dispatch, nodes: [work.node] });

/** The verdict on an outcome. All but those whose records the caller has waited for, or that rest on none, wait for the flush (H2). */
export const judge = (
  s: ElectronServices,
  work: ElectronWork,
  { receipt, token }: Finished,
  verdict: Verdict,
  current: boolean,
): void => {
  const judged = { type: 'attempt.judged', receipt, task: work.task, token, verdict, current } as const;
  if (verdict === 'committed' || verdict === 'missing') tell(s, work, judged);
  else s.results.afterFlush(() => tell(s, work, judged));
};

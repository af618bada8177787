/**
 * Takes agents' claims to the supervisors of their dispatches; where none is, the records decide. Not here: which attempts are claims
 * (agent-state.ts), and whether one is adopted (actors/lattice/claims.ts).
 */
import type { ClaimedAttempt, LatticeMessage } from '../../bus/protocol/actors.ts';
import type { RunEntry, Verdict } from '../../bus/protocol/agent.ts';
import { parseTaskId, taskIdOf, type AgentKey, type DispatchId, type TaskId } from '../../model/ids.ts';
import type { Token } from '../../model/outcome.ts';
import type { ResultsClient } from '../results-client.ts';
import type { ActorSystem, Address, Message } from '../system.ts';
import type { AgentState } from './agent-state.ts';

type Claimed = Extract<LatticeMessage, { type: 'attempt.claimed' }>;

export class ClaimPost {
  readonly #system: ActorSystem;
  readonly #results: ResultsClient;
  readonly #matchmaker: Address;

  constructor(system: ActorSystem, results: ResultsClient, matchmaker: Address) {
    this.#system = system;
    this.#results = results;
    this.#matchmaker = matchmaker;
  }

  /** One message per dispatch, sent before anything is matched: its supervisor hears of the claim before it hears of another agent. */
  tell(agent: AgentKey, entries: readonly RunEntry[]): void {
    const claims = new Map<DispatchId, ClaimedAttempt[]>();
    for (const { task, token, inputsDigest, startedAt } of entries) {
      const { dispatch, node } = parseTaskId(task);
      const attempts = claims.get(dispatch) ?? [];
      attempts.push({ node, token, inputsDigest, startedAt });
      claims.set(dispatch, attempts);
    }
    for (const [dispatch, attempts] of claims) {
      const claimed: Claimed = { type: 'attempt.claimed', agent, attempts };
      this.#system.send(this.#system.address('lattice', dispatch), claimed, this.#matchmaker);
    }
  }

  /** A supervisor begins again and may have forgotten what it was told: it is told of the open ones. */
  again(dispatch: DispatchId, agents: Iterable<AgentState>): void {
    for (const agent of agents) {
      const open = agent.openClaims(dispatch);
      if (open.length > 0) this.tell(agent.key, open);
    }
  }

  /** The dispatch has ended or is unknown. If only its supervisor is beginning again, that asks for the open ones. */
  unheard(dispatch: DispatchId, { agent, attempts }: Claimed): void {
    for (const { node, token } of attempts) {
      const task = taskIdOf(dispatch, node);
      void this.judge(task, token).then((verdict) => {
        if (verdict === 'later') return;
        this.#system.send(this.#matchmaker, { type: 'attempt.refused', agent, task, token }, this.#matchmaker);
      });
    }
  }

  /** What the records say of an attempt that nobody works on; `later` when they can't be read. */
  judge(task: TaskId, token: Token): Promise<Verdict> {
    const { dispatch: id, node } = parseTaskId(task);
    return this.#results.ask('results.judge', { id, node, token }).then(
      ({ verdict }) => verdict,
      () => 'later',
    );
  }
}

export const isClaimed = (message: Message): message is Claimed =>
  message.type === 'attempt.claimed' && 'attempts' in message && 'agent' in message;

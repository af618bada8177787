/**
 * A LatticeHub whose one agent outlives it: what the agent was given it runs once and keeps until the hub has settled it, and after a power cut
 * its sync claims what the hub's records don't name. The matchmaker's part of that is played as agent-state.ts and matchmaker.ts have it.
 */
import type { ElectronMessage, MatchmakerMessage } from '../../../bus/protocol/actors.ts';
import { digestOf } from '../../../bus/value/digest.ts';
import { encodeValue } from '../../../bus/value/value.ts';
import { parseTaskId, taskIdOf, type AgentKey } from '../../../model/ids.ts';
import { sameToken, type Outcome, type Token } from '../../../model/outcome.ts';
import { settle } from './fake-clock.ts';
import { id, LatticeHub } from './lattice-hub.ts';

type Send = Extract<MatchmakerMessage, { type: 'attempt.send' }>;
interface Kept extends Pick<Send, 'token' | 'inputsDigest' | 'name'> {
  readonly node: number;
  outcome: Outcome | undefined;
}
const FINAL: ReadonlySet<string> = new Set(['committed', 'duplicate', 'stale', 'unknown']);

export class ClaimingHub extends LatticeHub {
  readonly agent: AgentKey = 'lab.a1';
  /** What the agent has. */
  readonly kept = new Map<number, Kept>();
  /** How often each electron ran, by name. */
  readonly runs = new Map<string, number>();
  /** Nodes whose attempt the agent was told to drop. */
  readonly dropped: number[] = [];
  /** Tokens of other agents' attempts that the hub doesn't want. */
  readonly refused: Token[] = [];
  /** What the hub knows the agent to have. */
  readonly #current = new Map<number, Token>();

  override get idle(): boolean {
    return this.ready.length + this.kept.size === 0;
  }

  override async powerCut(): Promise<void> {
    this.#current.clear();
    await super.powerCut();
    await this.sync();
  }

  /** The agent's sync: what isn't current is claimed, what isn't there is lost. */
  async sync(): Promise<void> {
    const claims = [...this.kept.values()].filter(({ node, token }) => !this.#isCurrent(node, token));
    const attempts = claims.map(({ node, token, inputsDigest }) => ({ node, token, inputsDigest, startedAt: 5 }));
    if (attempts.length > 0) this.tell({ type: 'attempt.claimed', agent: this.agent, attempts });
    for (const [node, token] of this.#current)
      if (!this.kept.has(node))
        this.#toElectron(node, { type: 'attempt.lost', token, reason: 'not-listed', charged: true });
    await settle();
  }

  override async step(random: (below: number) => number): Promise<void> {
    const pick = random(this.ready.length + this.kept.size);
    const kept = [...this.kept.values()][pick - this.ready.length];
    if (kept === undefined) {
      const nodes = this.ready.splice(pick, 1 + random(3));
      if (nodes.length > 0) this.tell({ type: 'match.found', agent: this.agent, nodes });
    } else this.report(kept);
    await settle(3);
    if (random(3) === 0) this.store.flush();
  }

  /** The attempt ends if it hasn't, and its outcome is reported (again). */
  report(kept: Kept): void {
    kept.outcome ??= this.outcomeOf(kept.name);
    const { node, token, inputsDigest, outcome } = kept;
    if (this.kept.get(node) !== kept) return;
    const task = taskIdOf(id, node);
    const to = this.world.system.address('electron', task);
    if (this.world.system.has(to))
      this.#toElectron(node, {
        type: 'attempt.finished',
        task,
        agent: this.agent,
        token,
        inputsDigest,
        outcome,
        receipt: 1,
      });
    else
      this.world.results.ask('results.judge', { id, node, token }).then(
        ({ verdict }) => this.#settled(node, token, verdict),
        () => undefined, // the power is cut: reported again
      );
  }

  protected override match(message: MatchmakerMessage): void {
    const { type } = message;
    if (type === 'attempt.send') {
      const { token, inputsDigest, name } = message;
      const { node } = parseTaskId(message.task);
      this.runs.set(name, (this.runs.get(name) ?? 0) + 1);
      this.kept.set(node, { node, token, inputsDigest, name, outcome: undefined });
      this.#current.set(node, token);
    } else if (type === 'attempt.recovered') this.#current.set(parseTaskId(message.task).node, message.token);
    else if (type === 'attempt.judged') this.#settled(parseTaskId(message.task).node, message.token, message.verdict);
    else if (type !== 'attempt.refused') super.match(message);
    else if (message.agent === this.agent) {
      const { node } = parseTaskId(message.task);
      if (this.#forget(node, message.token)) this.dropped.push(node);
    } else this.refused.push(message.token);
  }

  #settled(node: number, token: Token, verdict: string): void {
    if (FINAL.has(verdict)) this.#forget(node, token);
  }

  #forget(node: number, token: Token): boolean {
    if (this.#isCurrent(node, token)) this.#current.delete(node);
    const kept = this.kept.get(node);
    return kept !== undefined && sameToken(kept.token, token) && this.kept.delete(node);
  }

  #isCurrent(node: number, token: Token): boolean {
    const current = this.#current.get(node);
    return current !== undefined && sameToken(current, token);
  }

  #toElectron(node: number, message: ElectronMessage): void {
    this.world.system.send(this.world.system.address('electron', taskIdOf(id, node)), message, 'n1.matchmaker.main');
  }
}

/** A digest that no electron's inputs have. */
export const otherInputs = digestOf(encodeValue('other', 'other'));

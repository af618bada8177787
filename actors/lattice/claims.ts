/**
 * Attempts that agents have and no record names, since a killed hub lost it or the outcome of a parent (H1, H8): adopted or refused, once their
 * node is ready. Not here: attempts of an electron that an actor works on, which decides itself (actors/electron).
 *
 * C1. A node's claim is decided before the node is given to anyone else: a ready one leaves the matchmaker's queue in the same turn.
 * C2. While a parent isn't there (again), a claim waits; the newest of a node's counts, the others are refused.
 * C3. It is adopted if its inputs are equal, and by its electron actor alone, so that there is one place where an attempt becomes current.
 */
import type { ClaimedAttempt, LatticeMessage, MatchmakerMessage } from '../../bus/protocol/actors.ts';
import { taskIdOf, type AgentKey, type DispatchId } from '../../model/ids.ts';
import { olderToken, sameToken } from '../../model/outcome.ts';
import type { ActorSystem, Address } from '../system.ts';
import type { LatticeState } from './state.ts';

type Claimed = Extract<LatticeMessage, { type: 'attempt.claimed' }>;
type Claim = ClaimedAttempt & { readonly agent: AgentKey };

export interface ClaimsOptions {
  readonly dispatch: DispatchId;
  readonly system: ActorSystem;
  readonly supervisor: Address;
  readonly matchmaker: Address;
  readonly state: LatticeState;
  /** An electron actor works on this node. */
  readonly working: (node: number) => boolean;
  /** Puts an electron actor to work on a ready node, if that has these inputs. */
  readonly begin: (node: number, inputsDigest: string) => boolean;
}

export class Claims {
  readonly #o: ClaimsOptions;
  readonly #waiting = new Map<number, Claim>();

  constructor(options: ClaimsOptions) {
    this.#o = options;
  }

  claimed({ agent, attempts }: Claimed): void {
    const begun: number[] = [];
    for (const attempt of attempts) {
      const claim = { ...attempt, agent };
      const { node } = claim;
      if (this.#o.working(node)) this.#adopt(claim);
      else if (node >= this.#o.state.plan.size || this.#o.state.status(node) === 'waiting') this.#wait(claim);
      else if (this.#begin(claim)) begun.push(node);
    }
    if (begun.length > 0) this.#tell({ type: 'match.withdraw', dispatch: this.#o.dispatch, nodes: begun });
  }

  /** The node became ready. True: the claim for it was adopted, and nobody else is wanted. */
  ready(node: number): boolean {
    const claim = this.#waiting.get(node);
    return claim !== undefined && this.#waiting.delete(node) && this.#begin(claim);
  }

  /** The node ended without having been ready. */
  ended(node: number): void {
    const claim = this.#waiting.get(node);
    if (claim === undefined) return;
    this.#waiting.delete(node);
    this.#refuse(claim);
  }

  /** The dispatch ended: what still waits is for nodes that never came to be. */
  close(): void {
    for (const claim of this.#waiting.values()) this.#refuse(claim);
    this.#waiting.clear();
  }

  #wait(claim: Claim): void {
    const known = this.#waiting.get(claim.node);
    if (known !== undefined && olderToken(claim.token, known.token)) {
      this.#refuse(claim);
      return;
    }
    if (known !== undefined && !(sameToken(known.token, claim.token) && known.agent === claim.agent))
      this.#refuse(known);
    this.#waiting.set(claim.node, claim);
  }

  #begin(claim: Claim): boolean {
    const { node } = claim;
    const begun = this.#o.state.status(node) === 'ready' && this.#o.begin(node, claim.inputsDigest);
    if (begun) this.#adopt(claim);
    else this.#refuse(claim);
    return begun;
  }

  #adopt({ node, agent, token, inputsDigest, startedAt }: Claim): void {
    const to = this.#o.system.address('electron', taskIdOf(this.#o.dispatch, node));
    this.#o.system.send(to, { type: 'attempt.adopt', agent, token, inputsDigest, startedAt }, this.#o.supervisor);
  }

  #refuse({ node, agent, token }: Claim): void {
    this.#tell({ type: 'attempt.refused', agent, task: taskIdOf(this.#o.dispatch, node), token });
  }

  #tell(message: MatchmakerMessage): void {
    this.#o.system.send(this.#o.matchmaker, message, this.#o.supervisor);
  }
}

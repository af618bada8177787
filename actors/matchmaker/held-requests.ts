/** After a restart of the hub: what was ready then waits until every agent of the roster has told what it has, or the time is up (M3, H8). Pure. */
import type { MatchmakerMessage } from '../../bus/protocol/actors.ts';
import type { DispatchId } from '../../model/ids.ts';

export type MatchRequest = Extract<MatchmakerMessage, { type: 'match.request' }>;

export class HeldRequests {
  #held: MatchRequest[] | undefined;

  /** From now on requests are held. */
  begin(): void {
    this.#held ??= [];
  }

  /** False: nothing is held (any more). */
  add(request: MatchRequest): boolean {
    if (!request.held || this.#held === undefined) return false;
    this.#held.push(request);
    return true;
  }

  get holding(): boolean {
    return this.#held !== undefined;
  }

  withdraw(dispatch: DispatchId, nodes: ReadonlySet<number> | undefined): void {
    this.#held = this.#held?.flatMap((request) => {
      if (request.dispatch !== dispatch) return [request];
      const left = nodes === undefined ? [] : request.nodes.filter((node) => !nodes.has(node));
      return left.length === 0 ? [] : [{ ...request, nodes: left }];
    });
  }

  /** Ends the holding, and gives back what was held. */
  release(): readonly MatchRequest[] {
    const held = this.#held ?? [];
    this.#held = undefined;
    return held;
  }
}

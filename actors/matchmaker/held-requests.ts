/** After a restart of the hub: what is ready in dispatches from before waits until every agent of the roster has told what it has, or the time is up (M3, H8). Pure. */
import type { MatchmakerMessage } from '../../bus/protocol/actors.ts';
import type { DispatchId } from '../../model/ids.ts';
import { needOf } from '../requirement.ts';

export type MatchRequest = Extract<MatchmakerMessage, { type: 'match.request' }>;

export class HeldRequests {
  #held: Map<DispatchId, MatchRequest[]> | undefined;
  readonly #counts = new Map<string, number>();

  /** From now on requests are held. */
  begin(): void {
    this.#held ??= new Map();
  }

  /** False: nothing is held (any more). */
  add(request: MatchRequest): boolean {
    if (!request.resumed || this.#held === undefined) return false;
    const { dispatch } = request;
    const need = needOf(request.requirement);
    this.#counts.set(need, (this.#counts.get(need) ?? 0) + 1);
    const known = this.#held.get(dispatch);
    if (known === undefined) this.#held.set(dispatch, [request]);
    else known.push(request);
    return true;
  }

  /** Requests of this need that were held so far, withdrawn ones included. */
  count(need: string): number {
    return this.#counts.get(need) ?? 0;
  }

  of(dispatch: DispatchId): readonly MatchRequest[] {
    return this.#held?.get(dispatch) ?? [];
  }

  get holding(): boolean {
    return this.#held !== undefined;
  }

  withdraw(dispatch: DispatchId, nodes: ReadonlySet<number> | undefined): void {
    const requests = this.#held?.get(dispatch);
    if (requests === undefined) return;
    const left = requests.flatMap((request) => {
      const still = nodes === undefined ? [] : request.nodes.filter((node) => !nodes.has(node));
      const large = request.large?.filter(([node]) => nodes?.has(node) !== true);
      return still.length === 0 ? [] : [{ ...request, nodes: still, ...(large === undefined ? {} : { large }) }];
    });
    if (left.length === 0) this.#held?.delete(dispatch);
    else this.#held?.set(dispatch, left);
  }

  /** Ends the holding, and gives back what was held. */
  release(): readonly MatchRequest[] {
    const held = [...(this.#held?.values() ?? [])].flat();
    this.#held = undefined;
    this.#counts.clear();
    return held;
  }
}

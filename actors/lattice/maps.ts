/**
 * The arrays that maps run over and give, which the result manager cuts and puts together: asked for, and what its answers mean. Not here: what a map's
 * items do (state.ts, map-runs.ts).
 */
import type { LatticeMessage } from '../../bus/protocol/actors.ts';
import { errorInfoOf, type ValueInfo } from '../../model/outcome.ts';
import type { ResultsClient } from '../results-client.ts';
import type { Effect } from './effects.ts';
import { tooManyItems } from './expansion-limit.ts';
import type { LatticeState } from './state.ts';

export interface MapsOptions {
  readonly state: LatticeState;
  readonly results: ResultsClient;
  /** To the supervisor, by way of its mailbox. */
  readonly tell: (message: LatticeMessage) => void;
}

type Sliced = Extract<LatticeMessage, { type: 'map.sliced' }>;
type Composed = Extract<LatticeMessage, { type: 'map.composed' }>;

export class Maps {
  readonly #o: MapsOptions;

  constructor(options: MapsOptions) {
    this.#o = options;
  }

  /** Answered by `map.sliced`. */
  slice(map: number, { digest }: ValueInfo): void {
    const { results, tell } = this.#o;
    results.turns
      .run(() => results.ask('results.slice', { digest }))
      .then(
        ({ items }) => tell({ type: 'map.sliced', map, items }),
        (error: unknown) => tell({ type: 'map.sliced', map, error: errorInfoOf(error, 'STORE_FAILED') }),
      );
  }

  sliced({ map, items, error }: Sliced): void {
    const { state } = this.#o;
    const unread = { code: 'VALUE_MISSING', message: 'the mapped value could not be read' };
    const failure = items === undefined ? (error ?? unread) : tooManyItems(state.plan, map, items.length);
    if (items === undefined || failure !== undefined) state.mapFailed(map, failure ?? unread);
    else state.sliced(map, items);
  }

  /** Answered by `map.composed`. */
  compose({ map, elements, settled }: Extract<Effect, { type: 'compose' }>): void {
    const { results, tell } = this.#o;
    results.turns
      .run(() => results.ask('results.compose', { elements, settled }))
      .then(
        ({ value }) => tell({ type: 'map.composed', map, value }),
        (error: unknown) => tell({ type: 'map.composed', map, error: errorInfoOf(error, 'STORE_FAILED') }),
      );
  }

  composed({ map, value, error }: Composed): void {
    const missing = { code: 'STORE_FAILED', message: "the map's values could not be put together" };
    if (value !== undefined) this.#o.state.composed(map, value);
    else this.#o.state.mapFailed(map, error ?? missing);
  }
}

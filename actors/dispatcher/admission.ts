/**
 * Whether the hub takes in one more dispatch now. What says no is a measure of work, and the answer is HUB_BUSY, which clients try again: nothing is dropped.
 * Not here: whether the dispatch is valid and the disk has room (intake.ts).
 */
import { defaults } from '../../model/defaults.ts';
import { PolaronError } from '../../model/errors.ts';
import type { DispatchId } from '../../model/ids.ts';
import type { ResultsClient } from '../results-client.ts';

export interface AdmissionLimits {
  /** Submissions being taken in at once. */
  readonly submitting: number;
  /** Records and bytes that wait for the disk: half of where matching pauses, so that what runs comes before what is new. */
  readonly backlog: number;
  readonly backlogBytes: number;
  /** Dispatches that have not ended, and the nodes of their graphs: all of them are in memory. */
  readonly dispatches: number;
  readonly nodes: number;
}

const MOST_SUBMITTING = 1_024;
/** So many times what users may begin may live with what begins inside of it. */
const INNER = 2;

export const ADMISSION: AdmissionLimits = {
  submitting: MOST_SUBMITTING,
  backlog: 25_000,
  backlogBytes: 32 * 1024 * 1024,
  dispatches: defaults.maxLiveDispatches,
  nodes: defaults.maxLiveElectrons,
};

export class Admission {
  readonly #results: Pick<ResultsClient, 'backlog' | 'backlogBytes'>;
  readonly #limits: AdmissionLimits;
  readonly #live = new Map<DispatchId, number>();
  #nodes = 0;
  #submitting = 0;

  constructor(results: Pick<ResultsClient, 'backlog' | 'backlogBytes'>, limits = ADMISSION) {
    this.#results = results;
    this.#limits = limits;
  }

  get size(): number {
    return this.#live.size;
  }
  has(id: DispatchId): boolean {
    return this.#live.has(id);
  }

  /** It lives from now on: accepted, or recovered. */
  add(id: DispatchId, nodes: number): void {
    this.#nodes += nodes - (this.#live.get(id) ?? 0);
    this.#live.set(id, nodes);
  }
  ended(id: DispatchId): void {
    this.#nodes -= this.#live.get(id) ?? 0;
    this.#live.delete(id);
  }

  /** Takes in one submission; `work` begins when there is room. Raises HUB_BUSY. */
  async enter<T>(work: () => Promise<T>): Promise<T> {
    const why = this.#busy();
    if (why !== undefined) throw new PolaronError('HUB_BUSY', `the hub takes in no dispatch just now: ${why}`);
    this.#submitting++;
    try {
      return await work();
    } finally {
      this.#submitting--;
    }
  }

  #busy(): string | undefined {
    const { submitting, backlog, backlogBytes, dispatches, nodes } = this.#limits;
    if (this.#submitting >= submitting) return `it is taking in ${submitting} already`;
    if (this.#results.backlog > backlog) return `${this.#results.backlog} records wait for its disk`;
    if (this.#results.backlogBytes > backlogBytes)
      return `values of ${this.#results.backlogBytes} bytes wait for its disk`;
    return this.#full(dispatches, nodes);
  }

  /** Why one inside another can't begin either. What it is part of lives meanwhile, so it is never asked to wait. */
  crowded(): string | undefined {
    const { dispatches, nodes } = this.#limits;
    return this.#full(INNER * dispatches, INNER * nodes);
  }

  #full(dispatches: number, nodes: number): string | undefined {
    if (this.#live.size >= dispatches) return `${this.#live.size} dispatches have not ended`;
    if (this.#nodes >= nodes) return `dispatches of ${this.#nodes} electrons have not ended`;
    return undefined;
  }
}

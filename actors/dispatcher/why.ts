/**
 * Answers why electrons of a dispatch don't run yet: what the matchmaker knows of the ready ones, the supervisor of the waiting ones, and the records of those that are
 * between two attempts. Not here: whose dispatch it is (dispatcher.ts), why they were taken over or not (why-reuse.ts).
 */
import type { DispatcherMessage, LatticeMessage } from '../../bus/protocol/actors.ts';
import type { DispatchDetail, ElectronView } from '../../bus/protocol/api.ts';
import type { WhyGroup, WhyReply } from '../../bus/protocol/why.ts';
import type { Clock } from '../../model/clock.ts';
import type { DispatchId } from '../../model/ids.ts';
import { isTerminalDispatch } from '../../model/lifecycle.ts';
import { firstWithin, LIST_BYTES } from '../answer-size.ts';
import type { ResultsClient } from '../results-client.ts';
import type { ActorSystem, Address } from '../system.ts';
import { WhyGroups, type Waits } from '../why-groups.ts';
import type { FirstNeed } from './first-need.ts';
import { ReuseQuestions } from './why-reuse.ts';

type Explained = Extract<DispatcherMessage, { type: 'lattice.explained' }>;

export interface WhyOptions {
  readonly system: ActorSystem;
  readonly clock: Clock;
  readonly results: ResultsClient;
  /** What the matchmaker knows, of one node or of all; `need`: of a dispatch that has not begun. */
  readonly why: (id: DispatchId, node: number | undefined, need: FirstNeed | undefined) => readonly Waits[];
}

const named = ({ why, electrons, first }: Waits, nameOf: (node: number) => string): WhyGroup => ({
  why,
  electrons,
  first: first.map((node) => ({ node, name: nameOf(node) })),
});

/** Electrons between two attempts that are looked up. */
const RETRYING = 1_000;
/** A supervisor that doesn't answer is beginning again. */
const PATIENCE_MS = 2_000;

export class WhyRequests {
  readonly #o: WhyOptions;
  readonly #self: Address;
  readonly #reuse: ReuseQuestions;
  readonly #waiting = new Map<number, (told: Explained | undefined) => void>();
  #next = 1;

  constructor(options: WhyOptions, self: Address) {
    this.#o = options;
    this.#reuse = new ReuseQuestions(options.results);
    this.#self = self;
  }

  /** `electron`: only of this one. `need`: it has not begun. */
  async ask(
    dispatch: DispatchDetail,
    id: DispatchId,
    electron: ElectronView | undefined,
    need: FirstNeed | undefined,
  ): Promise<WhyReply> {
    const waits = isTerminalDispatch(dispatch.status) ? [] : await this.#waits(dispatch, id, electron, need);
    if (need !== undefined) return { reasons: waits };
    const { reasons = [], nameOf = String } = (await this.#reuse.ask(id, dispatch.user, electron?.id)) ?? {};
    const all = [...waits, ...reasons.map((group) => named(group, nameOf))];
    const told = firstWithin(all, 2 * LIST_BYTES);
    return { reasons: told, ...(told.length < all.length ? { more: all.length - told.length } : {}) };
  }

  async #waits(
    dispatch: DispatchDetail,
    id: DispatchId,
    electron: ElectronView | undefined,
    need: FirstNeed | undefined,
  ): Promise<readonly WhyGroup[]> {
    const ready = this.#o.why(id, electron?.id, need);
    if (need !== undefined) return ready.map(({ why, electrons }) => ({ why, electrons, first: [] }));
    const pauses = await this.#pauses(dispatch, id, electron);
    const told = await this.#explain(
      id,
      electron?.id,
      [...ready, ...pauses].flatMap(({ first }) => first),
    );
    const names = new Map(told?.names);
    const all = [...ready, ...pauses, ...(told?.waits ?? [])];
    return all
      .sort((a, b) => b.electrons - a.electrons)
      .map((group) => named(group, (node) => names.get(node) ?? String(node)));
  }

  explained(message: Explained): void {
    this.#waiting.get(message.request)?.(message);
    this.#waiting.delete(message.request);
  }

  async #pauses(
    { user }: DispatchDetail,
    id: DispatchId,
    electron: ElectronView | undefined,
  ): Promise<readonly Waits[]> {
    const filter = { status: 'retrying', brief: true, limit: RETRYING } as const;
    const views =
      electron === undefined
        ? (await this.#o.results.ask('results.snapshot', { id, user, ...filter })).electrons
        : [electron];
    const groups = new WhyGroups();
    const due = [...views].sort((a, b) => (a.retryAt ?? 0) - (b.retryAt ?? 0));
    for (const { id: node, status, attempts: attempt, retryAt: until, error } of due) {
      const code = error?.code ?? '';
      if (status === 'retrying' && until !== undefined)
        groups.add(`${attempt} ${code}`, () => ({ kind: 'back-off', until, attempt, code }), [node]);
    }
    return groups.list(RETRYING);
  }

  #explain(id: DispatchId, node: number | undefined, name: readonly number[]): Promise<Explained | undefined> {
    const request = this.#next++;
    return new Promise((resolve) => {
      this.#waiting.set(request, resolve);
      this.#o.clock.after(PATIENCE_MS, () => {
        if (this.#waiting.delete(request)) resolve(undefined);
      });
      const message: LatticeMessage = {
        type: 'lattice.explain',
        request,
        name,
        ...(node === undefined ? {} : { node }),
      };
      this.#o.system.send(this.#o.system.address('lattice', id), message, this.#self);
    });
  }
}

/** What a test does with its hub. Waiting for a dispatch moves the clock. Not here: putting a hub together (create-test-hub.ts), why one is stuck (stuck.ts). */
import { isTerminalDispatch } from '../model/lifecycle.ts';
import { isDispatchId, type DispatchId as RecordId } from '../model/ids.ts';
import { PolaronError } from '../model/errors.ts';
import { trusted } from '../model/trusted.ts';
import type { Sdk } from '../sdk/client/client.ts';
import { nearest } from '../sdk/near-match.ts';
import type { Client, DispatchId, Duration, Electron, TerminalResult } from '../sdk/types.ts';
import { decodeDispatch, keys } from '../store/records.ts';
import type { Store } from '../store/store.ts';
import type { ManualClock } from './clock.ts';
import type { LocalAgent } from './local-agent.ts';
import type { Mocks } from './mocks.ts';
import { stuckError } from './stuck.ts';
import type { InProcessHub, Mock, MockCall, TestAgent, TestClock } from './test-hub.ts';
import type { Timeline } from './timeline.ts';

export interface InProcessOptions {
  readonly timeline: Timeline;
  readonly clock: ManualClock;
  readonly agents: readonly LocalAgent[];
  readonly mocks: Mocks;
  readonly store: Store;
  readonly sdk: Sdk;
  readonly end: () => Promise<void>;
}

export class InProcess implements InProcessHub {
  readonly client: Client;
  readonly #o: InProcessOptions;
  #stopped: Promise<void> | undefined;

  constructor(options: InProcessOptions) {
    this.#o = options;
    const functions = options.sdk;
    this.client = {
      dispatch: functions.dispatch,
      redispatch: functions.redispatch,
      watch: functions.watch,
      dispatchSync:
        (l, o) =>
        async (...args) =>
          this.settle(await functions.dispatch(l, o)(...args)),
      getResult: trusted(async (id: string, o: { wait?: boolean; timeout?: Duration } = {}) => {
        if (o.wait === true) await this.#ends(id, o.timeout);
        return functions.getResult(id);
      }),
      getValue: async (id, o = {}) => {
        await this.#ends(id, o.timeout);
        return functions.getValue(id, { timeout: 0 });
      },
      cancel: async (id, o) => this.#moving(functions.cancel(id, o)),
      close: () => Promise.resolve(),
    };
  }

  get clock(): TestClock {
    return this.#o.clock;
  }

  get dispatch(): Client['dispatch'] {
    return this.client.dispatch;
  }

  /** Its agents have joined. */
  async start(): Promise<void> {
    for (const agent of this.#o.agents) await agent.start();
    await this.#moving(Promise.all(this.#o.agents.map(({ joined }) => joined)));
  }

  async settle<T>(id: DispatchId<T>): Promise<TerminalResult<T>> {
    await this.#ends(id, undefined);
    return this.#o.sdk.getResult(id, { wait: true });
  }

  mock<A extends readonly unknown[], R>(
    electron: Electron<A, R>,
    run?: (...args: A) => Awaited<R> | Promise<Awaited<R>>,
  ): Mock<A> {
    const { entry, restore } = this.#o.mocks.set(electron.electronName, run && trusted(run));
    return { calls: trusted<readonly MockCall<A>[]>(entry.calls), restore };
  }

  agent(name?: string): TestAgent {
    const { agents } = this.#o;
    const found = name === undefined ? agents[0] : agents.find((agent) => agent.name === name);
    if (found !== undefined) return found;
    const names = agents.map((agent) => agent.name);
    const near = nearest(name ?? '', names).map((one) => `"${one}"`);
    throw new PolaronError('USAGE', `the test hub has no agent "${name ?? ''}"; it has ${names.join(', ') || 'none'}`, {
      help: near.length > 0 ? `Did you mean ${near.join(' or ')}?` : 'Name it in createTestHub({ agents: { … } }).',
    });
  }

  stop(): Promise<void> {
    this.#stopped ??= this.#stop();
    return this.#stopped;
  }

  async #stop(): Promise<void> {
    for (const agent of this.#o.agents) agent.kill();
    await this.#o.end();
  }

  /** Moves the clock until the dispatch has ended, or `timeout` is over. Raises STUCK, UNKNOWN_DISPATCH. */
  async #ends(id: string, timeout: Duration | undefined): Promise<void> {
    const { clock, sdk } = this.#o;
    if (!isDispatchId(id)) return; // the hub says what it thinks of it
    const until = timeout === undefined ? undefined : clock.in(timeout, 'timeout');
    const ended = await clock.runUntil(`dispatch ${id}`, () => this.#hasEnded(id), until);
    if (!ended && timeout === undefined) throw await stuckError(sdk.hub().api, this.#o.agents, id);
  }

  #hasEnded(id: RecordId): boolean {
    const record = this.#o.store.get(keys.dispatch(id));
    return record === undefined || isTerminalDispatch(decodeDispatch(record).status);
  }

  async #moving<T>(work: Promise<T>): Promise<T> {
    let settled = false;
    const done = work.finally(() => {
      settled = true;
    });
    done.catch(() => undefined); // told to whoever awaits it
    if (await this.#o.clock.runUntil('the hub', () => settled)) return done;
    throw new PolaronError('STUCK', 'the hub does not answer, and no timer is left that could make it');
  }
}

/** The shapes of a hub inside a test: what `createTestHub` takes and gives. Types only, so that they cost nothing to import. */
import type { Log } from '../model/log.ts';
import type { Client, DispatchId, Duration, Electron, TerminalResult } from '../sdk/types.ts';

/** How a hub inside a test is. */
export interface CreateTestHubOptions {
  /** Agents by name. @default `{ local: {} }` */
  readonly agents?: Readonly<Record<string, TestAgentOptions>>;
  /** What the clock says at first. @default 2026-01-01T00:00:00Z */
  readonly startsAt?: Date;
  /** Of ids and jitter: the same seed, the same run. @default 1 */
  readonly seed?: number;
  /** Real time for which the clock waits for an electron that is at work; one that takes longer is taken to wait for the clock. @default 1 s */
  readonly patience?: Duration;
  /** Where the log lines of hub and agents go. @default nowhere */
  readonly log?: Log;
}

/** How an agent of a hub inside a test is. */
export interface TestAgentOptions {
  /** What electrons name as their `executor` to run here. @default 'process' */
  readonly executor?: string;
  /** Further capabilities, for `needs`; what leptons need is offered by all. */
  readonly offers?: readonly string[];
  /** Electrons that run at once. @default 2 */
  readonly slots?: number;
  /** Runs every electron of this agent, in place of its function. What it returns is the electron's value; throw to fail it. A mock of the electron goes before. */
  readonly run?: (task: TestTask) => unknown;
  /** How long each electron takes, on the hub's clock. @default no time */
  readonly takes?: Duration | ((task: TestTask) => Duration);
}

/** One attempt of one electron. */
export interface TestTask {
  /** Its name. */
  readonly electron: string;
  /** As the electron gets them: decoded copies. */
  readonly args: readonly unknown[];
  /** From 1. */
  readonly attempt: number;
  /** Id of the dispatch. */
  readonly dispatch: string;
  /** As `context().nodeId`. */
  readonly node: string;
  /** Name of the agent that runs it. */
  readonly agent: string;
  /** When it began, on the hub's clock. */
  readonly at: Date;
}

/** A call that a mock has seen. */
export interface MockCall<A extends readonly unknown[] = readonly unknown[]> extends TestTask {
  /** As the mock got them. */
  readonly args: A;
}

/** What `hub.mock` gives. */
export interface Mock<A extends readonly unknown[] = readonly unknown[]> {
  /** Every attempt, in order. */
  readonly calls: readonly MockCall<A>[];
  /** From now on the electron's own function runs again; `calls` stays. */
  restore(): void;
}

/** The clock of a hub inside a test: it stands still until it is moved. */
export interface TestClock {
  /** What it says. */
  now(): Date;
  /** Moves time on, from timer to timer. It waits for electrons at work, for `patience` at most. Raises USAGE inside an electron. */
  advance(duration: Duration): Promise<void>;
  /** Moves time on until no timer is left that anything waits for: retries, timeouts, sleeps. Raises USAGE inside an electron, STUCK after a million timers. */
  runUntilIdle(): Promise<void>;
  /**
   * For electrons and mocks: resolves when the clock has moved on so far; `Infinity`: never. Rejects when the attempt is stopped, or `signal` aborts.
   * In the test itself it takes `advance` to end it.
   */
  sleep(duration: Duration, o?: { readonly signal?: AbortSignal }): Promise<void>;
}

/** An agent of a hub inside a test. */
export interface TestAgent {
  /** Its name. */
  readonly name: string;
  /** It was started, and not killed since. */
  readonly alive: boolean;
  /** Its process dies with all that runs in it, without a word. The hub notices when the lease ends (15 s on the clock), or at `restart`. */
  kill(): void;
  /** A new process of this agent, with what the old one had on its disk. Kills that one if it lives. */
  restart(): Promise<void>;
  /** Hub and agent can't reach each other; what runs there goes on. */
  disconnect(): void;
  /** Ends that: what it has to tell is told. */
  reconnect(): void;
}

/** A hub, its bus and its agents in the test's own process, on a clock that the test moves. */
export interface InProcessHub {
  /**
   * The SDK's functions, bound to this hub. What waits for a dispatch (`getValue`, `dispatchSync`, `getResult` with `wait`, `cancel`) moves the clock until it has ended;
   * a `timeout` counts on that clock. Raises STUCK when the dispatch can't end, with what waits for what.
   */
  readonly client: Client;
  /** As `client.dispatch`. */
  readonly dispatch: Client['dispatch'];
  /** Of hub and agents. */
  readonly clock: TestClock;
  /** Moves the clock until the dispatch has ended, and gives its result. Raises STUCK. */
  settle<T>(id: DispatchId<T>): Promise<TerminalResult<T>>;
  /** `run` in place of the electron's function, on this hub, wherever the electron is used; without it the calls are only recorded. */
  mock<A extends readonly unknown[], R>(
    electron: Electron<A, R>,
    run?: (...args: A) => Awaited<R> | Promise<Awaited<R>>,
  ): Mock<A>;
  /** @param name default: the first one. Raises USAGE for one that isn't there. */
  agent(name?: string): TestAgent;
  /** Ends everything and removes the temporary folder. */
  stop(): Promise<void>;
}

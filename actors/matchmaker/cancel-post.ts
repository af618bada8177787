/**
 * Tells agents to stop attempts, or to give back what they only queue: once the records are on disk, and in one message for each agent and turn (H10).
 * Not here: the repeats, which are in the answers to syncs (agent-state.ts); what follows from an answer (matchmaker.ts).
 */
import type { Cancel } from '../../bus/protocol/agent.ts';
import type { AgentKey } from '../../model/ids.ts';
import type { ResultsClient } from '../results-client.ts';
import type { Epoch } from '../services.ts';
import type { AgentGateway } from './gateway.ts';

export type CancelTask = Cancel['tasks'][number];

export interface CancelPostOptions {
  readonly results: Pick<ResultsClient, 'afterFlush'>;
  readonly gateway: Pick<AgentGateway, 'cancel'>;
  readonly epoch: Epoch;
}

const TIMEOUT_MS = 1_000;
/** Electrons in one message: all their ids fit into it. */
const MOST_TASKS = 2_000;
/** A microtask without the bookkeeping of `queueMicrotask`. */
const now = Promise.resolve();

export class CancelPost {
  readonly #o: CancelPostOptions;
  readonly #onStopped: (agent: AgentKey, tasks: readonly CancelTask[]) => void;
  readonly #due = new Map<AgentKey, CancelTask[]>();

  /** `onStopped`: the agent says that it doesn't run these (any more). */
  constructor(options: CancelPostOptions, onStopped: (agent: AgentKey, tasks: readonly CancelTask[]) => void) {
    this.#o = options;
    this.#onStopped = onStopped;
  }

  add(agent: AgentKey, task: CancelTask): void {
    this.#o.results.afterFlush(() => {
      const due = this.#due.get(agent);
      if (due !== undefined) due.push(task);
      else if (this.#due.set(agent, [task]).size === 1) void now.then(() => this.#flush());
    });
  }

  #flush(): void {
    for (const [agent, tasks] of this.#due)
      for (let at = 0; at < tasks.length; at += MOST_TASKS) this.#send(agent, tasks.slice(at, at + MOST_TASKS));
    this.#due.clear();
  }

  #send(agent: AgentKey, tasks: readonly CancelTask[]): void {
    this.#o.gateway.cancel(agent, { hub: this.#o.epoch.value, tasks }, TIMEOUT_MS).then(
      (answer) => {
        const stopped = new Set(answer.stopped);
        this.#onStopped(
          agent,
          tasks.filter(({ task }) => stopped.has(task)),
        );
      },
      () => undefined, // repeated in each sync reply until the agent no longer lists it; a revoke by who asked for it
    );
  }
}

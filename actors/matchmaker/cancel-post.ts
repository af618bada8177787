/**
 * Tells agents to stop attempts, or to give back what they only queue: once the records are on disk, and in one message for each agent and turn (H10).
 * Not here: the repeats, which are in the answers to syncs (agent-state.ts); what follows from an answer (matchmaker.ts).
 */
import type { Cancel, CancelReply } from '../../bus/protocol/agent.ts';
import type { AgentKey } from '../../model/ids.ts';

export type CancelTask = Cancel['tasks'][number];

export interface CancelPostOptions {
  readonly afterFlush: (callback: () => void) => void;
  readonly send: (agent: AgentKey, cancel: Cancel, timeoutMs: number) => Promise<CancelReply>;
  /** The hub's epoch. */
  readonly hub: () => number;
  /** The agent says that it doesn't run these (any more). */
  readonly onStopped: (agent: AgentKey, tasks: readonly CancelTask[]) => void;
}

const TIMEOUT_MS = 1_000;
/** Electrons in one message: all their ids fit into it. */
const MOST_TASKS = 2_000;
/** A microtask without the bookkeeping of `queueMicrotask`. */
const now = Promise.resolve();

export class CancelPost {
  readonly #o: CancelPostOptions;
  readonly #due = new Map<AgentKey, CancelTask[]>();

  constructor(options: CancelPostOptions) {
    this.#o = options;
  }

  add(agent: AgentKey, task: CancelTask): void {
    this.#o.afterFlush(() => {
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
    this.#o.send(agent, { hub: this.#o.hub(), tasks }, TIMEOUT_MS).then(
      (answer) => {
        const stopped = new Set(answer.stopped);
        this.#o.onStopped(
          agent,
          tasks.filter(({ task }) => stopped.has(task)),
        );
      },
      () => undefined, // repeated in each sync reply until the agent no longer lists it; a revoke by who asked for it
    );
  }
}

/**
 * Sends attempts to agents: what is for one agent in one turn goes in one message, and an unanswered one is repeated with the same number (H4).
 * One that no message can carry fails its electron: it would be repeated for ever.
 */
import type { Clock } from '../../model/clock.ts';
import { remedyOf } from '../../model/error-table.ts';
import { asPolaronError, type PolaronError } from '../../model/errors.ts';
import type { ElectronDef } from '../../model/graph.ts';
import type { AgentKey, TaskId } from '../../model/ids.ts';
import type { ErrorInfo, Token } from '../../model/outcome.ts';
import type { ElectronMessage, MatchmakerMessage } from '../../bus/protocol/actors.ts';
import type { Assign, AssignedTask, AssignReply, Manifest } from '../../bus/protocol/agent.ts';
import { sameElectron } from '../../bus/protocol/shared-parts.ts';
import type { AgentState } from './agent-state.ts';
import { argumentBytes, ASSIGN_BYTES, sharedBytes, taskBytes } from './assign-size.ts';

export type SendRequest = Extract<MatchmakerMessage, { type: 'attempt.send' }>;
/** What an electron is told of an attempt that didn't reach its agent. */
export type NotSent = Extract<ElectronMessage, { type: 'attempt.lost' | 'attempt.unsendable' }>;

export interface AssignerOptions {
  readonly clock: Clock;
  /** One try. Rejects with PAYLOAD_TOO_LARGE or BAD_MESSAGE when no try will ever succeed. */
  readonly send: (agent: AgentKey, assign: Assign, timeoutMs: number) => Promise<AssignReply>;
  readonly hub: () => number;
  readonly history: () => string;
  /** Bytes that one message may carry. */
  readonly maxBytes: () => number;
  /** The agent says that it never can run such an electron. */
  readonly onUnable: (agent: AgentState, electron: ElectronDef) => void;
  readonly onBack: (agent: AgentState, task: TaskId, message: NotSent) => void;
}

const TIMEOUT_MS = 1_000;
const TRIES = 3;
const MOST_TASKS = 1_024;

interface Outgoing {
  readonly assign: Assign;
  given: 'sending' | 'given-up';
}

export class Assigner {
  readonly #o: AssignerOptions;
  readonly #outbox = new Map<AgentState, SendRequest[]>();
  readonly #unanswered = new Map<AgentState, Map<number, Outgoing>>();
  /** Were in a message that couldn't be sent, with others: each goes by itself now, so that the others don't suffer for one. */
  readonly #alone = new Set<TaskId>();
  #scheduled = false;

  constructor(options: AssignerOptions) {
    this.#o = options;
  }

  add(agent: AgentState, request: SendRequest): void {
    const waiting = this.#outbox.get(agent);
    if (waiting === undefined) this.#outbox.set(agent, [request]);
    else waiting.push(request);
    if (this.#scheduled) return;
    this.#scheduled = true;
    setImmediate(() => this.#flush());
  }

  /** It goes out within this turn. */
  isSending(agent: AgentState, task: TaskId): boolean {
    return this.#outbox.get(agent)?.some((request) => request.task === task) === true;
  }

  /** Takes an attempt back that has not gone out. */
  withdraw(agent: AgentState, task: TaskId): boolean {
    const waiting = this.#outbox.get(agent);
    const at = waiting?.findIndex((request) => request.task === task) ?? -1;
    if (at >= 0) waiting?.splice(at, 1);
    return at >= 0;
  }

  /** The agent says that it has not seen these (H5). */
  resend(agent: AgentState, above: number): void {
    for (const [n, outgoing] of this.#unanswered.get(agent) ?? []) {
      if (n > above && outgoing.given === 'given-up') {
        outgoing.given = 'sending';
        void this.#send(agent, outgoing);
      }
    }
  }

  /** The agent restarted or is gone: what wasn't answered is void. */
  forget(agent: AgentState): void {
    this.#unanswered.delete(agent);
  }

  /** Nothing is sent any more, nor repeated: a hub that dropped its memory must not speak on. */
  stop(): void {
    this.#outbox.clear();
    this.#unanswered.clear();
  }

  #flush(): void {
    this.#scheduled = false;
    // One that began again since the match may not be on disk yet (H3).
    for (const [agent, requests] of this.#outbox) {
      if (!agent.isAdmitted) {
        for (const { task, token } of requests) {
          agent.hold(task, token, 0);
          this.#o.onBack(agent, task, { type: 'attempt.lost', token, reason: 'refused', charged: false });
        }
        continue;
      }
      for (let from = 0; from < requests.length; ) from = this.#batch(agent, requests, from);
    }
    this.#outbox.clear();
  }

  #batch(agent: AgentState, requests: readonly SendRequest[], from: number): number {
    const manifests: Manifest[] = [];
    const electrons: ElectronDef[] = [];
    const tasks: AssignedTask[] = [];
    const n = agent.nextN();
    const room = this.#o.maxBytes() - ASSIGN_BYTES;
    let bytes = 0;
    let at = from;
    let full = false;
    for (; at < requests.length && tasks.length < MOST_TASKS && !full; at++) {
      const request = requests[at];
      if (request === undefined || (tasks.length > 0 && this.#alone.has(request.task))) break;
      full = this.#alone.delete(request.task);
      let size = taskBytes(request);
      const def = sameElectron(request.electron);
      let manifest = manifests.lastIndexOf(request.manifest);
      let electron = electrons.lastIndexOf(def);
      if (manifest < 0) size += sharedBytes(request.manifest);
      if (electron < 0) size += sharedBytes(def);
      if (tasks.length > 0 && bytes + size > room) break;
      bytes += size;
      if (manifest < 0) manifest = manifests.push(request.manifest) - 1;
      if (electron < 0) electron = electrons.push(def) - 1;
      const { task, token, inputsDigest, name, path, template, inputs, split, holds } = request;
      const sent = {
        task,
        token,
        inputsDigest,
        manifest,
        electron,
        name,
        ...(path === undefined ? {} : { path }),
        template,
        inputs,
        split,
        timeoutMs: def.timeouts.attemptMs,
      };
      tasks.push(holds === undefined ? sent : { ...sent, holds });
      agent.hold(task, token, n);
    }
    const { epoch, instance } = agent;
    const [hub, history] = [this.#o.hub(), this.#o.history()];
    const outgoing: Outgoing = {
      assign: { epoch, instance, hub, history, n, manifests, electrons, tasks },
      given: 'sending',
    };
    let unanswered = this.#unanswered.get(agent);
    if (unanswered === undefined) this.#unanswered.set(agent, (unanswered = new Map()));
    unanswered.set(n, outgoing);
    void this.#send(agent, outgoing);
    return at;
  }

  async #send(agent: AgentState, outgoing: Outgoing): Promise<void> {
    const { assign } = outgoing;
    for (let tries = 1; tries <= TRIES; tries++) {
      try {
        const reply = await this.#o.send(agent.key, assign, TIMEOUT_MS);
        if (!this.#settle(agent, outgoing)) return;
        const sent = new Map(assign.tasks.map((task) => [task.task, task]));
        for (const { task, reason } of reply.refused) {
          const { token, electron = -1 } = sent.get(task) ?? {};
          const def = assign.electrons[electron];
          if (reason === 'capability' && def !== undefined) this.#o.onUnable(agent, def);
          if (token !== undefined) this.#o.onBack(agent, task, lost(token, 'refused'));
        }
        return;
      } catch (error) {
        const failure = asPolaronError(error, 'BAD_MESSAGE');
        const { code } = failure;
        const unsendable = code === 'PAYLOAD_TOO_LARGE' || code === 'BAD_MESSAGE';
        if (unsendable || (tries === 1 && code === 'NO_RESPONDERS')) {
          if (!this.#settle(agent, outgoing)) return;
          this.#leaveEmpty(agent, assign);
          if (unsendable) this.#unsendable(agent, assign, failure);
          else for (const { task, token } of assign.tasks) this.#o.onBack(agent, task, lost(token, 'no-responders'));
          return;
        }
        if (code !== 'REQUEST_TIMEOUT') await new Promise<void>((resolve) => this.#o.clock.after(200, resolve));
      }
      if (this.#unanswered.get(agent)?.get(assign.n) !== outgoing) return;
    }
    outgoing.given = 'given-up';
  }

  /** One alone is to blame and fails; of several it isn't known which. */
  #unsendable(agent: AgentState, assign: Assign, failure: PolaronError): void {
    const [first, ...others] = assign.tasks;
    if (first !== undefined && others.length === 0) {
      const error = errorOf(agent.key, assign, first, failure);
      this.#o.onBack(agent, first.task, { type: 'attempt.unsendable', token: first.token, error });
      return;
    }
    for (const { task } of assign.tasks) this.#alone.add(task);
    for (const { task, token } of assign.tasks) this.#o.onBack(agent, task, lost(token, 'refused'));
  }

  /** A number that never arrives would hold the agent's `seen` below it for ever: it goes out empty when the agent misses it. */
  #leaveEmpty(agent: AgentState, assign: Assign): void {
    const empty: Assign = { ...assign, manifests: [], electrons: [], tasks: [] };
    const unanswered = this.#unanswered.get(agent) ?? new Map<number, Outgoing>();
    this.#unanswered.set(agent, unanswered.set(assign.n, { assign: empty, given: 'given-up' }));
  }

  /** False when the answer came too late to count: the agent restarted meanwhile, or the hub took a greater epoch. */
  #settle(agent: AgentState, outgoing: Outgoing): boolean {
    const unanswered = this.#unanswered.get(agent);
    const { n } = outgoing.assign;
    return unanswered?.get(n) === outgoing && unanswered.delete(n);
  }
}

const lost = (token: Token, reason: 'refused' | 'no-responders'): NotSent => ({
  type: 'attempt.lost',
  token,
  reason,
  charged: false,
});

function errorOf(agent: AgentKey, assign: Assign, task: AssignedTask, { code, message }: PolaronError): ErrorInfo {
  const manifest = assign.manifests[task.manifest];
  const electron = assign.electrons[task.electron];
  const what = `electron "${task.name}" can't be sent to agent ${agent}: ${message}`;
  if (code !== 'PAYLOAD_TOO_LARGE' || manifest === undefined || electron === undefined) return { code, message: what };
  const parts = [
    `captured variables and command line: ${sharedBytes(manifest)} bytes`,
    `the electron's options: ${sharedBytes(electron)}`,
    `its arguments: ${argumentBytes(task)}`,
  ];
  return { code, message: `${what} (${parts.join(', ')}); ${remedyOf(code)}` };
}

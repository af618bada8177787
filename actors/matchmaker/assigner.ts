/**
 * Sends attempts to agents: what is for one agent in one turn goes in one message, and an unanswered one is repeated with the same number (H4).
 */
import type { Clock } from '../../model/clock.ts';
import { asPolaronError } from '../../model/errors.ts';
import type { ElectronDef } from '../../model/graph.ts';
import type { AgentKey, TaskId } from '../../model/ids.ts';
import type { Token } from '../../model/outcome.ts';
import type { MatchmakerMessage } from '../../bus/protocol/actors.ts';
import type { Assign, AssignedTask, AssignReply, Manifest } from '../../bus/protocol/agent.ts';
import type { AgentState } from './agent-state.ts';

export type SendRequest = Extract<MatchmakerMessage, { type: 'attempt.send' }>;

export interface AssignerOptions {
  readonly clock: Clock;
  readonly send: (agent: AgentKey, assign: Assign, timeoutMs: number) => Promise<AssignReply>;
  readonly hub: () => number;
  readonly history: () => string;
  /** Bytes that one message may carry. */
  readonly maxBytes: () => number;
  readonly onBack: (agent: AgentState, task: TaskId, token: Token, reason: 'refused' | 'no-responders') => void;
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

  #flush(): void {
    this.#scheduled = false;
    for (const [agent, requests] of this.#outbox) {
      for (let from = 0; from < requests.length; ) from = this.#batch(agent, requests, from);
    }
    this.#outbox.clear();
  }

  #batch(agent: AgentState, requests: readonly SendRequest[], from: number): number {
    const manifests: Manifest[] = [];
    const electrons: ElectronDef[] = [];
    const tasks: AssignedTask[] = [];
    const n = agent.nextN();
    const room = this.#o.maxBytes() - 4_096;
    let bytes = 0;
    let at = from;
    for (; at < requests.length && tasks.length < MOST_TASKS; at++) {
      const request = requests[at];
      if (request === undefined) break;
      let size = 300 + request.template.byteLength + request.name.length;
      if ('digest' in request.inputs) size += 100;
      else for (const input of request.inputs) size += 'digest' in input ? 100 : input.byteLength + 5;
      let manifest = manifests.lastIndexOf(request.manifest);
      let electron = electrons.lastIndexOf(request.electron);
      if (manifest < 0) size += 600 + JSON.stringify(request.manifest).length;
      if (electron < 0) size += 400 + JSON.stringify(request.electron).length;
      if (tasks.length > 0 && bytes + size > room) break;
      bytes += size;
      if (manifest < 0) manifest = manifests.push(request.manifest) - 1;
      if (electron < 0) electron = electrons.push(request.electron) - 1;
      const { task, token, inputsDigest, name, template, inputs, split } = request;
      tasks.push({
        task,
        token,
        inputsDigest,
        manifest,
        electron,
        name,
        template,
        inputs,
        split,
        timeoutMs: request.electron.timeouts.attemptMs,
      });
      agent.hold(task, token, n);
    }
    const outgoing: Outgoing = {
      assign: { epoch: agent.epoch, hub: this.#o.hub(), history: this.#o.history(), n, manifests, electrons, tasks },
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
        const tokens = new Map(assign.tasks.map((task) => [task.task, task.token]));
        for (const { task } of reply.refused) {
          const token = tokens.get(task);
          if (token !== undefined) this.#o.onBack(agent, task, token, 'refused');
        }
        return;
      } catch (error) {
        const { code } = asPolaronError(error, 'BAD_MESSAGE');
        if (tries === 1 && code === 'NO_RESPONDERS') {
          if (!this.#settle(agent, outgoing)) return;
          this.#leaveEmpty(agent, assign);
          for (const { task, token } of assign.tasks) this.#o.onBack(agent, task, token, 'no-responders');
          return;
        }
        if (code !== 'REQUEST_TIMEOUT') await new Promise<void>((resolve) => this.#o.clock.after(200, resolve));
      }
      if (this.#unanswered.get(agent)?.get(assign.n) !== outgoing) return;
    }
    outgoing.given = 'given-up';
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

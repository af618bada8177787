/**
 * Pairs ready electrons with agents that have credit and the capabilities asked for, and speaks with the agents for the electron actors.
 * Not here: what an agent's sync means (agent-state.ts), order among the waiting (queues.ts) and who gets it (rounds.ts), the wire (gateway.ts), repeats (assigner.ts),
 * what becomes of an agent's claims (claim-post.ts, and the lattice supervisors).
 *
 * M1. An agent's attempts are counted from the moment of the match, so that credit can't be given twice.
 * M2. An attempt is released when it is judged (after the flush), refused, lost or stopped: until then a sync that lists it is no surprise.
 * M3. After a restart of the hub, what was ready waits for the roster's first syncs, at most 1.5 leases (H8); what a sync claims goes to the
 *     supervisors before anything is matched, and no outcome counts before its agent's first sync.
 */
import { isDispatchId, parseTaskId, taskIdOf, type AgentKey, type DispatchId, type TaskId } from '../../model/ids.ts';
import type { Token } from '../../model/outcome.ts';
import type { ElectronMessage, MatchmakerMessage } from '../../bus/protocol/actors.ts';
import type { Done, DoneReply, Sync, SyncReply } from '../../bus/protocol/agent.ts';
import type { AgentStatus, Unoffered } from '../../bus/protocol/api.ts';
import { classOf } from '../requirement.ts';
import type { Waits } from '../why-groups.ts';
import type { Actor, Address, Message } from '../system.ts';
import { AgentState, type AgentEffect } from './agent-state.ts';
import { Assigner } from './assigner.ts';
import { CancelPost, type CancelTask } from './cancel-post.ts';
import { ClaimPost, isClaimed } from './claim-post.ts';
import type { MatchRequest } from './held-requests.ts';
import { isFinished, isFound } from './returned.ts';
import { Keys } from './keys.ts';
import { LeaseWatch } from './lease-watch.ts';
import { Nearness } from './nearness.ts';
import type { MatchmakerOptions } from './options.ts';
import { Pools } from './pools.ts';
import { ReadyQueues } from './queues.ts';
import { Receipts } from './receipts.ts';
import { whyInRoom, whyWaiting, type RoomNeed } from './why.ts';
import { Matched } from './take-back.ts';
import { agentStatuses, tellJoined, tellTaken, unofferedOf } from './report.ts';
import { longLost, Roster, undated } from './roster.ts';
import { Rounds } from './rounds.ts';

export class Matchmaker implements Actor<MatchmakerMessage> {
  readonly #o: MatchmakerOptions;
  readonly #self: Address;
  readonly #agents = new Map<AgentKey, AgentState>();
  readonly #roster: Roster;
  readonly #keys = new Keys((key) => {
    this.#queues.freed(key);
    this.#match();
  });
  readonly #pools = new Pools();
  readonly #queues = new ReadyQueues(this.#keys, this.#pools);
  readonly #near = new Nearness(this.#pools);
  readonly #matched = new Matched();
  readonly #rounds: Rounds;
  readonly #assigner: Assigner;
  readonly #receipts = new Receipts();
  #history = '';
  readonly #claims: ClaimPost;
  readonly #cancels: CancelPost;
  readonly #leases: LeaseWatch;
  #stopListening: (() => void) | undefined;

  constructor(options: MatchmakerOptions) {
    this.#o = options;
    this.#self = options.system.address('matchmaker', 'main');
    this.#roster = new Roster(this.#agents, this.#keys);
    const [queues, pools, near, matched] = [this.#queues, this.#pools, this.#near, this.#matched];
    this.#rounds = new Rounds({ ...options, self: this.#self, queues, pools, near, matched });
    this.#claims = new ClaimPost(options.system, options.results, this.#self);
    this.#cancels = new CancelPost(options, (agent, tasks) => this.#stopped(agent, tasks));
    this.#leases = new LeaseWatch({
      ...options,
      agents: () => this.#agents.values(),
      silent: (agent) => {
        if (this.#roster.lost(agent.key))
          this.#o.results.write({ op: 'agent', ...agent.identity, lostAt: options.clock.now() });
      },
      ended: (agent) => {
        this.#assigner.forget(agent);
        this.#near.forget(agent);
        for (const effect of agent.expire()) this.#carryOut(agent, effect);
      },
      forgotten: (agent) => this.#forget(agent),
      looked: (now) => {
        this.#receipts.expire(now);
        this.#openKeys();
      },
    });
    this.#assigner = new Assigner({
      clock: options.clock,
      send: (agent, assign, timeoutMs) => options.gateway.assign(agent, assign, timeoutMs),
      hub: () => options.epoch.value,
      history: () => this.#history,
      maxBytes: options.maxPayload,
      onUnable: (agent, electron) => agent.unable(classOf(electron)),
      onBack: (agent, task, message) => {
        if (message.type === 'attempt.lost' && message.reason === 'no-responders') agent.deaf();
        if (agent.release(task, message.token)) this.#toElectron(task, message);
        this.#match();
      },
    });
  }

  /** Begins to hear agents: only when the hub has recovered (H8). */
  start(): void {
    this.#stopListening = this.#o.gateway.listen({
      sync: (agent, sync, reply) => this.#sync(agent, sync, reply),
      done: (agent, done, reply) => this.#done(agent, done, reply),
      log: (_agent, { task, token, stream, text }) =>
        this.#toElectron(task, { type: 'attempt.logged', token, stream, text }),
      progress: (_agent, { task, token, fraction, note }) =>
        this.#toElectron(task, { type: 'attempt.progressed', token, fraction, note }),
    });
    this.#leases.start();
    this.#limitHold();
    this.#o.gateway.probe();
  }

  /** The hub has lost its bus, or is back on it. */
  readonly heard = (connected: boolean): void => this.#leases.heard(connected);

  stop(): void {
    this.#leases.stop();
    this.#stopListening?.();
    this.#assigner.stop();
  }

  agents(): readonly AgentStatus[] {
    return agentStatuses(this.#agents.values(), this.#o.clock);
  }

  /** What a dispatch waits for that no agent offers. */
  readonly unoffered = (id: DispatchId): readonly Unoffered[] => this.unofferedOf(this.#queues.waitingOf(id));
  /** Of what waits elsewhere. */
  unofferedOf(waits: Parameters<typeof unofferedOf>[0]): readonly Unoffered[] {
    return unofferedOf(waits, this.#agents.values(), this.#o.clock.monotonic());
  }
  /** Why a dispatch's electrons, or this one, have no agent; `need`: it has not begun. */
  readonly why = (dispatch: DispatchId, node?: number, need?: RoomNeed): readonly Waits[] => {
    const [agents, at] = [[...this.#agents.values()], this.#o.clock.monotonic()];
    const o = { queues: this.#queues, keys: this.#keys, held: this.#roster.held, agents, at };
    return need === undefined ? whyWaiting(o, dispatch, node) : whyInRoom(o, need);
  };
  /** Dispatches of this priority or a higher one that wait for such an agent. */
  readonly waitingAhead = (need: string, priority: number): number =>
    this.#queues.ahead(need, priority) + this.#roster.held.count(need);

  receive(message: MatchmakerMessage): void {
    switch (message.type) {
      case 'match.request':
        if (!this.#roster.held.add(message)) this.#enqueue(message);
        return;
      case 'match.withdraw':
        return this.#withdraw(message.dispatch, message.nodes);
      case 'attempt.send': {
        const agent = this.#agents.get(message.agent);
        if (agent?.holds(message.task) === undefined) this.#back(message.task, message.token);
        else {
          this.#near.sent(agent, message);
          this.#assigner.add(agent, message);
        }
        return;
      }
      case 'attempt.recovered':
        this.#agentOf(message.agent).recover(message.task, message.token, message.cancelling);
        return;
      case 'attempt.refused':
        this.#agents.get(message.agent)?.refuse(message.task, message.token);
        this.#match();
        return;
      case 'attempt.abandoned':
        if (this.#agents.get(message.agent)?.unreserve(message.task) === true) this.#match();
        return;
      case 'attempt.cancel':
        return this.#cancel(message);
      case 'attempt.revoke':
        return this.#revoke(message);
      case 'attempt.judged':
        return this.#judged(message);
      case 'roster.load':
        return this.#loadRoster(message);
      case 'lattice.resumed':
        this.#withdraw(message.dispatch, undefined);
        return this.#claims.again(message.dispatch, this.#agents.values());
      case 'lattice.gone':
        return this.#withdraw(message.dispatch, undefined, true);
    }
  }

  #withdraw(dispatch: DispatchId, nodes: readonly number[] | undefined, over = false): void {
    const gone = nodes === undefined ? undefined : new Set(nodes);
    this.#queues.withdraw(dispatch, gone);
    this.#roster.held.withdraw(dispatch, gone);
    if (gone === undefined && this.#matched.takeBack(dispatch, this.#assigner, over)) this.#match();
    this.#o.onTaken();
  }

  /** A match for a dispatch that ended meanwhile is given back. An outcome for an electron that nobody works on: the records tell what it is. */
  undeliverable(to: Address, message: Message): void {
    const dispatch = to.slice(to.lastIndexOf('.') + 1);
    if (isClaimed(message) && isDispatchId(dispatch)) {
      this.#o.onUnheard(dispatch);
      return this.#claims.unheard(dispatch, message);
    }
    if (isFound(message)) {
      if (!isDispatchId(dispatch)) return;
      for (const node of message.nodes) this.#agents.get(message.agent)?.unreserve(taskIdOf(dispatch, node));
      return this.#match();
    }
    if (message.type !== 'attempt.finished' || !isFinished(message)) return;
    const { task, token, receipt } = message;
    this.#o.onUnheard(parseTaskId(task).dispatch);
    const judged = { type: 'attempt.judged', receipt, task, token, current: true } as const;
    void this.#claims
      .judge(task, token)
      .then((verdict) => this.#o.system.send(this.#self, { ...judged, verdict }, this.#self));
  }

  #enqueue(request: MatchRequest): void {
    this.#queues.add(request, request.nodes, request.requirement, request);
    this.#match();
  }

  #match(): void {
    this.#rounds.soon();
  }

  #sync(key: AgentKey, sync: Sync, reply: (reply: SyncReply) => void): void {
    if (sync.hub > this.#o.epoch.value && sync.history === this.#history) {
      this.#raiseEpoch(sync.hub + 1);
      reply({ type: 'not-ready' });
      return;
    }
    const agent = this.#agentOf(key);
    const { reply: answer, effects } = agent.sync(sync, this.#o.clock.monotonic(), this.#o.epoch.value, this.#history);
    for (const effect of effects) this.#carryOut(agent, effect);
    if (answer.type === 'name-taken') tellTaken(this.#o.log, agent, sync);
    if (answer.type === 'ok' && sync.leaving === true) this.#leases.left(agent);
    // H2: a drop rests on records that may not be on disk yet.
    if (answer.type === 'ok' && answer.drop.length > 0) this.#o.results.afterFlush(() => reply(answer));
    else reply(answer);
    this.#release(this.#roster.told());
    this.#openKeys();
    this.#match();
  }

  #carryOut(agent: AgentState, effect: AgentEffect): void {
    switch (effect.type) {
      case 'started':
        return this.#toElectron(effect.task, {
          type: 'attempt.started',
          token: effect.token,
          startedAt: effect.startedAt,
        });
      case 'lost':
        return this.#toElectron(effect.task, {
          type: 'attempt.lost',
          token: effect.token,
          reason: effect.reason,
          charged: effect.charged,
        });
      case 'claimed':
        return this.#claims.tell(agent.key, effect.entries);
      case 'joined':
        this.#assigner.forget(agent);
        this.#near.forget(agent);
        tellJoined(this.#o, agent);
        this.#roster.joined(agent.key);
        this.#o.results.write({ op: 'agent', agent: agent.key, epoch: effect.epoch, instance: effect.instance });
        this.#o.results.afterFlush(() => {
          agent.admitted(effect.epoch);
          this.#o.onAgentReady(agent.key);
          this.#match();
        });
        return;
      case 'resend':
        return this.#assigner.resend(agent, effect.above);
    }
  }

  #done(key: AgentKey, done: Done, reply: (reply: DoneReply) => void): void {
    const receipt = this.#receipts.open(key, done.outcomes.length, this.#o.clock.monotonic(), reply);
    const agent = this.#agents.get(key);
    for (const { task, token, inputsDigest, outcome } of done.outcomes) {
      if (agent?.synced !== true) {
        // What follows from it may be with this agent, too: that its first sync tells (M3).
        this.#receipts.judged(receipt, task, token, 'later');
        continue;
      }
      agent.finish(task, token);
      this.#near.made(agent, outcome);
      this.#toElectron(task, { type: 'attempt.finished', task, agent: key, token, inputsDigest, outcome, receipt });
    }
    this.#match();
  }

  #judged(message: Extract<MatchmakerMessage, { type: 'attempt.judged' }>): void {
    if (message.current && message.verdict !== 'missing' && message.verdict !== 'later') {
      // What counts came from who has it; after a minute it isn't known any more who that was.
      const agent = this.#receipts.agentOf(message.receipt);
      for (const one of agent === undefined ? this.#agents.keys() : [agent])
        if (this.#agents.get(one)?.release(message.task, message.token) === true) break;
      this.#match();
    }
    this.#receipts.judged(message.receipt, message.task, message.token, message.verdict);
  }

  #cancel({ agent: key, task, token, reason }: Extract<MatchmakerMessage, { type: 'attempt.cancel' }>): void {
    const agent = this.#agents.get(key);
    // One that waits to be sent is not sent.
    if (agent !== undefined && this.#assigner.withdraw(agent, task) && agent.unreserve(task)) this.#match();
    if (agent?.cancel(task, token, reason) !== true)
      return this.#toElectron(task, { type: 'attempt.stopped', token, confirmed: true });
    this.#cancels.add(key, { task, token, reason, revoke: false });
  }

  /** Asks it back, if it only queues there; one that waits to be sent is not sent. */
  #revoke({ agent: key, task, token, reason }: Extract<MatchmakerMessage, { type: 'attempt.revoke' }>): void {
    const agent = this.#agents.get(key);
    const unsent = agent !== undefined && this.#assigner.withdraw(agent, task) && agent.unreserve(task);
    if (agent === undefined || unsent) this.#back(task, token);
    else this.#cancels.add(key, { task, token, reason, revoke: true });
  }

  #stopped(key: AgentKey, tasks: readonly CancelTask[]): void {
    const agent = this.#agents.get(key);
    for (const { task, token, revoke } of tasks) {
      if (agent?.release(task, token) !== true) continue;
      if (revoke) this.#back(task, token);
      else this.#toElectron(task, { type: 'attempt.stopped', token, confirmed: true });
    }
    this.#match();
  }

  #back(task: TaskId, token: Token): void {
    this.#toElectron(task, { type: 'attempt.lost', token, reason: 'refused', charged: false });
  }

  #loadRoster(message: Extract<MatchmakerMessage, { type: 'roster.load' }>): void {
    this.#history = message.history;
    const [now, wall] = [this.#o.clock.monotonic(), this.#o.clock.now()];
    for (const { agent, epoch, instance } of message.roster)
      if (!this.#agents.has(agent)) this.#meet(agent, epoch, now, instance);
    for (const agent of longLost(this.#agents, message.roster, wall)) this.#forget(agent);
    for (const entry of undated(message.roster, wall)) this.#o.results.write({ op: 'agent', ...entry });
    this.#roster.load(message.roster);
    this.#limitHold();
  }

  /** Counted from when agents are heard. */
  #limitHold(): void {
    if (this.#roster.held.holding && this.#stopListening !== undefined)
      this.#leases.afterJoining(() => this.#release(this.#roster.overdue()));
  }

  #release(requests: readonly MatchRequest[] | undefined): void {
    if (requests === undefined) return;
    for (const request of requests) this.#enqueue(request);
    // What was withdrawn meanwhile counts no longer.
    this.#o.onTaken();
  }

  #openKeys(): void {
    if (!this.#roster.opens(this.#o.epoch.value)) return;
    this.#queues.opened();
    this.#match();
  }

  #raiseEpoch(epoch: number): void {
    this.#o.log('warn', 'an agent has seen a higher hub epoch; taking a greater one', { epoch });
    this.#o.results.write({ op: 'epoch', epoch });
    this.#o.results.afterFlush(() => {
      if (epoch <= this.#o.epoch.value) return;
      this.#o.epoch.value = epoch;
      for (const agent of this.#agents.values()) {
        this.#assigner.forget(agent);
        agent.hubEpochRaised();
      }
    });
  }

  #agentOf(key: AgentKey): AgentState {
    return this.#agents.get(key) ?? this.#meet(key, 0, this.#o.clock.monotonic());
  }

  #meet(key: AgentKey, epoch: number, now: number, instance?: string): AgentState {
    const agent = new AgentState(key, this.#o.leases, epoch, now, instance, this.#keys);
    this.#agents.set(key, agent);
    this.#pools.add(agent);
    return agent;
  }

  #forget(agent: AgentState): void {
    this.#agents.delete(agent.key);
    this.#pools.remove(agent);
    this.#o.results.write({ op: 'agent.forget', agent: agent.key });
  }

  #toElectron(task: TaskId, message: ElectronMessage): void {
    this.#o.system.send(this.#o.system.address('electron', task), message, this.#self);
  }
}

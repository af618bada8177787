/**
 * The agent: joins the hub, takes assigned electrons, reports how they ended. Wiring only: state.ts decides, this file carries it out in the
 * order decide → spool → act → tell. Rules A1–A5 of docs/protocol.md; user code runs in runner processes, never here.
 */
import { join } from 'node:path';
import type { Assign, AssignReply, BlobRead, Cancel, CancelReply, Control, FinishedTask, Sync, SyncReply, Verdict } from '../../bus/protocol/agent.ts';
import { PolaronError } from '../../model/errors.ts';
import type { TaskId } from '../../model/ids.ts';
import { sameToken, type Token } from '../../model/outcome.ts';
import type { Executor } from '../executor.ts';
import { ProcessPool } from '../process/pool.ts';
import { killLeftRunners, RunnerRoster } from '../process/runner-roster.ts';
import { BlobCache } from './blob-cache.ts';
import { Bundles } from './bundles.ts';
import { Channel } from './channel.ts';
import { deferred } from './deferred.ts';
import { listen, type Hearing } from './ears.ts';
import { HeldValues } from './held-values.ts';
import { Inputs } from './inputs.ts';
import { resolveAgent, type AgentOptions, type ResolvedAgent } from './options.ts';
import { queueFor, queueMoved } from './queue-length.ts';
import { Reporter } from './report.ts';
import { Spool } from './spool.ts';
import { openStateFolder, type StateFolder } from './state-folder.ts';
import { AgentState, type CancelDecision, type Held } from './state.ts';
import { SyncLoop } from './sync-loop.ts';
import { Tasks } from './tasks.ts';

export type EndReason = 'stopped' | 'drained' | 'superseded' | 'name-taken';

export interface AgentView {
  readonly epoch: number;
  readonly joined: boolean;
  readonly draining: boolean;
  /** Running or queued. */
  readonly unfinished: number;
  /** Ended, not yet settled by the hub. */
  readonly unacknowledged: number;
  readonly queue: number;
  /** Messages that were dropped because they made no sense. */
  readonly dropped: number;
}

export interface RunningAgent {
  /** The hub knows this agent. Rejects with AGENT_NAME_TAKEN, SUPERSEDED, or BUS_CLOSED when it was stopped before. */
  readonly joined: Promise<void>;
  readonly ended: Promise<EndReason>;
  status(): AgentView;
  /** A4: takes nothing new, lets what runs finish within the grace time, reports, leaves. */
  drain(): Promise<void>;
  /** Kills what runs and leaves; outcomes that aren't settled stay in the spool. The bus stays open. */
  stop(): Promise<void>;
}

/** How long a drain waits for the hub's word on the last outcomes. */
const LAST_REPORT_MS = 2_000;
const PROBE_JITTER_MS = 300;

/** Starts an agent. Rejects with AGENT_NAME_TAKEN when the state folder is in use, and with the system's error when it can't be written. */
export async function startAgent(options: AgentOptions): Promise<RunningAgent> {
  const resolved = resolveAgent(options);
  const folder = openStateFolder(resolved.stateDir);
  // A5: before the first sync
  killLeftRunners(resolved.dir.runners, resolved.log);
  return new Agent(resolved, folder);
}

class Agent implements RunningAgent, Hearing {
  readonly #options: ResolvedAgent;
  readonly #folder: StateFolder;
  readonly #channel: Channel;
  readonly #state: AgentState;
  readonly #spool: Spool;
  readonly #values: HeldValues;
  readonly #cache: BlobCache;
  readonly #roster: RunnerRoster;
  readonly #pool: Executor;
  readonly #tasks: Tasks;
  readonly #reporter: Reporter;
  readonly #sync: SyncLoop;
  readonly #unlisten: (() => void)[];
  readonly #joined = deferred<void>();
  readonly #ended = deferred<EndReason>();
  /** Called whenever an outcome was settled, or a task ended. */
  #progressed: () => void = () => undefined;
  #stopping: Promise<void> | undefined;
  #draining: Promise<void> | undefined;
  #announcedQueue = 0;

  constructor(options: ResolvedAgent, folder: StateFolder) {
    const { bus, blobBus, subjects, site, name, slots, clock, random, log, dir, by } = options;
    this.#options = options;
    this.#folder = folder;
    this.#joined.promise.catch(() => undefined);
    this.#channel = new Channel(bus, by, log, () => clock.monotonic());
    this.#spool = new Spool(join(options.stateDir, 'spool'), log);
    this.#values = new HeldValues(dir.values, this.#spool.outcomes);
    const spooled = this.#spool.outcomes.filter((finished) => this.#isWhole(finished));
    this.#cache = new BlobCache(dir.cache);
    this.#roster = new RunnerRoster(join(dir.runners, String(folder.epoch)), log);
    this.#pool = new ProcessPool({
      slots,
      graceMs: options.graceMs,
      clock,
      scratchDir: dir.scratch,
      spare: options.spareRunner,
      start: {
        nodePath: options.nodePath,
        env: options.runnerEnv,
        cwd: options.runnerCwd,
        maxValueBytes: options.maxValueBytes,
        agent: name,
        roster: this.#roster,
        clock,
      },
    });
    const executors = new Map([[this.#pool.name, this.#pool]]);
    this.#state = new AgentState({ epoch: folder.epoch, history: folder.history, slots, executors: new Set(executors.keys()), spooled });
    const pulling = { bus: blobBus, subject: subjects.agentBlob(site, name, 'get'), by, clock, maxBytes: options.maxValueBytes };
    this.#tasks = new Tasks({
      state: this.#state,
      executors,
      inputs: new Inputs(pulling, this.#cache),
      bundles: new Bundles(pulling, dir.bundles),
      values: this.#values,
      clock,
      tell: {
        log: (line) => this.#channel.tell(subjects.up(site, name, 'log'), line),
        progress: (progress) => this.#channel.tell(subjects.up(site, name, 'progress'), progress),
      },
      finished: (outcomes) => this.#finished(outcomes),
    });
    this.#reporter = new Reporter({
      channel: this.#channel,
      subject: subjects.up(site, name, 'done'),
      clock,
      random,
      epoch: () => this.#state.epoch,
      judged: (task, token, verdict) => this.#judged(task, token, verdict),
      answered: () => {
        this.#spool.tidy();
        this.#progressed();
      },
    });
    this.#sync = new SyncLoop({
      channel: this.#channel,
      subject: subjects.up(site, name, 'sync'),
      clock,
      random,
      heartbeatMs: options.heartbeatMs,
      body: (seq) => this.#syncBody(seq),
      answered: (reply) => this.#synced(reply),
      failed: (error) => this.#channel.say('sync', `agent: the hub doesn't answer: ${error instanceof Error ? error.message : String(error)}`),
    });
    this.#unlisten = [
      listen(this.#channel, subjects, site, name, options.capabilities, this),
      bus.onStatus((status) => {
        if (status.type !== 'connected') return;
        this.#sync.soon();
        this.#reporter.nudge();
      }),
    ];
    this.#sync.soon();
  }

  get joined(): Promise<void> {
    return this.#joined.promise;
  }

  get ended(): Promise<EndReason> {
    return this.#ended.promise;
  }

  status(): AgentView {
    const { epoch, joined, draining, unfinished } = this.#state;
    return { epoch, joined, draining, unfinished, unacknowledged: this.#spool.size, queue: this.#announcedQueue, dropped: this.#channel.dropped };
  }

  drain(): Promise<void> {
    this.#draining ??= this.#drain();
    return this.#draining;
  }

  stop(): Promise<void> {
    return this.#stop('stopped');
  }

  assign(assign: Assign, answer: (reply: AssignReply) => void): void {
    const decision = this.#state.assign(assign, this.#options.clock.now());
    answer(decision.reply);
    for (const held of decision.replaced) this.#letGo(held);
    this.#tasks.start(assign, decision.start);
    if (decision.syncNow || decision.reply.refused.some(({ reason }) => reason === 'busy')) this.#sync.soon();
  }

  cancel(cancel: Cancel): CancelReply {
    const decision = this.#state.cancel(cancel);
    const stopped = [...decision.stopped];
    const stopping: TaskId[] = [];
    for (const { held, reason, revoke } of decision.stop) {
      if (!revoke) {
        this.#tasks.cancel(held, reason);
        stopping.push(held.task);
      } else if (this.#tasks.revoke(held)) {
        this.#state.revoked(held);
        stopped.push(held.task);
      }
    }
    return { stopped, stopping };
  }

  control(control: Control): void {
    void (control.type === 'drain' ? this.drain() : this.stop());
  }

  read(read: BlobRead): Promise<Uint8Array> {
    return this.#values.read(read.digest, read.offset, read.length);
  }

  probed(): void {
    this.#sync.soon(this.#options.random() * Math.min(PROBE_JITTER_MS, this.#options.heartbeatMs));
  }

  woken(): void {
    this.#sync.soon();
  }

  /** An outcome whose file is gone can't be reported: the hub would ask for it for ever. */
  #isWhole(finished: FinishedTask): boolean {
    if (this.#values.hasAllOf(finished.outcome)) return true;
    this.#options.log('warn', `agent: the result of ${finished.task} is gone from the state folder; it will run again`, { task: finished.task });
    this.#spool.acknowledge(finished.task, finished.token);
    return false;
  }

  #syncBody(seq: number): Sync {
    const { slots, capabilities, host, version, instance } = this.#options;
    const { epoch, seen, hub, history, draining } = this.#state;
    const run = this.#state.list((held) => {
      const attempt = this.#tasks.attemptOf(held);
      return { startedAt: attempt?.runningSince() ?? 0, progress: attempt?.fraction };
    });
    let running = 0;
    for (const { state } of run) if (state === 'running') running++;
    const queue = draining ? 0 : queueFor(this.#pool.typicalMs(), slots);
    this.#state.queueLimit = Math.max(queue, this.#announcedQueue);
    this.#announcedQueue = queue;
    const free = draining ? 0 : Math.max(0, slots - running);
    return { epoch, seq, seen, hub, history, slots, free, queue, capabilities, host, pid: process.pid, version, draining, instance, run };
  }

  #synced(reply: SyncReply): 'heartbeat' | 'soon' | 'now' | 'never' {
    const decision = this.#state.synced(reply);
    switch (decision.type) {
      case 'ignore':
        return 'heartbeat';
      case 'again-soon':
        return 'soon';
      case 'epoch':
        this.#folder.setEpoch(decision.epoch);
        return 'now';
      case 'end':
        this.#refused(decision.why, reply);
        return 'never';
      case 'joined':
        break;
    }
    for (const held of decision.forgotten) this.#letGo(held);
    if (decision.newHistory) this.#folder.setHistory(this.#state.history);
    for (const held of decision.dropped) this.#letGo(held);
    this.#stopEach(decision.cancel);
    if (reply.type === 'ok') this.#sync.setHeartbeat(reply.heartbeatMs);
    this.#spool.tidy();
    if (this.#spool.size > 0 && this.#reporter.unsettled === 0) this.#reporter.add(this.#spool.outcomes);
    this.#joined.resolve();
    return 'heartbeat';
  }

  #refused(why: 'name-taken' | 'superseded', reply: SyncReply): void {
    const { site, name, log } = this.#options;
    const who = `agent ${site}.${name}`;
    const error =
      reply.type === 'name-taken'
        ? new PolaronError('AGENT_NAME_TAKEN', `${who}: another agent of this name is alive on ${reply.host} (pid ${reply.pid}); choose another --name`, {
            details: { host: reply.host, pid: reply.pid },
          })
        : new PolaronError('SUPERSEDED', `${who}: a newer agent of this name took over; this one stops`);
    log('error', error.message);
    this.#joined.reject(error);
    void this.#stop(why);
  }

  #stopEach(stop: CancelDecision['stop']): void {
    for (const { held, reason } of stop) this.#tasks.cancel(held, reason);
  }

  /** The hub wants nothing of it: stop it if it runs, forget its outcome if it has ended. */
  #letGo(held: Held): void {
    if (held.outcome === undefined) this.#tasks.forget(held);
    else this.#forgetOutcome(held.task, held.token);
  }

  #finished(outcomes: readonly FinishedTask[]): void {
    if (this.#stopping !== undefined) return;
    try {
      this.#spool.append(outcomes);
    } catch (error) {
      // reported all the same: the hub's store may have room where this disk has none
      this.#channel.say('spool', `agent: ${outcomes.length} outcomes can't be spooled: ${error instanceof Error ? error.message : String(error)}`);
    }
    this.#reporter.add(outcomes);
    if (!this.#state.draining && queueMoved(this.#announcedQueue, queueFor(this.#pool.typicalMs(), this.#options.slots))) this.#sync.soon();
    this.#progressed();
  }

  #judged(task: TaskId, token: Token, verdict: Verdict): boolean {
    if (!this.#state.judged(task, token, verdict)) return false;
    this.#forgetOutcome(task, token);
    return true;
  }

  #forgetOutcome(task: TaskId, token: Token): void {
    this.#reporter.drop(task, token);
    const finished = this.#spool.acknowledge(task, token);
    const file = finished === undefined || !sameToken(finished.token, token) ? undefined : this.#values.release(finished.outcome);
    // electrons that depend on it may run here
    if (file !== undefined) this.#cache.adopt(file.digest, file.size, file.file);
  }

  async #drain(): Promise<void> {
    const { clock, graceMs } = this.#options;
    this.#state.draining = true;
    for (const held of this.#unfinished()) if (this.#tasks.revoke(held)) this.#state.revoked(held);
    this.#sync.soon();
    await this.#until(() => this.#state.unfinished === 0, clock.monotonic() + graceMs);
    for (const held of this.#unfinished()) {
      this.#tasks.forget(held);
      this.#state.revoked(held);
    }
    await this.#until(() => this.#reporter.unsettled === 0, clock.monotonic() + LAST_REPORT_MS);
    if (this.#channel.bus.connected) await this.#sync.once();
    await this.#stop('drained');
  }

  #unfinished(): Held[] {
    return [...this.#state.held.values()].filter((held) => held.outcome === undefined);
  }

  /** Waits for a condition that changes with outcomes and verdicts. */
  async #until(done: () => boolean, deadline: number): Promise<void> {
    while (!done() && this.#stopping === undefined) {
      const left = deadline - this.#options.clock.monotonic();
      if (left <= 0) return;
      await new Promise<void>((resolve) => {
        const timer = this.#options.clock.after(left, resolve);
        this.#progressed = () => {
          timer.cancel();
          resolve();
        };
      });
    }
  }

  #stop(why: EndReason): Promise<void> {
    this.#stopping ??= this.#shutDown(why);
    return this.#stopping;
  }

  async #shutDown(why: EndReason): Promise<void> {
    for (const unlisten of this.#unlisten) unlisten();
    this.#sync.stop();
    this.#reporter.stop();
    for (const held of this.#unfinished()) this.#tasks.forget(held);
    this.#joined.reject(new PolaronError('BUS_CLOSED', `agent ${this.#options.name}: it was stopped before it had joined`));
    await this.#pool.stop();
    this.#progressed();
    this.#roster.close();
    this.#spool.close();
    this.#folder.release();
    this.#ended.resolve(why);
  }
}

/**
 * The agent: joins the hub, takes assigned electrons, reports how they ended. Wiring only: state.ts decides, this file carries it out in the
 * order decide → spool → act → tell. Rules A1–A5 of docs/protocol.md; user code runs in runner processes, never here.
 */
import type {
  Assign,
  AssignReply,
  BlobRead,
  Cancel,
  CancelReply,
  Control,
  FinishedTask,
  LiveLogs,
  Sync,
  SyncReply,
  Verdict,
} from '../../bus/protocol/agent.ts';
import { PolaronError } from '../../model/errors.ts';
import type { TaskId } from '../../model/ids.ts';
import { sameToken, type Token } from '../../model/outcome.ts';
import { explainedDisk, isDiskFull } from '../disk-full.ts';
import { Bundles } from './bundles.ts';
import { Channel } from './channel.ts';
import { deferred } from '../../model/deferred.ts';
import { listen, type Hearing } from './ears.ts';
import type { Executors } from './executors.ts';
import { Fuse } from './fuse.ts';
import { openGround, type AgentGround } from './ground.ts';
import type { HeldValues } from './held-values.ts';
import { Inputs } from './inputs.ts';
import { resolveAgent, type AgentOptions, type ResolvedAgent } from './options.ts';
import type { AgentView, EndReason, RunningAgent } from './running-agent.ts';
import { queueFor, queueMoved } from './queue-length.ts';
import { refusalOf } from './refusal.ts';
import { Reporter } from './report.ts';
import { spoolRecord, type Spool } from './spool.ts';
import { AgentState, type Held } from './state.ts';
import { Progress } from './progress.ts';
import { openStock, pullOptions, type Stock } from './stock.ts';
import { syncBody } from './sync-body.ts';
import { SyncLoop } from './sync-loop.ts';
import { Tasks } from './tasks.ts';

/** How long a drain waits for the hub's word on the last outcomes. */
const LAST_REPORT_MS = 2_000;
const PROBE_JITTER_MS = 300;

export type { AgentView, EndReason, RunningAgent } from './running-agent.ts';

/** Starts an agent. Rejects with CAPABILITY_INVALID; AGENT_NAME_TAKEN when the state folder is in use, DISK_FULL, and with the system's error when it can't be written. */
export async function startAgent(options: AgentOptions, open = openGround): Promise<RunningAgent> {
  const resolved = resolveAgent(options);
  const ground = opened(resolved, open);
  const [stock] = await Promise.all([openStock(ground, resolved.log), ground.executors.setUp()]);
  const capabilities = [...new Set([...ground.executors.names, ...resolved.capabilities])];
  return new Agent({ ...resolved, capabilities }, ground, stock);
}

function opened(options: ResolvedAgent, open: typeof openGround): AgentGround {
  try {
    return open(options);
  } catch (error) {
    const { site, name, stateDir } = options;
    throw explainedDisk(error, `agent ${site}.${name}: its state folder ${stateDir} has no room on its disk`);
  }
}

class Agent implements RunningAgent, Hearing {
  readonly #options: ResolvedAgent;
  readonly #ground: AgentGround;
  readonly #channel: Channel;
  readonly #state: AgentState;
  /** This process, among those of its name. */
  readonly #instance: string;
  readonly #spool: Spool;
  readonly #values: HeldValues;
  readonly #executors: Executors;
  readonly #tasks: Tasks;
  readonly #reporter: Reporter;
  readonly #sync: SyncLoop;
  readonly #fuse: Fuse;
  readonly #unlisten: (() => void)[];
  readonly #joined = deferred<void>();
  readonly #ended = deferred<EndReason>();
  readonly joined: Promise<void> = this.#joined.promise;
  readonly ended: Promise<EndReason> = this.#ended.promise;
  /** An outcome was settled, or a task ended. */
  readonly #progress: Progress;
  #stopping: Promise<void> | undefined;
  #draining: Promise<void> | undefined;
  readonly #drainEnd = { at: Number.POSITIVE_INFINITY };
  #announcedQueue = 0;

  constructor(options: ResolvedAgent, ground: AgentGround, stock: Stock) {
    const { bus, subjects, site, name, slots, clock, random, log, by } = options;
    this.#options = options;
    this.#progress = new Progress(clock);
    this.#ground = ground;
    this.#instance = `${ground.folder.id}.${options.instance}`;
    this.#joined.promise.catch(() => undefined);
    this.#channel = new Channel(bus, by, log, () => clock.monotonic());
    this.#spool = stock.spool;
    this.#values = stock.values;
    const { executors } = ground;
    this.#executors = executors;
    const found = executors.found();
    this.#state = new AgentState({
      epoch: ground.folder.epoch,
      history: ground.folder.history,
      slots,
      executors: executors.names,
      capabilities: options.capabilities,
      spooled: stock.spooled,
      found: found.map(({ found: task }) => task),
    });
    const pulling = pullOptions(options);
    this.#tasks = new Tasks({
      state: this.#state,
      executors,
      inputs: new Inputs(pulling, stock),
      bundles: new Bundles(pulling, ground.bundles),
      values: this.#values,
      deps: ground.deps,
      clock,
      tell: {
        log: (line) => this.#channel.tell(subjects.up(site, name, 'log'), line),
        progress: (progress) => this.#channel.tell(subjects.up(site, name, 'progress'), progress),
      },
      finished: (outcomes) => this.#finished(outcomes),
    });
    this.#tasks.resume(found);
    this.#reporter = new Reporter({
      channel: this.#channel,
      subject: subjects.up(site, name, 'done'),
      clock,
      random,
      epoch: () => this.#state.epoch,
      wanted: (task, token) => this.#state.reports(task, token),
      judged: (task, token, verdict) => this.#judged(task, token, verdict),
      answered: () => {
        this.#keep('spool', () => this.#spool.tidy());
        this.#progress.changed();
      },
    });
    this.#fuse = new Fuse(clock, () => this.#burnt());
    this.#sync = new SyncLoop({
      channel: this.#channel,
      subject: subjects.up(site, name, 'sync'),
      clock,
      random,
      heartbeatMs: options.heartbeatMs,
      lines: [...new Set([bus, options.blobBus])],
      load: options.load,
      body: (seq) => this.#syncBody(seq),
      answered: (reply, sentAt) => this.#synced(reply, sentAt),
      failed: (error) =>
        this.#channel.say(
          'sync',
          this.#state.joined ? "agent: the hub doesn't answer" : 'agent: waiting for a hub',
          error,
        ),
    });
    this.#unlisten = [
      listen(this.#channel, options, this),
      bus.onStatus((status) => {
        if (status.type !== 'connected') return;
        this.#sync.soon();
        this.#reporter.nudge();
      }),
    ];
    this.#sync.soon();
  }

  status(): AgentView {
    const { epoch, joined, draining, unfinished } = this.#state;
    return {
      epoch,
      joined,
      draining,
      unfinished,
      unacknowledged: this.#spool.size,
      queue: this.#announcedQueue,
      dropped: this.#channel.dropped,
    };
  }

  drain(graceMs = this.#options.graceMs): Promise<void> {
    this.#drainEnd.at = Math.min(this.#drainEnd.at, this.#options.clock.monotonic() + graceMs);
    this.#progress.changed();
    this.#draining ??= this.#drain();
    return this.#draining;
  }

  stop(): Promise<void> {
    return this.#stop('stopped');
  }

  assign(assign: Assign, answer: (reply: AssignReply) => void): void {
    // not a word on what is meant for another process of this name: the hub takes the first answer that comes
    if (assign.instance !== this.#instance) return;
    // the first assign may come in one piece with the answer to the first sync, which is acted on a little later
    if (this.#state.joined) this.#assign(assign, answer);
    else setImmediate(() => this.#assign(assign, answer));
  }

  #assign(assign: Assign, answer: (reply: AssignReply) => void): void {
    // nor before it has joined: it would refuse what it takes when the same comes again
    if (this.#stopping !== undefined || !this.#state.joined) return;
    this.#state.leased = this.#fuse.burns;
    const decision = this.#state.assign(assign, this.#options.clock.now());
    answer(decision.reply);
    for (const held of decision.replaced) this.#letGo(held);
    if (assign.electrons.some(({ exclusive }) => exclusive === true)) this.#fuse.watch();
    this.#tasks.start(assign, decision.start);
    if (decision.syncNow || decision.reply.refused.some(({ reason }) => reason === 'busy')) this.#sync.soon();
  }

  cancel(cancel: Cancel): CancelReply | undefined {
    if (!this.#state.joined) return undefined;
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
    void (control.type === 'drain' ? this.drain(control.graceMs) : this.stop());
  }

  async read(read: BlobRead): Promise<Uint8Array | undefined> {
    return this.#state.joined ? this.#values.read(read.digest, read.offset, read.length) : undefined;
  }

  readonly logs = (task: TaskId): LiveLogs | undefined => (this.#state.joined ? this.#tasks.logsOf(task) : undefined);

  probed(): void {
    this.#sync.soon(this.#options.random() * Math.min(PROBE_JITTER_MS, this.#options.heartbeatMs));
  }

  woken(): void {
    this.#sync.soon();
  }

  #syncBody(seq: number): Sync {
    const queue = this.#state.draining ? 0 : queueFor(this.#executors.typicalMs(), this.#options.slots);
    this.#state.queueLimit = Math.max(queue, this.#announcedQueue);
    this.#announcedQueue = queue;
    return syncBody(this.#options, this.#state, this.#tasks, { seq, queue, instance: this.#instance });
  }

  #synced(reply: SyncReply, sentAt: number): 'heartbeat' | 'soon' | 'now' | 'never' {
    const decision = this.#state.synced(reply);
    switch (decision.type) {
      case 'ignore':
        return 'heartbeat';
      case 'again-soon':
        return 'soon';
      case 'epoch':
        this.#keep('boot number', () => this.#ground.folder.setEpoch(decision.epoch));
        return 'now';
      case 'end':
        this.#refused(decision.why, reply);
        return 'never';
      case 'joined':
        break;
    }
    for (const held of decision.forgotten) this.#letGo(held);
    // before the new one is kept: a restart must not report outcomes of the old history to it
    if (decision.newHistory) this.#spool.clear();
    const { folder } = this.#ground;
    const { history } = this.#state;
    if (folder.history !== history) this.#keep('history', () => folder.setHistory(history));
    for (const held of decision.dropped) this.#letGo(held);
    for (const { held, reason } of decision.cancel) this.#tasks.cancel(held, reason);
    if (reply.type === 'ok') {
      this.#sync.setHeartbeat(reply.heartbeatMs);
      this.#fuse.renew(sentAt, reply.leaseMs);
    }
    this.#keep('spool', () => this.#spool.tidy());
    if (this.#spool.size > 0 && this.#reporter.unsettled === 0)
      this.#reporter.add(spoolRecord(this.#spool.outcomes).tasks);
    this.#joined.resolve();
    return 'heartbeat';
  }

  #refused(why: EndReason, reply: SyncReply): void {
    const { site, name, version, log } = this.#options;
    const error = refusalOf(`agent ${site}.${name}`, version, reply);
    log('error', error.message);
    this.#joined.reject(error);
    void this.#stop(why);
  }

  /** The hub wants nothing of it: stop it if it runs, forget its outcome if it has ended. */
  #letGo(held: Held): void {
    if (held.outcome === undefined) this.#tasks.forget(held);
    else this.#forgetOutcome(held.task, held.token);
  }

  #finished(outcomes: readonly FinishedTask[]): void {
    if (this.#stopping !== undefined) return;
    const record = spoolRecord(outcomes);
    // reported in any case: the hub's store may have room where this disk has none
    this.#keep('spool', () => this.#spool.append(record));
    this.#reporter.add(record.tasks);
    if (
      !this.#state.draining &&
      queueMoved(this.#announcedQueue, queueFor(this.#executors.typicalMs(), this.#options.slots))
    )
      this.#sync.soon();
    this.#progress.changed();
  }

  /** A disk without room is said; what has to be kept is tried again at the next occasion. */
  #keep(what: string, write: () => void): void {
    try {
      write();
    } catch (error) {
      const { stateDir } = this.#options;
      const why = isDiskFull(error) ? `DISK_FULL, no room on the disk of ${stateDir}` : 'it can not be written';
      this.#channel.say(what, `agent: ${what}: ${why}`, error);
    }
  }

  #judged(task: TaskId, token: Token, verdict: Verdict): boolean {
    if (!this.#state.judged(task, token, verdict)) return false;
    this.#forgetOutcome(task, token);
    return true;
  }

  #forgetOutcome(task: TaskId, token: Token): void {
    this.#reporter.drop(task, token);
    const finished = this.#spool.acknowledge(task, token);
    if (finished !== undefined && sameToken(finished.token, token)) this.#values.release(finished.outcome);
  }

  async #drain(): Promise<void> {
    const { clock } = this.#options;
    this.#state.draining = true;
    for (const held of this.#unfinished()) if (this.#tasks.revoke(held)) this.#state.revoked(held);
    this.#sync.soon();
    await this.#progress.until(() => this.#state.unfinished === 0, this.#drainEnd);
    // what others run goes on, and is listed: the next life finds it
    this.#giveUp(this.#unfinished().filter((held) => !this.#tasks.leave(held)));
    await this.#progress.until(() => this.#reporter.unsettled === 0, { at: clock.monotonic() + LAST_REPORT_MS });
    if (this.#channel.bus.connected) await this.#sync.last();
    await this.#stop('drained');
  }

  /** A3: the hub may give them to another agent soon. Where it still knows them as ours, the next sync tells that they are gone. */
  #burnt(): void {
    const exclusive = this.#unfinished().filter((held) => held.exclusive);
    if (exclusive.length > 0)
      this.#channel.say('lease', `agent: no answer of the hub: ${exclusive.length} exclusive electrons are killed`);
    this.#giveUp(exclusive);
  }

  #giveUp(unfinished: readonly Held[]): void {
    for (const held of unfinished) {
      this.#tasks.forget(held);
      this.#state.revoked(held);
    }
  }

  #unfinished(): Held[] {
    return [...this.#state.held.values()].filter((held) => held.outcome === undefined);
  }

  #stop(why: EndReason): Promise<void> {
    this.#stopping ??= this.#shutDown(why);
    return this.#stopping;
  }

  async #shutDown(why: EndReason): Promise<void> {
    for (const unlisten of this.#unlisten) unlisten();
    this.#sync.stop();
    this.#fuse.stop();
    this.#reporter.stop();
    for (const held of this.#unfinished()) if (!this.#tasks.leave(held)) this.#tasks.forget(held);
    const stopped = `agent ${this.#options.name}: it was stopped before it had joined`;
    this.#joined.reject(new PolaronError('BUS_CLOSED', stopped));
    this.#progress.end();
    await this.#executors.stop();
    this.#spool.close();
    this.#ground.close();
    this.#ended.resolve(why);
  }
}

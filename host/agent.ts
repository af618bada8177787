/** Runs an agent in this process: the bus connections and the real clock, around executors/agent. */
import { hostname } from 'node:os';
import { join } from 'node:path';
import { connectNats, type BusTarget } from '../bus/nats-bus.ts';
import { agentIdentity } from '../bus/identity.ts';
import { makeSubjects } from '../bus/subjects.ts';
import { offersOver } from '../model/capability.ts';
import { PolaronError } from '../model/errors.ts';
import { toToken } from '../model/ids.ts';
import type { Log } from '../model/log.ts';
import { loadExecutor, type ExecutorUse } from '../executors/job/load-executor.ts';
import { startAgent, type RunningAgent } from '../executors/agent/agent.ts';
import type { AgentTarget } from './data-folder.ts';
import { machineLoad } from './machine-load.ts';
import { ownCapabilities } from './own-capabilities.ts';
import { systemClock } from './system-clock.ts';
import { usualExecutors } from './usual-executors.ts';
import { packageVersion } from './version.ts';

export type { ExecutorUse } from '../executors/job/load-executor.ts';

export interface AgentOnOptions {
  readonly home: string;
  readonly site: string;
  readonly name: string;
  readonly slots: number;
  readonly capabilities: readonly string[];
  readonly stateDir: string;
  readonly log: Log;
  /** @default true */
  readonly installDeps?: boolean;
  /** What runs electrons, beside processes of this machine or in their place: names, files, packages. @default process, thread, shell, and python where that is */
  readonly executors?: readonly ExecutorUse[];
  /** Where the bus is: asked before each dial. */
  readonly target: () => AgentTarget | undefined;
}

export interface AgentOptions {
  /** Bus URL; may hold `user:password`. */
  readonly bus: string;
  readonly name: string;
  readonly site: string;
  readonly capabilities: readonly string[];
  readonly slots: number;
  readonly home: string;
  readonly log: Log;
  /** @default true */
  readonly installDeps?: boolean;
  /** What runs electrons: names, files, packages. @default process */
  readonly executors?: readonly ExecutorUse[];
  /** How long a drain waits for what runs, ms. @default 5000 */
  readonly graceMs?: number;
  /** Without work for so long it drains and leaves, ms. @default never */
  readonly idleMs?: number;
  /** Where the bus is now: asked before each dial. What it raises is logged. @default always `bus` */
  readonly busAgain?: () => string | undefined;
}

/** An agent as the command line holds it. */
export interface AgentInProcess {
  /** Rejects when the agent is refused. */
  readonly joined: Promise<void>;
  /** Drains, reports, leaves (A4). */
  stop(): Promise<void>;
  /** Resolves when it is over; with SUPERSEDED or AGENT_NAME_TAKEN when it wasn't asked to. */
  readonly ended: Promise<PolaronError | undefined>;
}

/** What `polaron agent` runs. Raises CAPABILITY_INVALID, BAD_SUBJECT, AUTH_FAILED, AGENT_NAME_TAKEN, EXECUTOR_INVALID. */
export async function runAgent(o: AgentOptions): Promise<AgentInProcess> {
  const [site, name] = [toToken(o.site), toToken(o.name)];
  const target = (): AgentTarget => ({ url: o.busAgain?.() ?? o.bus });
  const capabilities = offersOver(ownCapabilities(), o.capabilities);
  const stateDir = join(o.home, 'agents', `${site}.${name}`);
  const agent = await runAgentOn({ ...o, site, name, capabilities, stateDir, target });
  if (o.idleMs !== undefined) leaveWhenIdle(agent, o.idleMs);
  const ended = agent.ended.then((reason) => {
    if (reason === 'superseded') return new PolaronError('SUPERSEDED', `a newer agent ${site}.${name} took over`);
    if (reason === 'name-taken')
      return new PolaronError('AGENT_NAME_TAKEN', `another live agent is called ${site}.${name}`);
    if (reason === 'other-version')
      return new PolaronError(
        'WRONG_VERSION',
        `the hub that agent ${site}.${name} was with speaks another protocol now`,
      );
    if (reason === 'unreadable-offer')
      return new PolaronError('CAPABILITY_INVALID', `the hub can't read what agent ${site}.${name} offers`);
    return undefined;
  });
  return { joined: agent.joined, stop: () => agent.drain(o.graceMs), ended };
}

/** Dials until the bus answers, joins, and goes on until it is stopped. */
export async function runAgentOn(o: AgentOnOptions): Promise<RunningAgent> {
  const identity = agentIdentity(o.site, o.name);
  const first = o.target();
  if (first === undefined) throw new PolaronError('NO_HUB', 'the agent was not told where the bus is');
  const dial = (name: string) =>
    connectNats({
      ...busTarget(first),
      name,
      identity,
      log: o.log,
      ...(first.ownTls === true ? { tls: { insecureSkipVerify: true } } : {}),
      reReadCredentials: () => busTargetOf(o.target()),
    });
  const executors = await Promise.all(
    (o.executors === undefined || o.executors.length === 0
      ? usualExecutors(o.capabilities).map((name) => ({ name }))
      : o.executors
    ).map((use) => loadExecutor(use, process.cwd())),
  );
  const [bus, blobBus] = await Promise.all([dial(identity), dial(`${identity}.values`)]);
  const agent = await startAgent({
    bus,
    blobBus,
    subjects: makeSubjects(),
    site: o.site,
    name: o.name,
    slots: o.slots,
    capabilities: o.capabilities,
    executors,
    stateDir: o.stateDir,
    // of this machine: a home may lie on a disk that several share
    depsDir: join(o.home, 'cache', 'deps', toToken(hostname())),
    installDeps: o.installDeps ?? true,
    clock: systemClock,
    log: o.log,
    load: machineLoad,
    version: packageVersion(),
  });
  void agent.ended.then(() => Promise.all([bus.close(), blobBus.close()]));
  return agent;
}

const IDLE_LOOK_MS = 500;

function leaveWhenIdle(agent: RunningAgent, idleMs: number): void {
  let since = performance.now();
  const timer = setInterval(() => {
    const { joined, unfinished, unacknowledged } = agent.status();
    if (!joined || unfinished > 0 || unacknowledged > 0) since = performance.now();
    if (performance.now() - since < idleMs) return;
    clearInterval(timer);
    void agent.drain();
  }, IDLE_LOOK_MS);
  void agent.ended.then(() => clearInterval(timer));
}

const busTargetOf = (target: AgentTarget | undefined): BusTarget | undefined =>
  target === undefined ? undefined : busTarget(target);
const busTarget = ({ url, user, password }: AgentTarget): BusTarget => ({
  servers: url,
  ...(user === undefined ? {} : { user }),
  ...(password === undefined ? {} : { password }),
});

/** Runs an agent in this process: the bus connections and the real clock, around executors/agent. */
import { join } from 'node:path';
import { connectNats, type BusTarget } from '../bus/nats-bus.ts';
import { agentIdentity } from '../bus/identity.ts';
import { makeSubjects } from '../bus/subjects.ts';
import { PolaronError } from '../model/errors.ts';
import { toToken } from '../model/ids.ts';
import type { Log } from '../model/log.ts';
import { startAgent, type RunningAgent } from '../executors/agent/agent.ts';
import type { AgentTarget } from './data-folder.ts';
import { recordInstance, forgetInstance } from './instances.ts';
import { systemClock } from './system-clock.ts';
import { packageVersion } from './version.ts';

export interface AgentOnOptions {
  readonly home: string;
  readonly site: string;
  readonly name: string;
  readonly slots: number;
  readonly capabilities: readonly string[];
  readonly stateDir: string;
  readonly log: Log;
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
}

/** What `polaron agent` runs. Raises BAD_SUBJECT, AUTH_FAILED, AGENT_NAME_TAKEN. */
export async function runAgent(o: AgentOptions): Promise<Pick<RunningAgent, 'joined' | 'stop' | 'ended'>> {
  const [site, name] = [toToken(o.site), toToken(o.name)];
  recordInstance(o.home, 'agent', process.pid);
  const target = { url: o.bus };
  const capabilities = o.capabilities.includes('process') ? o.capabilities : ['process', ...o.capabilities];
  const agent = await runAgentOn({
    ...o,
    site,
    name,
    capabilities,
    stateDir: join(o.home, 'agents', `${site}.${name}`),
    target: () => target,
  });
  void agent.ended.then(() => forgetInstance(o.home, 'agent', process.pid));
  return agent;
}

/** Dials until the bus answers, joins, and goes on until it is stopped. */
export async function runAgentOn(o: AgentOnOptions): Promise<RunningAgent> {
  const identity = agentIdentity(o.site, o.name);
  const first = o.target();
  if (first === undefined) throw new PolaronError('NO_HUB', 'the agent was not told where the bus is');
  const dial = (name: string) =>
    connectNats({ ...busTarget(first), name, identity, log: o.log, reReadCredentials: () => busTargetOf(o.target()) });
  const [bus, blobBus] = await Promise.all([dial(identity), dial(`${identity}.values`)]);
  const agent = await startAgent({
    bus,
    blobBus,
    subjects: makeSubjects(),
    site: o.site,
    name: o.name,
    slots: o.slots,
    capabilities: o.capabilities,
    stateDir: o.stateDir,
    clock: systemClock,
    log: o.log,
    version: packageVersion(),
  });
  void agent.ended.then(() => Promise.all([bus.close(), blobBus.close()]));
  return agent;
}

const busTargetOf = (target: AgentTarget | undefined): BusTarget | undefined =>
  target === undefined ? undefined : busTarget(target);
const busTarget = ({ url, user, password }: AgentTarget): BusTarget => ({
  servers: url,
  ...(user === undefined ? {} : { user }),
  ...(password === undefined ? {} : { password }),
});

/**
 * The processes of a round: broker, hub and agents, each killed, halted and started again on its own. Whatever happens to them meanwhile,
 * a start is tried until it holds. Not here: when that is done, and to whom (storm.ts).
 */
import { mkdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { agentIdentity, observerIdentity } from '../../../bus/identity.ts';
import { credentialsFor } from '../../../bus/credentials.ts';
import { listProcesses, processInfo } from '../../../executors/process/process-table.ts';
import { anyServer, startNatsServer } from '../../support/nats-server.ts';
import type { RealHub, Running } from '../../support/real-hub.ts';
import { until } from '../../support/until.ts';

export type BusKind = 'embedded' | 'nats-server';
export const AGENTS = ['a1', 'a2', 'a3'] as const;
const PATIENCE_MS = 30_000;
const PAUSE_MS = 100;
const JOIN_MS = 20_000;

/** One that can be struck. */
export interface Part {
  readonly role: 'hub' | 'agent' | 'broker';
  readonly name: string;
  /** Of the living process; undefined while there is none. */
  pid(): number | undefined;
  /** Starts it when it isn't there. Raises after too many tries. */
  start(): Promise<void>;
}

export interface World {
  readonly hub: RealHub;
  readonly parts: readonly Part[];
  /** For users. */
  readonly url: string;
  /** For who listens to events. */
  readonly ear: { readonly url: string; readonly user?: string; readonly pass?: string };
  /** Pids of runners below an agent, or of all of them. */
  runners(agent?: number): readonly number[];
  /** Ends all by the commands and signals that a user has. */
  stop(): Promise<void>;
}

/** Starts them all. Raises when one doesn't come up. */
export async function startWorld(
  hub: RealHub,
  o: { readonly bus: BusKind; readonly isolate: boolean; readonly data?: string },
): Promise<World> {
  const broker = o.bus === 'embedded' ? undefined : await brokerPart();
  const more = [...(o.isolate ? ['--isolate', 'results'] : []), ...(o.data === undefined ? [] : ['--data', o.data])];
  const args =
    broker === undefined ? ['--slots', '2', ...more] : ['--bus', broker.url, '--no-agent', '--slots', '2', ...more];
  const hubProcess = hubPart(hub, args);
  await hubProcess.start();
  const { bus, userUrl, data } = hub.file();
  const login = loginsOf(broker === undefined ? secretOf(data) : undefined, bus);
  const agents = AGENTS.map((name) => agentPart(hub, name, login.agent(name)));
  await Promise.all(agents.map((agent) => agent.start()));
  const local = broker === undefined ? [localAgentPart(hub)] : [];
  return {
    hub,
    parts: [hubProcess, ...agents, ...local, ...(broker === undefined ? [] : [broker])],
    url: userUrl,
    ear: login.ear,
    runners: (agent) => {
      const owners = new Set(agent === undefined ? [...agents, ...local].map((part) => part.pid()) : [agent]);
      // the guardian is a shell
      return listProcesses().flatMap(({ pid, parent }) =>
        owners.has(parent) && commandOf(pid).includes('executors/runner/main') ? [pid] : [],
      );
    },
    stop: async () => {
      await Promise.all(agents.map((agent) => agent.end()));
      await hub.stop();
      await broker?.end();
    },
  };
}

interface Logins {
  readonly ear: World['ear'];
  agent(name: string): string;
}

function loginsOf(secret: string | undefined, bus: string): Logins {
  if (secret === undefined) return { ear: { url: bus }, agent: () => bus };
  const { user, password } = credentialsFor(secret, observerIdentity('chaos'));
  return {
    ear: { url: bus, user, pass: password },
    agent: (name) => {
      const own = credentialsFor(secret, agentIdentity('s1', name));
      return bus.replace('nats://', `nats://${own.user}:${own.password}@`);
    },
  };
}

function secretOf(data: string): string {
  const identity: unknown = JSON.parse(readFileSync(join(data, 'hub-identity.json'), 'utf8'));
  if (typeof identity === 'object' && identity !== null && 'secret' in identity) return String(identity.secret);
  throw new RangeError(`no secret in ${data}/hub-identity.json`);
}

async function brokerPart(): Promise<Part & { readonly url: string; end(): Promise<void> }> {
  if (anyServer === undefined) throw new Error('--bus nats-server: none was found; set POLARON_NATS_SERVER_CURRENT');
  const server = await startNatsServer(anyServer, (listen) => `listen: "${listen}"\n`);
  const pid = (): number | undefined => (processInfo(server.pid()) === undefined ? undefined : server.pid());
  return {
    role: 'broker',
    name: 'nats-server',
    url: server.url,
    pid,
    start: () =>
      persist('the nats-server', async () => {
        if (pid() !== undefined) return undefined;
        return server.restart(() => Promise.resolve()).catch(String);
      }),
    end: () => server.stop(),
  };
}

function hubPart(hub: RealHub, args: readonly string[]): Part {
  return {
    role: 'hub',
    name: 'hub',
    pid: () => hub.pids('hub')[0],
    start: () =>
      persist('the hub', async () => {
        const { exit, err } = await hub.polaron(['start', '--detach', ...args]);
        return exit === 0 ? undefined : err;
      }),
  };
}

function agentPart(hub: RealHub, name: string, bus: string): Part & { end(): Promise<void> } {
  const home = join(hub.home, `home-${name}`);
  mkdirSync(home);
  let agent: Running | undefined;
  const living = (): Running | undefined =>
    agent !== undefined && processInfo(agent.pid) !== undefined ? agent : undefined;
  return {
    role: 'agent',
    name,
    pid: () => living()?.pid,
    start: () =>
      persist(`agent ${name}`, async () => {
        if (living() !== undefined) return undefined;
        const args = ['agent', '--bus', bus, '--name', name, '--site', 's1', '--slots', '2'];
        const started = hub.launchPolaron(args, { POLARON_HOME: home });
        agent = started;
        // joins when there is a hub: a start that waits for one is no failed start
        await until(() => started.out().includes('ready') || living() === undefined, `${name} joins`, JOIN_MS).catch(
          () => undefined,
        );
        return living() === undefined ? started.err() : undefined;
      }),
    end: async () => {
      agent?.child.kill('SIGTERM');
      await agent?.finished;
    },
  };
}

/** Its hub starts it. */
function localAgentPart(hub: RealHub): Part {
  const pid = (): number | undefined => hub.pids('local-agent')[0];
  return {
    role: 'agent',
    name: 'local',
    pid,
    // Where there is no hub there is nobody to start it.
    start: () => until(() => pid() !== undefined || hub.pids('hub').length === 0, 'the local agent is back', JOIN_MS),
  };
}

/** Until `attempt` has nothing to complain of: what it needs may be down, too. */
async function persist(what: string, attempt: () => Promise<string | undefined | void>): Promise<void> {
  const deadline = Date.now() + PATIENCE_MS;
  for (;;) {
    const complaint = await attempt();
    if (typeof complaint !== 'string') return;
    if (Date.now() > deadline) throw new Error(`${what} did not start within ${PATIENCE_MS} ms: ${complaint}`);
    await sleep(PAUSE_MS);
  }
}

function commandOf(pid: number): string {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, 'latin1');
  } catch {
    return '';
  }
}

/**
 * The composition root of `polaron start`: broker (or a real NATS bus), store, actors, local agent, hub file.
 * A failed store or hub actor makes it drop its memory and recover from disk; the broker and the local agent go on meanwhile.
 */
import { readFileSync } from 'node:fs';
import { hostname, userInfo } from 'node:os';
import type { Broker } from '../bus/broker/broker.ts';
import { startBroker } from '../bus/broker/broker.ts';
import { credentialsFor, makeAuthenticator } from '../bus/credentials.ts';
import { removeHubFile, writeHubFile } from '../bus/hub-file.ts';
import { agentIdentity, hubIdentity, userIdentity } from '../bus/identity.ts';
import { connectBroker } from '../bus/broker-bus.ts';
import { makeSubjects } from '../bus/subjects.ts';
import { deferred } from '../model/deferred.ts';
import { asPolaronError, PolaronError } from '../model/errors.ts';
import { toToken } from '../model/ids.ts';
import type { Log } from '../model/log.ts';
import type { AgentChild } from './agent-child.ts';
import { openDataStore } from './data-store.ts';
import { CurrentCore } from './current-core.ts';
import { ensureDataFolder, loadIdentity, saveAgentTarget, saveIdentity, type HubIdentity } from './data-folder.ts';
import { comparableOptions } from './home.ts';
import { startHubCore } from './hub-core.ts';
import { forgetInstance, recordInstance } from './instances.ts';
import { resolveLeases, resolveMaxLosses } from './leases.ts';
import { startLocalAgent, type LocalAgent } from './local-agent.ts';
import { keepResultsProcess, type ResultsChild } from './results-child.ts';
import { systemRandom } from './random.ts';
import { keepRunning } from './recovery.ts';
import { isOutOfRoom } from './spare-room.ts';
import { systemClock } from './system-clock.ts';
import { packageVersion } from './version.ts';

export interface HubOptions {
  readonly home: string;
  /** Absolute. */
  readonly data: string;
  /** A real NATS bus instead of the embedded broker. */
  readonly bus?: string;
  /** Of the local agent. */
  readonly slots: number;
  readonly agent: boolean;
  readonly host?: string;
  readonly port?: number;
  readonly tls?: { readonly certFile: string; readonly keyFile: string };
  readonly insecure: boolean;
  readonly isolateResults: boolean;
  readonly traceActors: boolean;
  readonly logFile?: string;
  readonly log: Log;
  /** The local agent's process, if that has been begun; dropped when it isn't needed. */
  readonly agentChild?: AgentChild;
  /** ms. @default POLARON_LEASE_MS, else 15000 */
  readonly leaseMs?: number;
  /** ms. @default POLARON_HEARTBEAT_MS, else 2000 */
  readonly heartbeatMs?: number;
}

export interface RunningHub {
  /** Bus URL without credentials. */
  readonly url: string;
  readonly data: string;
  readonly node: string;
  /** Accepts dispatches and its local agent has joined. */
  readonly ready: Promise<void>;
  stop(): Promise<void>;
  /** Resolves with the reason when the hub can't go on. */
  readonly failed: Promise<Error>;
}

interface BusAccess {
  /** For people and other machines. */
  readonly url: string;
  /** For the processes of this hub. */
  readonly own: { readonly url: string; readonly ownTls?: true };
  readonly broker: Broker | undefined;
  /** What each identity dials with; undefined: what the URL says. */
  readonly login: (identity: ReturnType<typeof hubIdentity>) => { readonly user?: string; readonly password?: string };
  /** With the user's credentials, for the hub file. */
  readonly userUrl: string;
  readonly user: string;
}

const AGENT_JOIN_MS = 20_000;

/** Raises DATA_IN_USE, DATA_NEWER, DATA_NOT_WRITABLE, INSECURE_LISTEN, AUTH_FAILED, NO_HUB. */
export async function startHub(o: HubOptions): Promise<RunningHub> {
  const { log, data } = o;
  const leases = resolveLeases(o, process.env);
  const maxLosses = resolveMaxLosses(process.env);
  ensureDataFolder(data);
  const startedAt = systemClock.now();
  const subjects = makeSubjects();
  const random = systemRandom();
  const ended = deferred<Error>();
  const stops: (() => Promise<void>)[] = [];
  let agent: LocalAgent | undefined;
  const unwind = async (): Promise<void> => {
    await agent?.stop(); // while somebody hears what it gives back
    for (const stop of stops.splice(0).reverse()) await stop();
  };
  try {
    // The store first: its lock says whether another hub has the folder.
    let store = o.isolateResults ? undefined : await openDataStore(data, log);
    stops.push(async () => store?.close());
    const identity = loadIdentity(data);
    const access = await openBus(o, identity);
    stops.push(async () => access.broker?.close());
    const agentName = o.bus === undefined ? 'local' : identity.node;
    const agentKey = `local.${agentName}`;
    // A new one dials and prepares while this process recovers. A living one is not touched before it is known that this hub can take its reports.
    if (o.agentChild !== undefined) agent = await startAgent(o, access, identity, agentName);
    const by = hubIdentity(identity.node);
    const bus =
      access.broker === undefined
        ? await (await import('../bus/nats-bus.ts')).connectNats({
            servers: access.own.url,
            name: by,
            identity: by,
            log,
            waitOnFirstConnect: false,
            ...access.login(by),
          })
        : await connectBroker(access.broker, { name: by, identity: by, log });
    stops.push(() => bus.close());
    const resultsNode = `${identity.node}-results`;
    const core = new CurrentCore();
    const restarts = new Set<() => void>();
    let child: ResultsChild | undefined;
    if (o.isolateResults) {
      const settings = { node: resultsNode, identity: by, data, ...access.own, ...access.login(by) };
      child = await keepResultsProcess(
        settings,
        log,
        (error) => ended.resolve(error),
        () => {
          for (const restarted of restarts) restarted();
        },
      );
      stops.push(async () => child?.stop());
    }

    const joined = deferred<void>();
    const endRecovery = await keepRunning({
      begin: async (onFatal) => {
        await core.begin(async () => {
          store ??= o.isolateResults ? undefined : await openDataStore(data, log);
          const current = store;
          void current?.store.failed.then(onFatal);
          return startHubCore({
            bus,
            subjects,
            node: identity.node,
            results: current === undefined ? { node: resultsNode } : current,
            clock: systemClock,
            random,
            log,
            leases,
            maxLosses,
            traceActors: o.traceActors,
            about: { version: packageVersion(), bus: access.url, data, startedAt },
            onFatal,
            onAgentReady: (agent) => {
              if (agent === agentKey) joined.resolve();
            },
            onDrain: (key) => {
              if (key === agentKey) agent?.dismissed();
            },
            onResultsRestart: (listener) => {
              restarts.add(listener);
              return () => restarts.delete(listener);
            },
          });
        });
      },
      // Nothing further is written or answered; the disk is the truth.
      drop: async () => {
        core.drop();
        const failed = store;
        store = undefined;
        await failed?.close();
      },
      outOfRoom: () => isOutOfRoom(data),
      giveUp: (error) => ended.resolve(error),
      clock: systemClock,
      log,
    });
    stops.push(async () => {
      endRecovery();
      core.drop();
    });

    if (o.agent) agent ??= await startAgent(o, access, identity, agentName);
    recordInstance(o.home, 'hub', process.pid);
    const ready = (agent === undefined ? Promise.resolve() : agentJoins(joined.promise, o)).then(() => {
      writeHubFile(o.home, {
        version: packageVersion(),
        pid: process.pid,
        node: identity.node,
        bus: access.url,
        userUrl: access.userUrl,
        ...(access.own.ownTls === true ? { ownTls: true } : {}),
        user: access.user,
        data,
        startedAt,
        options: comparableOptions(o),
        ...(o.logFile === undefined ? {} : { logFile: o.logFile }),
      });
    });
    ready.catch(() => undefined); // told to whoever awaits it
    return {
      url: access.url,
      data,
      node: identity.node,
      ready,
      failed: ended.promise,
      async stop() {
        removeHubFile(o.home, process.pid);
        await unwind();
        forgetInstance(o.home, 'hub', process.pid);
      },
    };
  } catch (error) {
    o.agentChild?.drop();
    await unwind().catch(() => undefined); // the first error is the one to tell
    throw error;
  }
}

async function startAgent(o: HubOptions, access: BusAccess, identity: HubIdentity, name: string): Promise<LocalAgent> {
  saveAgentTarget(o.data, { ...access.own, ...access.login(agentIdentity('local', name)) });
  const agent = await startLocalAgent({
    home: o.home,
    data: o.data,
    site: 'local',
    name,
    slots: o.slots,
    ...(o.agentChild === undefined ? {} : { begun: o.agentChild }),
    clock: systemClock,
    log: o.log,
  });
  o.log('info', agent.adopted ? 'took over the living local agent' : 'started the local agent', {
    pid: agent.pid,
    node: identity.node,
  });
  return agent;
}

function agentJoins(joined: Promise<void>, o: HubOptions): Promise<void> {
  return new Promise((resolve, reject) => {
    const late = systemClock.after(AGENT_JOIN_MS, () =>
      reject(
        new PolaronError(
          'START_FAILED',
          `the local agent did not join within ${AGENT_JOIN_MS / 1_000} s; its log is ${o.data}/agent.log`,
        ),
      ),
    );
    void joined.then(() => {
      late.cancel();
      resolve();
    });
  });
}

async function openBus(o: HubOptions, identity: HubIdentity): Promise<BusAccess> {
  const user = toToken(osUser());
  if (o.bus !== undefined) return externalBus(o.bus, user);
  const subjects = makeSubjects();
  const tls =
    o.tls === undefined ? {} : { tls: { cert: readFileSync(o.tls.certFile), key: readFileSync(o.tls.keyFile) } };
  const listen = (port: number): Promise<Broker> =>
    startBroker({
      auth: makeAuthenticator(identity.secret, subjects),
      log: o.log,
      clock: systemClock,
      port,
      insecure: o.insecure,
      ...tls,
      ...(o.host === undefined ? {} : { host: o.host }),
    });
  let broker: Broker;
  try {
    broker = await listen(o.port ?? identity.port);
  } catch (error) {
    const failure = asPolaronError(error, 'START_FAILED');
    if (o.port !== undefined || identity.port === 0 || failure.code !== 'START_FAILED') throw failure;
    o.log('warn', `port ${identity.port} of the last run is taken; listening at another`, { why: failure.message });
    broker = await listen(0);
  }
  if (broker.port !== identity.port && o.port === undefined) saveIdentity(o.data, { ...identity, port: broker.port });
  const login = (who: Parameters<typeof credentialsFor>[1]): { readonly user: string; readonly password: string } =>
    credentialsFor(identity.secret, who);
  const mine = login(userIdentity(user));
  const everywhere = o.host === '0.0.0.0' || o.host === '::';
  const ownUrl = everywhere ? withHost(broker.url, '127.0.0.1') : broker.url;
  const url = everywhere ? withHost(broker.url, hostname()) : broker.url;
  const userUrl = new URL(ownUrl);
  userUrl.username = mine.user;
  userUrl.password = mine.password;
  return {
    url,
    own: { url: ownUrl, ...(o.tls === undefined ? {} : { ownTls: true }) },
    broker,
    login,
    userUrl: userUrl.href,
    user,
  };
}

function withHost(url: string, host: string): string {
  const changed = new URL(url);
  changed.hostname = host;
  return changed.href.replace(/\/$/, '');
}

/** Credentials in the URL are everybody's on this machine; they are not shown. */
function externalBus(bus: string, user: string): BusAccess {
  const urls = bus.split(',').map((text) => new URL(text.trim()));
  const signed = urls.find((url) => url.username !== '');
  const login =
    signed === undefined
      ? {}
      : { user: decodeURIComponent(signed.username), password: decodeURIComponent(signed.password) };
  const url = urls.map(({ protocol, host }) => `${protocol}//${host}`).join(',');
  return { url, own: { url }, broker: undefined, login: () => login, userUrl: bus, user };
}

function osUser(): string {
  try {
    return userInfo().username;
  } catch {
    return 'user'; // a container's uid without a name
  }
}

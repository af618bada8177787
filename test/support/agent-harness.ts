/** An agent with real runner processes and a fake hub on an in-memory bus, in a folder of its own. */
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { startAgent, type RunningAgent } from '../../executors/agent/agent.ts';
import type { AgentOptions } from '../../executors/agent/options.ts';
import { decodeValue } from '../../bus/value/value.ts';
import type { ErrorInfo, Outcome } from '../../model/outcome.ts';
import { FakeNetwork, type FakeBus } from './fake-bus.ts';
import { AGENT, FakeHub, SITE, subjects } from './fake-hub.ts';
import { makeLogList, type LogList } from './log-list.ts';
import { realClock } from './real-clock.ts';

export const fixtureBundle = readFileSync(new URL('../fixtures/executors/electrons.mjs', import.meta.url), 'utf8');

export interface Harness {
  readonly hub: FakeHub;
  readonly network: FakeNetwork;
  readonly bus: FakeBus;
  readonly agent: RunningAgent;
  readonly dir: string;
  readonly logs: LogList;
  /** Stops the agent and starts it again on the same folder. */
  /** `meanwhile`: while it is away. */
  readonly restart: (meanwhile?: () => Promise<void>) => Promise<RunningAgent>;
  close(): Promise<void>;
}

export async function startHarness(
  over: Partial<AgentOptions> = {},
  prepare: (hub: FakeHub) => void = () => undefined,
): Promise<Harness> {
  const dir = mkdtempSync(join(tmpdir(), 'polaron-agent-'));
  const network = new FakeNetwork();
  const hub = new FakeHub(network.connect('hub.n1'));
  hub.useBundle(fixtureBundle);
  prepare(hub);
  const logs = makeLogList();
  const bus = network.connect(`a.${SITE}.${AGENT}`);
  const start = (): Promise<RunningAgent> =>
    startAgent({
      bus,
      subjects,
      site: SITE,
      name: AGENT,
      slots: 2,
      capabilities: ['process'],
      stateDir: dir,
      clock: realClock,
      log: logs.log,
      version: '0.0.0',
      heartbeatMs: 100,
      graceMs: 150,
      spareRunner: false,
      ...over,
    });
  let agent = await start();
  return {
    hub,
    network,
    bus,
    get agent() {
      return agent;
    },
    dir,
    logs,
    restart: async (meanwhile) => {
      await agent.stop();
      await meanwhile?.();
      agent = await start();
      return agent;
    },
    close: async () => {
      await agent.stop();
      network.close();
      rmSync(dir, { recursive: true, force: true, maxRetries: 5, retryDelay: 100 });
    },
  };
}

/** The value of a completed outcome that travelled whole. */
export function valueOf(outcome: Outcome): unknown {
  if (outcome.status !== 'completed' || outcome.bytes === undefined)
    throw new Error(`no value: ${JSON.stringify(outcome)}`);
  return decodeValue(outcome.bytes);
}

/** The error of a failed outcome. */
export function errorOf(outcome: Outcome): ErrorInfo {
  if (outcome.status !== 'failed') throw new Error(`no error: ${JSON.stringify(outcome)}`);
  return outcome.error;
}

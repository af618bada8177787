/** Carries out a plan's faults at their times. Not here: what the bus does to single messages meanwhile (sim-bus.ts). */
import { encodeBody, encodeEnvelope } from '../../../bus/codec.ts';
import { hubIdentity } from '../../../bus/identity.ts';
import type { Subjects } from '../../../bus/subjects.ts';
import type { AgentHost } from './agent-host.ts';
import { NODE, type HubHost } from './hub-host.ts';
import type { History } from './history.ts';
import type { Machine } from './machine.ts';
import { isNetFault, type FaultPlan } from './plan.ts';
import type { Network, SimBus } from './sim-bus.ts';
import type { Timeline } from './timeline.ts';

export interface FaultTargets {
  readonly timeline: Timeline;
  readonly network: Network;
  readonly subjects: Subjects;
  readonly history: History;
  readonly hub: HubHost;
  /** By name. */
  readonly agents: ReadonlyMap<string, AgentHost>;
  readonly machineOf: (target: string) => Machine | undefined;
  /** A second agent of this name, in a folder of its own. */
  readonly twin: (name: string) => void;
  /** Dispatches that the client knows. */
  readonly ids: () => readonly (string | undefined)[];
  /** Somebody who may say what the hub's own processes say. */
  readonly insider: SimBus;
  /** A fault struck something. */
  readonly struck: (kind: FaultPlan['kind']) => void;
}

export function planFaults(faults: readonly FaultPlan[], t: FaultTargets): void {
  for (const fault of faults) {
    t.timeline.after(fault.at, () => {
      t.history.add({ type: 'fault', kind: fault.kind, target: fault.target });
      const end = begin(fault, t);
      if (end !== undefined) t.timeline.after(fault.ms, end);
    });
  }
}

/** Returns what ends it. */
function begin({ kind, target, amount, ms }: FaultPlan, t: FaultTargets): (() => void) | undefined {
  const { network, hub } = t;
  const agent = t.agents.get(target);
  if (isNetFault(kind)) {
    const weather = { kind, rate: amount, ms: Math.min(ms, 1_500), ...(target === '' ? {} : { client: target }) };
    network.weather.add(weather);
    return () => network.weather.delete(weather);
  }
  if (!network.up || kind !== 'sever') t.struck(kind);
  switch (kind) {
    case 'silence':
      return partition(network.clientsNamed(target), (client, on) => {
        client.silent = on;
      });
    case 'sever':
      t.struck(kind);
      return partition(network.clientsNamed(target), (client, on) => {
        client.severed = on;
        if (on) client.disconnected();
        else network.dial(client);
      });
    case 'kill-hub':
      hub.kill('fault');
      return () => hub.start();
    case 'cut-hub':
      hub.kill('power');
      for (const local of t.agents.values()) if (local.o.machine === hub.o.machine) local.powerCut();
      return () => {
        hub.start();
        for (const local of t.agents.values()) if (local.o.machine === hub.o.machine) local.start();
      };
    case 'kill-results':
      hub.killResults();
      return undefined;
    case 'kill-agent':
      agent?.kill();
      return () => agent?.start();
    case 'cut-agent':
      agent?.powerCut();
      return () => agent?.start();
    case 'drain-agent':
      agent?.drain(ms);
      return undefined;
    case 'twin-agent': {
      if (amount === 0) {
        t.twin(target);
        return undefined;
      }
      // it takes the name over: the one that had it is not heard for longer than a lease
      t.timeline.after(ms * amount, () => t.twin(target));
      return partition(network.clientsNamed(target), (client, on) => {
        client.silent = on;
      });
    }
    case 'crash-attempt':
      agent?.runners.list[0]?.crash();
      return undefined;
    case 'crash-supervisor':
      crashSupervisor(t, amount);
      return undefined;
    case 'restart-broker':
      network.up = false;
      return () => {
        if (!hub.o.plan.embedded || hub.alive) network.up = true;
      };
    case 'skew-clock': {
      const machine = t.machineOf(target);
      if (machine !== undefined) machine.skewMs += amount;
      return () => {
        // most clocks are set right again, and so jump twice
        if (machine !== undefined && ms % 3 > 0) machine.skewMs -= amount;
      };
    }
    case 'slow-disk':
      hub.disk.flushMs = amount;
      return () => {
        hub.disk.flushMs = hub.o.plan.flushMs;
      };
    case 'fail-write':
      hub.disk.broken = true;
      return undefined;
  }
}

function partition(clients: readonly SimBus[], set: (client: SimBus, on: boolean) => void): () => void {
  for (const client of clients) set(client, true);
  return () => {
    for (const client of clients) set(client, false);
  };
}

/** A message that no supervisor can make sense of, on its own subject: whatever throws in it, its dispatch begins again alone. */
function crashSupervisor({ insider, subjects, ids }: FaultTargets, which: number): void {
  const known = ids().filter((id) => id !== undefined);
  const id = known[Math.floor(which * known.length)];
  if (id === undefined) return;
  const message = { type: 'match.found', agent: 'lab.nobody', nodes: null };
  const body = encodeBody({ from: `${NODE}.matchmaker.main`, message });
  insider.publish(subjects.actor(NODE, 'lattice', id), encodeEnvelope(hubIdentity(NODE), { body }));
}

/** A matchmaker between electrons and agents on an in-memory bus: made anew by `begin`, read through these bindings. */
import { expect } from 'vitest';
import { AgentGateway } from '../../../actors/matchmaker/gateway.ts';
import { Matchmaker } from '../../../actors/matchmaker/matchmaker.ts';
import type { Epoch } from '../../../actors/services.ts';
import type { Message } from '../../../actors/system.ts';
import type { ElectronMessage, LatticeMessage, MatchmakerMessage } from '../../../bus/protocol/actors.ts';
import type { FinishedTask, Manifest, Sync } from '../../../bus/protocol/agent.ts';
import type { RosterEntry } from '../../../bus/protocol/results.ts';
import { digestOf } from '../../../bus/value/digest.ts';
import { taskIdOf, type DispatchId, type TaskId } from '../../../model/ids.ts';
import type { Token } from '../../../model/outcome.ts';
import { FakeAgent } from './fake-agent.ts';
import { settle } from './fake-clock.ts';
import { def, template } from './graphs.ts';
import { dispatchId, makeHubWorld, subjects, type Delivered, type HubWorld } from './hub-world.ts';

export const id = dispatchId(1);
export const LEASE = 15_000;
export const requirement = { key: 'process', capabilities: ['process'] };
export const manifest: Manifest = {
  dispatch: id,
  user: 'kim',
  lattice: 'l',
  argv: [],
  captures: {},
  expiresAt: 0,
  strict: false,
};
export const inputsDigest = digestOf(new Uint8Array());
export const task = (n: number): TaskId => taskIdOf(id, n);
export const isLattice = (message: Message): message is LatticeMessage =>
  message.type === 'match.found' || message.type === 'attempt.claimed';
export const isElectron = (message: Message): message is ElectronMessage => message.type.startsWith('attempt.');
export const isMatchmaker = (message: Message): message is MatchmakerMessage =>
  /^(?:match|attempt|roster|lattice)\./.test(message.type);

export let world: HubWorld;
export let matchmaker: Matchmaker;
export let epoch: Epoch;
export let lattice: Delivered<LatticeMessage>[];
/** How often it said that something was given out or withdrawn, and dispatches without a supervisor that an agent has something of. */
export let taken: number;
export let unheard: DispatchId[];
export let electrons: Map<number, Delivered<ElectronMessage>[]>;

export function begin(
  o: {
    readonly flush?: 'turn' | 'manual';
    readonly roster?: readonly RosterEntry[];
    readonly maxBacklog?: number;
    /** The test lets it hear agents itself. */
    readonly deaf?: boolean;
  } = {},
): void {
  world = makeHubWorld(o);
  epoch = { value: 100 };
  taken = 0;
  unheard = [];
  const { system, results, clock, bus, logs } = world;
  const gateway = new AgentGateway({
    bus,
    subjects,
    by: 'hub.n1',
    version: '0.0.0',
    log: logs.log,
    monotonic: () => clock.monotonic(),
  });
  matchmaker = new Matchmaker({
    system,
    results,
    gateway,
    clock,
    log: logs.log,
    epoch,
    leases: { leaseMs: LEASE, heartbeatMs: 2_000 },
    maxPayload: () => 1e6,
    onAgentReady: () => undefined,
    onTaken: () => taken++,
    onUnheard: (dispatch) => unheard.push(dispatch),
    ...(o.maxBacklog === undefined ? {} : { maxBacklog: o.maxBacklog }),
  });
  system.spawn(system.address('matchmaker', 'main'), matchmaker, isMatchmaker);
  listen();
  electrons = new Map();
  for (let n = 0; n < 12; n++) electrons.set(n, world.probe('electron', task(n), isElectron));
  tell({ type: 'roster.load', roster: o.roster ?? [], history: 'h1' });
  if (o.deaf !== true) matchmaker.start();
}
/** Puts somebody at the address of the dispatch's supervisor, who hears what is said from now on. */
export function listen(): void {
  lattice = world.probe('lattice', id, isLattice);
}

export function tell(message: MatchmakerMessage): void {
  world.system.send('n1.matchmaker.main', message, `n1.lattice.${id}`);
}
export const ready = async (nodes: readonly number[], resumed = false): Promise<void> => {
  tell({ type: 'match.request', dispatch: id, nodes, requirement, priority: 0, user: 'kim', root: id, resumed });
  await settle();
};
export const send = (n: number, agent: `lab.${string}` = 'lab.a1', token: Token = [100, 1]): void =>
  tell({
    type: 'attempt.send',
    agent,
    task: task(n),
    token,
    inputsDigest,
    manifest,
    electron: def('train'),
    name: `train[${n}]`,
    path: undefined,
    template,
    inputs: [],
    split: false,
  });
export const found = (): (readonly [string, number])[] =>
  lattice.flatMap(({ message }) =>
    message.type === 'match.found' ? message.nodes.map((node) => [message.agent, node] as const) : [],
  );
export const heard = (n: number): ElectronMessage[] => (electrons.get(n) ?? []).map(({ message }) => message);
export const listed = (n: number, token: Token = [100, 1]) => ({
  task: task(n),
  token,
  inputsDigest,
  state: 'running' as const,
  startedAt: 5,
});
export const outcome = (n: number, token: Token = [100, 1]): FinishedTask => ({
  task: task(n),
  token,
  inputsDigest,
  outcome: { status: 'cancelled', usage: { startedAt: 1, endedAt: 2 } },
});
export const judge = (receipt: number, n: number, verdict: 'committed' | 'stale' = 'committed'): void =>
  tell({ type: 'attempt.judged', receipt, task: task(n), token: [100, 1], verdict, current: true });
export async function join(name = 'a1', slots = 2, first: Partial<Sync> = {}): Promise<FakeAgent> {
  const agent = new FakeAgent(world.network, name);
  agent.base = { slots, ...first };
  expect((await agent.sync()).type).toBe('ok');
  await settle();
  return agent;
}

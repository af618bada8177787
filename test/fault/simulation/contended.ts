/**
 * Plans of electrons that want the same keys, and of exclusive ones, while agents are cut off and the hub dies: a case of its own, since few electrons of a plan by
 * chance would ever meet at a key. Not here: what must hold (key-check.ts).
 */
import { NO_TIMEOUTS } from '../../../model/graph.ts';
import type { DispatchPlan, ElectronPlan, FaultKind, FaultPlan, RunPlan } from './plan.ts';
import { Rng } from './random.ts';

/** Every so many-th seed is one, after the one of a lost parent. */
const EVERY = 97;

export const isContended = (seed: number): boolean => seed % EVERY === 1;

/** What takes a runner's agent away and leaves the runner is not among them: who lives without an agent and its guardian is nobody's. */
const kinds = [
  'sever',
  'silence',
  'sever',
  'silence',
  'kill-hub',
  'cut-hub',
  'drop',
  'delay',
  'duplicate',
  'reorder',
  'restart-broker',
  'drain-agent',
  'crash-supervisor',
  'crash-attempt',
] as const satisfies readonly FaultKind[];

export function contendedPlan(seed: number): RunPlan {
  const random = new Rng(seed, 'contended');
  const agents = Array.from({ length: random.between(2, 3) }, () => ({ slots: random.between(2, 4), local: false }));
  const limits = [1, random.between(1, 3)];
  const agent = `a${random.between(1, agents.length)}`;
  // All begins at once. Then an agent is cut off for longer than a lease, or the hub dies while one is cut off, and more comes before that is heard again.
  const at = random.between(300, 2_500);
  const restart = random.chance(0.5);
  const away = restart ? random.between(50, 1_500) : 0;
  const cut = restart ? away + random.between(500, 4_000) : random.between(4_500, 9_000);
  const later = restart ? at + random.below(away + 500) : random.below(6_000);
  const faults: FaultPlan[] = [
    { kind: random.pick('sever', 'silence'), at, ms: cut, target: agent, amount: 0 },
    ...(restart ? [{ kind: random.pick('kill-hub', 'cut-hub'), at, ms: away, target: 'hub', amount: 0 } as const] : []),
    ...Array.from({ length: random.below(4) }, () => makeFault(random, agents.length)),
  ];
  const dispatches = [0, later].map((begins): DispatchPlan => {
    const nodes = Array.from({ length: random.between(3, 7) }, (_, node) => makeElectron(random, node, limits));
    const rest = { failFast: false, priority: random.below(2), timeoutMs: 0 };
    return { at: begins, strict: random.chance(0.2), ...rest, nodes, output: [nodes.length - 1] };
  });
  return {
    seed,
    isolated: random.chance(0.2),
    embedded: random.chance(0.6),
    heartbeatMs: 1_000,
    leaseMs: 4_000,
    flushMs: random.pick(0.5, 8, 100),
    agents,
    dispatches,
    cancels: random.chance(0.2) ? [{ at: random.below(6_000), dispatch: 0 }] : [],
    cancelled: [],
    faults: faults.sort((a, b) => a.at - b.at),
  };
}

function makeElectron(random: Rng, node: number, limits: readonly number[]): ElectronPlan {
  const retries = random.chance(0.3) ? 1 : 0;
  const which = random.below(3);
  const limit = limits[which];
  // all electrons of a key are exclusive, or none
  const exclusive = limit === undefined || which === 1 ? { exclusive: true } : {};
  return {
    kind: 'electron',
    does: {
      ms: random.pick(100, 1_000, 4_000, 9_000),
      fails: retries > 0 && random.chance(0.5) ? 1 : 0,
      signMs: 0,
      list: 0,
      large: false,
      kills: false,
      varies: random.chance(0.3),
    },
    inputs: node > 0 && random.chance(0.3) ? [random.below(node)] : [],
    after: [],
    retries,
    timeouts: NO_TIMEOUTS,
    ...(limit === undefined ? {} : { concurrency: { key: `k${which}`, limit } }),
    ...exclusive,
  };
}

function makeFault(random: Rng, agents: number): FaultPlan {
  const kind = kinds[random.below(kinds.length)] ?? 'drop';
  const agent = `a${random.between(1, agents)}`;
  const at = random.below(9_000);
  const long = random.between(1_000, 9_000);
  switch (kind) {
    case 'sever':
    case 'silence':
      return { kind, at, ms: long, target: random.pick('hub', agent, agent, agent), amount: 0 };
    case 'drop':
    case 'delay':
    case 'duplicate':
    case 'reorder':
      return { kind, at, ms: long, target: random.pick('', 'hub', agent), amount: random.pick(0.2, 0.5) };
    case 'drain-agent':
      return { kind, at, ms: random.between(100, 2_000), target: agent, amount: 0 };
    case 'crash-attempt':
      return { kind, at, ms: 0, target: agent, amount: 0 };
    case 'crash-supervisor':
      return { kind, at, ms: 0, target: '', amount: random.fraction() };
    case 'kill-hub':
    case 'cut-hub':
    case 'restart-broker':
      return { kind, at, ms: random.between(50, 3_000), target: 'hub', amount: 0 };
  }
}

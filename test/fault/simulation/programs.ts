/** The dispatches and redispatches of a plan as they are submitted, and where each electron stands. Not here: what electrons give (program.ts). */
import { encodeValue } from '../../../bus/value/value.ts';
import { digestOf } from '../../../bus/value/digest.ts';
import type { DispatchPlan, ElectronPlan, GraphPlan, NodePlan, RedispatchPlan, RunPlan } from './plan.ts';
import { NO_TIMEOUTS } from '../../../model/graph.ts';
import { calledBy, makeNodes, namesOf, type Made } from './program.ts';

export interface Program extends Made {
  readonly plan: DispatchPlan;
  /** Before the names of its electrons. */
  readonly names: string;
  /** Electrons that stand for those of this name. */
  readonly called: ReadonlyMap<string, string>;
  /** Of a redispatch. */
  readonly again?: RedispatchPlan;
}

/** Where an electron stands in a plan. */
export interface Home {
  readonly electron: ElectronPlan;
  readonly strict: boolean;
  /** Of its graph. */
  readonly nodes: readonly NodePlan[];
  readonly at: number;
  /** In the body of the map that is `nodes[at]`. */
  readonly local?: number;
}

export interface Programs {
  /** All electrons of a plan by what they are called. */
  readonly homes: ReadonlyMap<string, Home>;
  readonly does: ReadonlyMap<string, ElectronPlan>;
  /** Of the plan's dispatches, and then of its redispatches. */
  readonly programs: readonly Program[];
}

/** The code of what a redispatch replaces. `index`: of its program. */
export const codeOf = (index: number): Uint8Array => Buffer.from(`the code of electrons in redispatch ${index}`);

export function programsOf({ dispatches, redispatches = [] }: RunPlan): Programs {
  const programs: Program[] = [];
  const homes = new Map<string, Home>();
  const add = (program: Program): void => {
    programs.push(program);
    for (const [name, home] of homesIn(program.plan.nodes, program.names, program.plan.strict))
      if (!homes.has(name)) homes.set(name, home);
  };
  dispatches.forEach((plan, index) => add(programOf(plan, `d${index}`, new Map())));
  redispatches.forEach((again, i) => {
    const index = dispatches.length + i;
    const old = programs[again.of];
    if (old === undefined) throw new Error(`redispatch ${i} is of ${again.of}, which is none before it`);
    const called = new Map(old.called);
    const code = digestOf(codeOf(index));
    for (const { name, electron } of again.replace) {
      called.set(name, calledBy(name, code));
      const home = homes.get(name);
      if (home !== undefined) homes.set(calledBy(name, code), { ...home, electron });
    }
    const { args } = again;
    if (args === undefined) return add({ ...old, called, again });
    add({ ...programOf(drawnAnew(old, args), `d${index}`, called), again });
  });
  return { homes, programs, does: new Map([...homes].map(([name, { electron }]) => [name, electron])) };
}

function programOf(plan: DispatchPlan, names: string, called: ReadonlyMap<string, string>): Program {
  const args = (plan.args ?? []).map((text) => encodeValue(text, names));
  return { ...makeNodes(plan.nodes, plan.output, names, args), plan, names, called };
}

/** As the client makes it for other arguments: an electron that draws the old graph, and the lattice. */
function drawnAnew({ plan, names }: Program, args: readonly string[]): DispatchPlan {
  const draws: GraphPlan = { nodes: plan.nodes, output: plan.output[0] ?? 0, names };
  const does = { ms: 5, fails: 0, signMs: 0, list: 0, large: false, kills: false, varies: false, draws };
  const inputs = args.map((_, arg) => ({ arg }));
  const drawing: ElectronPlan = { kind: 'electron', does, inputs, after: [], retries: 0, timeouts: NO_TIMEOUTS };
  return { ...plan, nodes: [drawing, { kind: 'lattice', graph: 0, after: [] }], output: [1], args };
}

function* homesIn(nodes: readonly NodePlan[], names: string, strict: boolean): Generator<[string, Home]> {
  const inside = (graph: GraphPlan, by: string): Generator<[string, Home]> =>
    homesIn(graph.nodes, namesOf(graph, by), strict);
  for (const [at, node] of nodes.entries()) {
    const name = `${names}e${at}`;
    const body = node.kind === 'map' ? node.body : [node];
    for (const [local, one] of body.entries()) {
      const own = node.kind === 'map' ? `${name}b${local}` : name;
      const place = node.kind === 'map' ? { at, local } : { at };
      if (one.kind === 'electron') yield [own, { electron: one, strict, nodes, ...place }];
      if (one.kind === 'electron' && one.does.draws !== undefined) yield* inside(one.does.draws, own);
      if (one.kind === 'lattice' && typeof one.graph === 'object') yield* inside(one.graph, own);
    }
  }
}

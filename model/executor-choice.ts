/** Executors that were given for a dispatch's electrons by name, stronger than the electrons' own. Pure. */
import type { ElectronDef, WireGraph } from './graph.ts';

/** What runs an electron that names no executor. */
export const DEFAULT_EXECUTOR = 'process';

/** What `isolation: 'thread'` means. */
export const THREAD_EXECUTOR = 'thread';

/** What runs an electron. */
export type ExecutorChoice = Pick<ElectronDef, 'executor' | 'executorOptions'>;

/** By the electron's name. */
export type ExecutorChoices = Readonly<Record<string, ExecutorChoice>>;

/** The definition with the executor that was given for it, or as it is. */
export function withExecutor(def: ElectronDef, choices: ExecutorChoices): ElectronDef {
  const choice = Object.hasOwn(choices, def.name) ? choices[def.name] : undefined;
  if (choice === undefined) return def;
  const { executorOptions: _, ...rest } = def;
  return { ...rest, ...choice };
}

/** The same graph when it has none of those electrons. */
export function withExecutors(graph: WireGraph, choices: ExecutorChoices): WireGraph {
  const electrons = graph.electrons.map((def) => withExecutor(def, choices));
  return electrons.every((def, i) => def === graph.electrons[i]) ? graph : { ...graph, electrons };
}

/** `Crash`: what an electron in a test throws to end as if its process had died. */
import { causeOfDeath } from '../executors/process/death.ts';
import type { ElectronDef } from '../model/graph.ts';
import type { ErrorInfo } from '../model/outcome.ts';

/** How a process dies. */
export type CrashKind = 'killed' | 'exited' | 'out-of-memory' | 'memory-limit';

/** Thrown by an electron or its mock: the attempt ends as when its process dies. `killed`: CRASHED; `exited`: EXITED; `out-of-memory`: OUT_OF_MEMORY; `memory-limit`: MEMORY_LIMIT. */
export class Crash extends Error {
  /** Of the class. */
  override readonly name = 'Crash';
  /** How the process is to die. */
  readonly kind: CrashKind;

  /** @param kind how the process is to die */
  constructor(kind: CrashKind = 'killed') {
    super(`the process of the electron is to end as ${kind}`);
    this.kind = kind;
  }
}

/** The error that the agent would tell. */
export const crashError = ({ kind }: Crash, { name, memoryMb }: ElectronDef): ErrorInfo =>
  causeOfDeath(name, {
    code: kind === 'exited' ? 1 : null,
    signal: kind === 'exited' ? null : 'SIGKILL',
    stderr: kind === 'out-of-memory' ? 'JavaScript heap out of memory' : '',
    overMemory: kind === 'memory-limit',
    memoryMb,
  });

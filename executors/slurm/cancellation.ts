/** Cancels jobs in Slurm, those of one turn with one call. Not here: whether they are over (queue.ts). */
import { outputOf, type SlurmProgram } from './slurm-program.ts';

const GATHER_MS = 50;

export class Cancellation {
  readonly #program: SlurmProgram;
  #next: { readonly ids: Set<string>; readonly done: Promise<void> } | undefined;

  constructor(program: SlurmProgram) {
    this.#program = program;
  }

  /** Slurm gives it SIGTERM, and SIGKILL after its KillWait. Raises SLURM_UNREACHABLE, SLURM_REFUSED. */
  cancel(id: string): Promise<void> {
    this.#next ??= this.#gather();
    this.#next.ids.add(id);
    return this.#next.done;
  }

  #gather(): { readonly ids: Set<string>; readonly done: Promise<void> } {
    const ids = new Set<string>();
    const done = new Promise<void>((resolve) => setTimeout(resolve, GATHER_MS)).then(async () => {
      this.#next = undefined;
      // quiet about those that have ended
      outputOf('scancel', await this.#program('scancel', ['--quiet', ...ids]));
    });
    return { ids, done };
  }
}

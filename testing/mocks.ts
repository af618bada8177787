/** What runs in place of electrons' own functions, and what has been called. By the electron's name: all handles of one definition share a mock. */
import type { TestTask } from './test-hub.ts';

type Fn = (...args: never[]) => unknown;

export class MockEntry {
  readonly run: Fn | undefined;
  readonly calls: TestTask[] = [];

  constructor(run: Fn | undefined) {
    this.run = run;
  }
}

export class Mocks {
  readonly #byName = new Map<string, MockEntry>();

  /** Replaces an earlier one. */
  set(electron: string, run: Fn | undefined): { readonly entry: MockEntry; readonly restore: () => void } {
    const entry = new MockEntry(run);
    this.#byName.set(electron, entry);
    return {
      entry,
      restore: () => {
        if (this.#byName.get(electron) === entry) this.#byName.delete(electron);
      },
    };
  }

  /** Records the call, and gives what is to run; undefined: the electron's own function. */
  called(task: TestTask): Fn | undefined {
    const entry = this.#byName.get(task.electron);
    entry?.calls.push(task);
    return entry?.run;
  }
}

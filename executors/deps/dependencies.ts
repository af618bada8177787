/**
 * What an agent's electrons get for their `deps`: one installation for all that ask for the same, and an environment that stays while somebody has it.
 * Not here: the folders (environments.ts), what an installation does (install.ts).
 */
import { asPolaronError, PolaronError } from '../../model/errors.ts';
import type { Clock } from '../../model/clock.ts';
import { deferred } from '../../model/deferred.ts';
import type { DepsDef } from '../../model/graph.ts';
import type { InstalledDeps } from '../executor.ts';
import type { Claim } from './environments.ts';

/** Whoever asks so soon after a failure hears of it again: a map of thousands isn't to fail one by one. */
const FAILED_MS = 5_000;
const MOST_FAILURES = 100;

export interface HeldDeps {
  readonly installed: InstalledDeps;
  readonly giveBack: () => void;
}

/** What a task needs of this; a simulation has none of it. */
export interface DepsInstaller {
  /**
   * Resolves when they are there; `tell` gets lines for people meanwhile. Raises DEPS_INSTALL_FAILED, DEPS_REFUSED, or the signal's reason: the work goes on while somebody else
   * waits for it.
   */
  obtain(deps: DepsDef, tell: (line: string) => void, signal: AbortSignal): Promise<HeldDeps>;
}

/** Where environments come from. */
export interface EnvironmentSource {
  keyOf(deps: DepsDef): Promise<string>;
  claim(key: string, deps: DepsDef, tell: (line: string) => void, signal: AbortSignal): Promise<Claim>;
}

class Work {
  readonly #stop = new AbortController();
  readonly #waiting = new Set<(line: string) => void>();
  readonly claim: Promise<Claim>;
  #said: string | undefined;

  constructor(begin: (tell: (line: string) => void, signal: AbortSignal) => Promise<Claim>) {
    this.claim = begin((line) => {
      this.#said = line;
      for (const tell of this.#waiting) tell(line);
    }, this.#stop.signal);
    this.claim.catch(() => undefined);
  }

  get abandoned(): boolean {
    return this.#stop.signal.aborted;
  }

  /** Raises the signal's reason; the last one that gives up ends the work. */
  async wait(tell: (line: string) => void, signal: AbortSignal): Promise<Claim> {
    signal.throwIfAborted();
    // two may tell the same listener, and still be two
    const mine = (line: string): void => tell(line);
    this.#waiting.add(mine);
    if (this.#said !== undefined) tell(this.#said);
    const gaveUp = deferred<never>();
    const giveUp = (): void => gaveUp.reject(signal.reason);
    signal.addEventListener('abort', giveUp);
    try {
      return await Promise.race([this.claim, gaveUp.promise]);
    } finally {
      signal.removeEventListener('abort', giveUp);
      this.#waiting.delete(mine);
      if (signal.aborted && this.#waiting.size === 0) this.#stop.abort();
    }
  }
}

interface Entry {
  users: number;
  readonly work: Work;
}

export class Dependencies implements DepsInstaller {
  readonly #source: EnvironmentSource;
  readonly #clock: Clock;
  readonly #entries = new Map<string, Entry>();
  readonly #failed = new Map<string, { readonly error: PolaronError; readonly at: number }>();

  constructor(source: EnvironmentSource, clock: Clock) {
    this.#source = source;
    this.#clock = clock;
  }

  async obtain(deps: DepsDef, tell: (line: string) => void, signal: AbortSignal): Promise<HeldDeps> {
    const key = await this.#source.keyOf(deps);
    signal.throwIfAborted();
    const failed = this.#failed.get(key);
    if (failed !== undefined && this.#clock.monotonic() - failed.at < FAILED_MS) throw failed.error;
    let entry = this.#entries.get(key);
    if (entry === undefined || entry.work.abandoned) {
      entry = { users: 0, work: new Work((say, stop) => this.#source.claim(key, deps, say, stop)) };
      this.#entries.set(key, entry);
    }
    const mine = entry;
    mine.users++;
    try {
      const { installed } = await mine.work.wait(tell, signal);
      let given = false;
      return {
        installed,
        giveBack: () => {
          if (!given) this.#drop(key, mine);
          given = true;
        },
      };
    } catch (error) {
      this.#drop(key, mine);
      if (signal.aborted) throw error;
      const raised = asPolaronError(error, 'DEPS_INSTALL_FAILED');
      if (this.#failed.size >= MOST_FAILURES) this.#failed.clear();
      this.#failed.set(key, { error: raised, at: this.#clock.monotonic() });
      throw raised;
    }
  }

  /** The last one gives up the claim, also when the work comes to its end only now. */
  #drop(key: string, entry: Entry): void {
    if (--entry.users > 0) return;
    if (this.#entries.get(key) === entry) this.#entries.delete(key);
    entry.work.claim.then(
      (claim) => claim.release(),
      () => undefined,
    );
  }
}

/** Of an agent that installs nothing. */
export function refuseDeps(agent: string): DepsInstaller {
  return {
    obtain: (deps) =>
      Promise.reject(
        new PolaronError(
          'DEPS_REFUSED',
          `agent ${agent} installs nothing (--no-deps), and was asked for ${Object.keys(deps).join(', ')}`,
          { details: { agent } },
        ),
      ),
  };
}

/**
 * Loads a bundle in a runner: evaluates its modules up to `dispatch()`, and finds electrons by name. Not here: running one, and the runner's protocol (main.ts).
 *
 * L1. `dispatch` (and what else the agent shim halts at) returns a promise that never settles; so does not the import. The first halt ends the load.
 * L2. An electron is looked for only when the load has ended: before that a module may be half evaluated.
 * L3. A module that fails to load fails all its electrons, those that it had already defined too: what it set up after them is missing.
 * L4. A search ends when nothing can make progress any more: no timer, request or file operation above what the process had before.
 */
import { readFileSync } from 'node:fs';
import { pathToFileURL } from 'node:url';
import { compareCaptures, readCaptures } from '../../bus/capture.ts';
import { registry, type ElectronEntry, type TaskContextShape } from '../../bus/protocol/registry.ts';
import type { ErrorInfo } from '../../model/outcome.ts';
import {
  ambiguousError,
  explainTdz,
  loadError,
  notFoundError,
  placeIn,
  stuckError,
  type InlineRefusal,
} from './index-check.ts';
import { isExit, runAsLoad, type OutputSink } from './load-context.ts';

export type ElectronFn = ElectronEntry['fn'];

export interface LoadOptions {
  /** Name of the agent, for messages. */
  readonly agent?: string;
  /** Where output of top-level code goes. @default nowhere */
  readonly sink?: OutputSink;
  /** What `context()` answers in an electron. */
  readonly currentTask?: () => TaskContextShape | undefined;
  /** A load that goes on longer than this, ms, has failed. @default 30000 */
  readonly deadlineMs?: number;
}

export interface LoadedBundle {
  /** BUNDLE_LOAD: nothing of this bundle can run. */
  readonly error: ErrorInfo | undefined;
  /** What the load stopped at, e.g. `dispatch()`. */
  readonly haltedAt: string | undefined;
  /** The function, if it is defined by now. */
  get(name: string): ElectronFn | undefined;
  /** Waits for a main() that is still on its way. BUNDLE_LOAD, ELECTRON_NOT_FOUND, ELECTRON_AMBIGUOUS as data. */
  find(name: string): Promise<{ readonly fn: ElectronFn } | { readonly error: ErrorInfo }>;
  /** What is wrong with these electrons here: errors of `find`, and CAPTURE_MISMATCH. Empty: all is well. */
  index(
    electrons: readonly string[],
    captures: Readonly<Record<string, Readonly<Record<string, unknown>>>>,
  ): Promise<{ readonly electron: string; readonly error: ErrorInfo }[]>;
  /** DEFINED_AFTER_DISPATCH, when that is what an electron's error comes from. */
  explainTdz(error: unknown, electron: string): ErrorInfo | undefined;
}

interface InlineEntry {
  readonly fn?: ElectronFn;
  /** It goes before what a module registers. */
  readonly lepton?: true;
  readonly uses?: readonly string[];
  readonly reason?: string;
}
const INLINE = Symbol.for('polaron.inline.v1');
const isInlineEntry = (x: unknown): x is InlineEntry =>
  typeof x === 'object' && x !== null && ('fn' in x || 'uses' in x);

/** Functions that the bundle carries as text (sdk/ship/inline.ts). */
function inlineEntry(name: string): InlineEntry | undefined {
  const all: unknown = Reflect.get(globalThis, INLINE);
  const found: unknown = all instanceof Map ? all.get(name) : undefined;
  return isInlineEntry(found) ? found : undefined;
}

const refusalOf = ({ uses, reason }: InlineEntry): InlineRefusal => ({
  uses: uses ?? [],
  ...(reason === undefined ? {} : { reason }),
});

/** An import that does nothing for so long, ms, with nothing under way, waits for ever. */
const STUCK_MS = 1_000;
const IDLE_TURNS = 5;
/** At the first index so many electrons' captured values are read, before a task can change them. */
const MAX_EARLY_READS = 500;

const immediate = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));
const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

/** Are there operations under way that were not there before? */
function busySince(): () => boolean {
  const count = (): Map<string, number> => {
    const counts = new Map<string, number>();
    for (const kind of process.getActiveResourcesInfo()) counts.set(kind, (counts.get(kind) ?? 0) + 1);
    return counts;
  };
  const before = count();
  // Servers wait for others; pipes are also stdio, and a child process shows by itself.
  const never = new Set(['MessagePort', 'Immediate', 'TCPServerWrap', 'PipeServerWrap', 'TTYWrap', 'PipeWrap']);
  return () => [...count()].some(([kind, n]) => !never.has(kind) && n > (before.get(kind) ?? 0));
}

class Load implements LoadedBundle {
  readonly #options: LoadOptions;
  readonly #file: string | undefined;
  readonly #busy: () => boolean = busySince();
  readonly #startedAt = performance.now();
  readonly #deadlineMs: number;
  #state: 'loading' | 'evaluated' | 'failed' | 'stuck' = 'loading';
  #failure: unknown;
  /** Of floating promises and timers that top-level code started. */
  #lateError: { readonly error: unknown } | undefined;
  #halted: string | undefined;
  #bundleText: string | undefined;
  #readEarly = false;
  readonly #places = new WeakMap<ElectronEntry, Error>();

  constructor(file: string | undefined, options: LoadOptions) {
    this.#file = file;
    this.#options = options;
    this.#deadlineMs = options.deadlineMs ?? 30_000;
  }

  async start(file: string, argv: readonly string[]): Promise<void> {
    // argv[1] stays the runner's: an `if (main module)` guard must be false here.
    process.argv = [process.execPath, process.argv[1] ?? '', ...argv];
    process.setSourceMapsEnabled(true);
    const halt = (what: string): void => {
      this.#halted ??= what;
    };
    const known = registry();
    const before = known.agent;
    known.agent = {
      onHalt: (what) => halt(what.endsWith(')') ? what : `${what}()`),
      currentTask: this.#options.currentTask ?? (() => before?.currentTask()),
      ...(before?.lepton === undefined ? {} : { lepton: before.lepton }),
    };
    this.#rememberPlaces(known.electrons);
    const load = {
      sink: this.#options.sink ?? (() => undefined),
      onExit: (code: number | string | null | undefined) => halt(`process.exit(${code ?? ''})`),
      onError: (error: unknown) => {
        this.#lateError ??= { error };
      },
    };
    runAsLoad(load, () => import(pathToFileURL(file).href)).then(
      () => {
        this.#state = 'evaluated';
      },
      (error: unknown) => {
        this.#failure = error;
        this.#state = isExit(error) ? 'evaluated' : 'failed';
      },
    );
    await this.#until(() => this.#state !== 'loading' || this.#halted !== undefined, STUCK_MS);
    // Synchronous code after a floating dispatch() ends before its module's import does.
    for (let turn = 0; turn < 3 && this.#state === 'loading'; turn++) await immediate();
    if (this.#state === 'loading' && this.#halted === undefined) this.#state = 'stuck';
  }

  /** Waits for `done`, or until nothing has been under way for `idleMs`, or the deadline. */
  async #until(done: () => boolean, idleMs: number): Promise<void> {
    let idleTurns = 0;
    let idleSince = performance.now();
    for (let turn = 0; !done(); turn++) {
      const now = performance.now();
      if (now - this.#startedAt > this.#deadlineMs) return;
      if (this.#busy()) {
        idleTurns = 0;
        idleSince = now;
      } else if (++idleTurns > IDLE_TURNS && now - idleSince >= idleMs) return;
      await (turn < 20 ? immediate() : pause(2));
    }
  }

  /** In a bundle all modules are one file, so an entry's own `at` can't tell them apart; the stack of its registration can. */
  #rememberPlaces(entries: ElectronEntry[]): void {
    const push = (...added: ElectronEntry[]): number => {
      const stack = new Error('defined');
      for (const entry of added) this.#places.set(entry, stack);
      return Array.prototype.push.apply(entries, added);
    };
    Object.defineProperty(entries, 'push', { value: push, configurable: true, writable: true });
  }

  #placeOf(entry: ElectronEntry): string {
    const stack = this.#places.get(entry);
    return (
      (stack === undefined
        ? undefined
        : placeIn(stack)
            ?.replace(/^polaron:\/\/\//, '')
            .replace(/:\d+$/, '')) ?? entry.at
    );
  }

  get error(): ErrorInfo | undefined {
    return this.#loadError(undefined);
  }

  get haltedAt(): string | undefined {
    return this.#halted;
  }

  #loadError(electron: string | undefined): ErrorInfo | undefined {
    if (this.#state === 'failed') return loadError(electron, this.#failure, this.#options.agent);
    if (this.#state === 'stuck') return stuckError(electron, performance.now() - this.#startedAt, this.#options.agent);
    return undefined;
  }

  get(name: string): ElectronFn | undefined {
    if (this.#state === 'failed' || this.#state === 'stuck') return undefined;
    const inline = inlineEntry(name);
    const defined = inline?.lepton === true ? undefined : registry().electrons.find((entry) => entry.name === name);
    return defined?.fn ?? inline?.fn;
  }

  async find(name: string): Promise<{ readonly fn: ElectronFn } | { readonly error: ErrorInfo }> {
    const lepton = inlineEntry(name);
    if (lepton?.lepton === true && lepton.fn !== undefined) return { fn: lepton.fn };
    const entries = () => registry().electrons.filter((entry) => entry.name === name);
    const over = (): boolean => this.#state === 'failed' || this.#state === 'stuck' || this.#halted !== undefined;
    if (this.#file !== undefined)
      await this.#until(() => entries().length > 0 || over() || this.#lateError !== undefined, 0);
    const failed = this.#loadError(name);
    if (failed !== undefined) return { error: failed };
    const found = entries();
    const [first] = found;
    if (first !== undefined) {
      if (found.every((entry) => entry.fn === first.fn)) return { fn: first.fn };
      return { error: ambiguousError(name, [...new Set(found.map((entry) => this.#placeOf(entry)))]) };
    }
    const inline = inlineEntry(name);
    if (inline?.fn !== undefined) return { fn: inline.fn };
    if (this.#lateError !== undefined) return { error: loadError(name, this.#lateError.error, this.#options.agent) };
    const defined = registry().electrons.map((entry) => entry.name);
    return {
      error: notFoundError(name, defined, this.#halted, inline === undefined ? undefined : refusalOf(inline)),
    };
  }

  async index(
    electrons: readonly string[],
    captures: Readonly<Record<string, Readonly<Record<string, unknown>>>>,
  ): Promise<{ readonly electron: string; readonly error: ErrorInfo }[]> {
    const errors: { readonly electron: string; readonly error: ErrorInfo }[] = [];
    const fns = new Map<string, ElectronFn>();
    for (const electron of electrons) {
      const found = await this.find(electron);
      if ('error' in found) errors.push({ electron, error: found.error });
      else if (Object.hasOwn(captures, electron)) fns.set(electron, found.fn);
    }
    await this.#readAllOnce();
    const here = await readCaptures(fns);
    for (const electron of fns.keys()) {
      const difference = compareCaptures(electron, captures[electron] ?? {}, here[electron] ?? {});
      if (difference === undefined) continue;
      errors.push({ electron, error: { code: 'CAPTURE_MISMATCH', message: difference.message } });
    }
    return errors;
  }

  /** Captured values count as they were before the first task: a `let` that electrons change is no mismatch later. */
  async #readAllOnce(): Promise<void> {
    if (this.#readEarly) return;
    this.#readEarly = true;
    const all = registry().electrons.slice(0, MAX_EARLY_READS);
    await readCaptures(new Map(all.map((entry, at) => [String(at), entry.fn])));
  }

  explainTdz(error: unknown, electron: string): ErrorInfo | undefined {
    return explainTdz(error, electron, this.#halted, (name) => this.#hasLateClass(name));
  }

  #hasLateClass(name: string): boolean {
    if (this.#file === undefined) return false;
    this.#bundleText ??= readFileSync(this.#file, 'utf8');
    return this.#bundleText.includes(`var ${name}=class`);
  }
}

/**
 * Evaluates a bundle in this process: once per process. It resolves when the modules are evaluated, have halted, or have failed; failures are in the result.
 * Without a file there is nothing to load, and only `find`'s errors.
 *
 * `argv`: what followed the script's name on the user's command line.
 */
export async function loadBundle(
  file: string | undefined,
  argv: readonly string[],
  options: LoadOptions = {},
): Promise<LoadedBundle> {
  const load = new Load(file, options);
  if (file !== undefined) await load.start(file, argv);
  return load;
}

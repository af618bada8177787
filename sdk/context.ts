/**
 * `context()`: what a running electron may ask for. On an agent the runner answers; `.local()` runs have a small context of their own,
 * kept on globalThis so that every copy of the SDK in the process sees it.
 */
import { AsyncLocalStorage } from 'node:async_hooks';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { registry, type TaskContextShape } from '../bus/protocol/registry.ts';
import { PolaronError } from '../model/errors.ts';
import { errorSite } from './call-site.ts';
import { localLine } from './local-log.ts';

const LOCAL = Symbol.for('polaron.local-task.v1');

/** What a local run knows of itself. */
export interface LocalRunAbout {
  readonly latticeName: string;
  readonly metadata: Readonly<Record<string, string>>;
}
const ALONE: LocalRunAbout = { latticeName: 'local', metadata: {} };

class LocalTask implements TaskContextShape {
  readonly dispatchId = 'local';
  readonly nodeId: string;
  readonly attempt = 1;
  readonly electronName: string;
  readonly latticeName: string;
  readonly user = 'local';
  readonly metadata: Readonly<Record<string, string>>;
  readonly signal = new AbortController().signal;
  readonly injected = {};
  #scratchDir: string | undefined;

  constructor(nodeId: string, electronName: string, { latticeName, metadata }: LocalRunAbout) {
    this.nodeId = nodeId;
    this.electronName = electronName;
    this.latticeName = latticeName;
    this.metadata = Object.freeze({ ...metadata });
  }

  get scratchDir(): string {
    this.#scratchDir ??= mkdtempSync(join(tmpdir(), 'polaron-local-'));
    return this.#scratchDir;
  }

  /** Removes what it left. */
  over(): void {
    if (this.#scratchDir !== undefined) rmSync(this.#scratchDir, { recursive: true, force: true });
  }

  readonly log = (message: string, fields?: Record<string, unknown>): void => {
    process.stdout.write(`${localLine(message, fields)}\n`);
  };

  readonly progress = (): void => {
    // Nobody watches a local run.
  };
}

function localTasks(): AsyncLocalStorage<TaskContextShape> {
  const found: unknown = Reflect.get(globalThis, LOCAL);
  if (found instanceof AsyncLocalStorage) return found;
  const made = new AsyncLocalStorage<TaskContextShape>();
  Reflect.set(globalThis, LOCAL, made);
  return made;
}

/** Runs `body` as the task of this context. */
export const withTask = <T>(task: TaskContextShape, body: () => T): T => localTasks().run(task, body);

/** Runs `body` as a task of this process, so that `context()` works in it, until what it returns has settled. `about`: the lattice that it is run for. */
export function withLocalTask<T>(node: string, electron: string, body: () => T, about = ALONE): T {
  const task = new LocalTask(node, electron, about);
  let returned: T;
  try {
    returned = localTasks().run(task, body);
  } catch (error) {
    task.over();
    throw error;
  }
  if (!(returned instanceof Promise)) {
    task.over();
    return returned;
  }
  const over = (): void => task.over();
  returned.then(over, over);
  return returned;
}

/** The running electron's context. Raises OUTSIDE_ELECTRON outside one. */
export function context(): TaskContextShape {
  const task = registry().agent?.currentTask() ?? localTasks().getStore();
  if (task !== undefined) return task;
  throw new PolaronError('OUTSIDE_ELECTRON', `context() was called outside a running electron (${errorSite().at})`);
}

/**
 * `context()`: what a running electron may ask for. On an agent the runner answers; `.local()` runs have a small context of their own,
 * kept on globalThis so that every copy of the SDK in the process sees it.
 */
import { AsyncLocalStorage } from 'node:async_hooks';
import { mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { registry, type TaskContextShape } from '../bus/protocol/registry.ts';
import { PolaronError } from '../model/errors.ts';
import { errorSite } from './call-site.ts';

const LOCAL = Symbol.for('polaron.local-task.v1');

class LocalTask implements TaskContextShape {
  readonly dispatchId = 'local';
  readonly nodeId: string;
  readonly attempt = 1;
  readonly signal = new AbortController().signal;
  readonly injected = {};
  #scratchDir: string | undefined;

  constructor(nodeId: string) {
    this.nodeId = nodeId;
  }

  get scratchDir(): string {
    this.#scratchDir ??= mkdtempSync(join(tmpdir(), 'polaron-local-'));
    return this.#scratchDir;
  }

  log(message: string, fields?: Record<string, unknown>): void {
    process.stdout.write(fields === undefined ? `${message}\n` : `${message} ${JSON.stringify(fields)}\n`);
  }

  progress(): void {
    // Nobody watches a local run.
  }
}

function localTasks(): AsyncLocalStorage<TaskContextShape> {
  const found: unknown = Reflect.get(globalThis, LOCAL);
  if (found instanceof AsyncLocalStorage) return found;
  const made = new AsyncLocalStorage<TaskContextShape>();
  Reflect.set(globalThis, LOCAL, made);
  return made;
}

/** Runs `body` as a task of this process, so that `context()` works in it. */
export const withLocalTask = <T>(node: string, body: () => T): T => localTasks().run(new LocalTask(node), body);

/** The running electron's context. Raises NOT_ALLOWED outside one. */
export function context(): TaskContextShape {
  const task = registry().agent?.currentTask() ?? localTasks().getStore();
  if (task !== undefined) return task;
  throw new PolaronError('NOT_ALLOWED', `context() was called outside a running electron (${errorSite().at})`, {
    help: 'Call it inside the function of an electron, while that runs.',
  });
}

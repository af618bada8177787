/** Images of the engine, by name: found, or pulled from their registry, one pull at a time for each. Not here: who may use which (docs/guides/executors.md). */
import { deferred } from '../../model/deferred.ts';
import { PolaronError } from '../../model/errors.ts';
import type { ContainerOptions } from './container-options.ts';
import { engineRefusal, type Engine } from './engine.ts';
import { readJson, textIn } from './engine-json.ts';

export interface Image {
  readonly id: string;
  /** Whom it runs as; '': root. */
  readonly user: string;
}

export class Images {
  /** Ids of those in which the agent's Node.js doesn't find its libraries. */
  readonly needsLibraries = new Set<string>();
  readonly #engine: Engine;
  readonly #stopped = new AbortController();
  readonly #pulls = new Map<string, Promise<void>>();

  constructor(engine: Engine) {
    this.#engine = engine;
  }

  /** Rejects with CONTAINER_IMAGE in the engine's words, DISK_FULL, EXECUTOR_FAILED. */
  async obtain(name: string, pull: NonNullable<ContainerOptions['pull']>, signal: AbortSignal): Promise<Image> {
    const found = pull === 'always' ? undefined : await this.#find(name);
    if (found !== undefined) return found;
    if (pull === 'never')
      throw new PolaronError(
        'CONTAINER_IMAGE',
        `image "${name}" is not on the agent's machine, and option "pull" is "never"`,
      );
    await this.#pulled(name, signal);
    const pulled = await this.#find(name);
    if (pulled === undefined) throw new PolaronError('CONTAINER_IMAGE', `image "${name}" was pulled, and is not there`);
    return pulled;
  }

  async #find(name: string): Promise<Image | undefined> {
    const answer = await this.#engine.ask('GET', `/images/${encodeURIComponent(name)}/json`);
    if (answer.status === 404) return undefined;
    if (answer.status >= 400) throw engineRefusal(`image "${name}" can't be looked for`, answer, 'CONTAINER_IMAGE');
    const about = readJson(answer.body);
    const id = textIn(about, 'Id');
    return id === undefined ? undefined : { id, user: textIn(about, 'Config', 'User') ?? '' };
  }

  /** Nobody waits any more. */
  stop(): void {
    this.#stopped.abort();
  }

  /** Goes on for others when one gives up. Without a tag all of them would be pulled. */
  async #pulled(name: string, signal: AbortSignal): Promise<void> {
    const whole = /[:@][^/]*$/.test(name) ? name : `${name}:latest`;
    let pull = this.#pulls.get(whole);
    if (pull === undefined) {
      pull = this.#engine.pull(whole, this.#stopped.signal).finally(() => this.#pulls.delete(whole));
      this.#pulls.set(whole, pull);
    }
    const unwanted = deferred<never>();
    const giveUp = (): void => unwanted.reject(new PolaronError('EXECUTOR_FAILED', 'it is no longer wanted'));
    if (signal.aborted) giveUp();
    signal.addEventListener('abort', giveUp);
    try {
      await Promise.race([pull, unwanted.promise]);
    } finally {
      signal.removeEventListener('abort', giveUp);
    }
  }
}

/**
 * One container with a bridge in it, for one runner: made when the runner is wanted, removed with it. What goes wrong on the way is one coded error.
 * Invariants: C1 it is removed in every case, whether it was made, started or closed first, by the engine itself when the agent dies; C2 nothing of the agent but its
 * carried program, and what the operator allows, is seen in it. Not here: the runner (container-runners.ts), what the engine is told (container-config.ts).
 */
import type { Clock } from '../../model/clock.ts';
import { PolaronError } from '../../model/errors.ts';
import type { Log } from '../../model/log.ts';
import type { ErrorInfo } from '../../model/outcome.ts';
import { BridgeLink } from '../remote/bridge-link.ts';
import type { Carrier } from './carrier.ts';
import { containerConfig, WORK_DIR } from './container-config.ts';
import { startFailure } from './container-failure.ts';
import type { ContainerOptions } from './container-options.ts';
import type { EngineFacts } from './engine-facts.ts';
import { engineRefusal, type Engine } from './engine.ts';
import { textIn } from './engine-json.ts';
import type { Image, Images } from './images.ts';
import { allowedMounts, type MountRoot } from './mounts.ts';
import { removeContainer } from './removal.ts';
import { tarOf } from './tar.ts';

/** From the start of the container to the bridge's first word. */
const FIRST_WORD_MS = 60_000;
const STDERR_CHARS = 8 * 1024;

/** What the containers of an agent share. */
export interface ContainerHome {
  readonly engine: Engine;
  readonly facts: EngineFacts;
  readonly images: Images;
  readonly carrier: Carrier;
  readonly roots: readonly MountRoot[];
  readonly labels: Readonly<Record<string, string>>;
  readonly clock: Clock;
  readonly log: Log;
}

export class Container {
  readonly #home: ContainerHome;
  readonly #options: ContainerOptions;
  readonly #memoryMb: number | undefined;
  readonly #unwanted = new AbortController();
  readonly #opening: Promise<BridgeLink>;
  #id: string | undefined;
  #link: BridgeLink | undefined;
  #stderr = '';

  constructor(home: ContainerHome, options: ContainerOptions, memoryMb: number | undefined) {
    this.#home = home;
    this.#options = options;
    this.#memoryMb = memoryMb;
    this.#opening = this.#open();
    this.#opening.catch(() => undefined);
  }

  /** Rejects with CONTAINER_IMAGE, CONTAINER_NO_NODE, EXECUTOR_OPTION, DISK_FULL, EXECUTOR_FAILED. */
  get link(): Promise<BridgeLink> {
    return this.#opening;
  }

  /** All that runs in it ends at once, whatever the bridge does. */
  kill(): void {
    void this.#remove();
  }

  /** Resolves when it is removed, or can't be: the next life of the agent looks for it. */
  async close(): Promise<void> {
    this.#unwanted.abort();
    await this.#opening.catch(() => undefined);
    await Promise.all([this.#link?.close(), this.#remove()]);
  }

  async #open(): Promise<BridgeLink> {
    const { images, carrier } = this.#home;
    const { image: name, pull = 'missing', node = 'bring' } = this.#options;
    if (node === 'bring' && carrier.noNode !== undefined)
      throw new PolaronError(
        'CONTAINER_NO_NODE',
        `Node.js can't be brought: ${carrier.noNode}; take the image's by { node: 'image' }`,
      );
    const image = await images.obtain(name, pull, this.#unwanted.signal);
    await carrier.filled(image.id);
    for (;;) {
      const libraries = images.needsLibraries.has(image.id);
      const begun = await this.#begin(image, libraries);
      if (begun !== 'no-library') return begun;
      // once more, with those of the agent
      images.needsLibraries.add(image.id);
    }
  }

  async #begin(image: Image, libraries: boolean): Promise<BridgeLink | 'no-library'> {
    this.#wanted();
    const id = (this.#id = await this.#create(image, libraries));
    this.#stderr = '';
    try {
      return (this.#link = await this.#started(id));
    } catch (error) {
      await this.#remove();
      const failure = startFailure(this.#options, error, this.#stderr, libraries);
      if (failure === 'no-library') return failure;
      throw failure;
    }
  }

  /** Resolves when the bridge has said its first word. */
  async #started(id: string): Promise<BridgeLink> {
    const { engine, clock, log } = this.#home;
    this.#wanted();
    const stream = await engine.attach(id, (bytes) => {
      this.#stderr = (this.#stderr + bytes.toString('utf8')).slice(-STDERR_CHARS);
    });
    const link = new BridgeLink({
      stream,
      place: `container ${id.slice(0, 12)}`,
      clock,
      log: (level, message, fields) => {
        // until then it is an electron's error
        if (this.#link === link) log(level, message, fields);
      },
      lost: (reason) => this.#lost(reason),
    });
    const late = clock.after(FIRST_WORD_MS, () => link.stream.destroy());
    try {
      const started = await engine.ask('POST', `/containers/${id}/start`);
      const what = `a container of image "${this.#options.image}" can't be started`;
      if (started.status >= 400) throw engineRefusal(what, started, 'EXECUTOR_OPTION');
      await link.ready;
      return link;
    } catch (error) {
      link.stream.destroy();
      throw error;
    } finally {
      late.cancel();
    }
  }

  async #create(image: Image, libraries: boolean): Promise<string> {
    const { engine, facts, carrier, labels, roots } = this.#home;
    const options = this.#options;
    const mounts = allowedMounts(options.mounts ?? [], roots);
    const { network } = options;
    if (network !== undefined && network !== 'none' && network !== 'bridge')
      await engine.call(`option "network" (${JSON.stringify(network)})`, 'GET', `/networks/${network}`, {
        refused: 'EXECUTOR_OPTION',
      });
    const body = containerConfig({
      options,
      mounts,
      memoryMb: this.#memoryMb,
      imageId: image.id,
      volume: carrier.name,
      version: carrier.version,
      labels,
      facts,
      libraries,
    });
    const what = `a container of image "${options.image}" can't be made`;
    const made = await engine.call(what, 'POST', '/containers/create', { body, refused: 'EXECUTOR_OPTION' });
    const id = textIn(made, 'Id');
    if (id === undefined) throw new PolaronError('EXECUTOR_FAILED', `${what}: the container engine gave no id`);
    // root makes the folder itself
    if ((options.user ?? image.user) === '') return id;
    const archive = tarOf([{ path: `${WORK_DIR.slice(1)}/`, mode: 0o1777 }]);
    const put = await engine.ask('PUT', `/containers/${id}/archive?path=%2F`, { archive });
    if (put.status < 400) return id;
    this.#id = id;
    await this.#remove();
    throw engineRefusal(what, put);
  }

  /** Raises EXECUTOR_FAILED: its runner has been given up meanwhile. */
  #wanted(): void {
    if (this.#unwanted.signal.aborted) throw new PolaronError('EXECUTOR_FAILED', 'it is no longer wanted');
  }

  #lost(reason: Error | undefined): ErrorInfo {
    const said = [reason?.message ?? '', this.#stderr.trim().slice(-500)].filter((text) => text !== '').join('; ');
    const message = `its container has ended, or was removed${said === '' ? '' : `: ${said}`}`;
    return { code: 'EXECUTOR_FAILED', message };
  }

  async #remove(): Promise<void> {
    const id = this.#id;
    if (id === undefined) return;
    const { engine, clock, log } = this.#home;
    try {
      const why = await removeContainer(engine, clock, id);
      if (why === undefined) this.#id = undefined;
      else log('warn', `container ${id.slice(0, 12)} can't be removed: ${why}`);
    } catch (error) {
      const why = error instanceof Error ? error.message : String(error);
      log('warn', `container ${id.slice(0, 12)} can't be removed: ${why}`);
    }
  }
}

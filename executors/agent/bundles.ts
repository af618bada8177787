/**
 * Code bundles on disk, `<state>/node_modules/.bundles/<digest>.mjs`: below a node_modules of the agent's own, so that bare imports resolve as
 * usual. Each is fetched once, verified, and written under a temporary name first. Not here: loading one (runner/loader.ts).
 */
import { existsSync, mkdirSync } from 'node:fs';
import { rename, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Manifest } from '../../bus/protocol/agent.ts';
import { digestOf } from '../../bus/value/digest.ts';
import { encodeBody } from '../../bus/codec.ts';
import type { Digest } from '../../model/ids.ts';
import type { ValueInfo } from '../../model/outcome.ts';
import type { ExecutorCode } from '../executor.ts';
import { pull, type PullOptions } from './pull.ts';

/** Dispatches whose code is remembered. */
const KEPT = 1_000;

export class Bundles {
  readonly #options: PullOptions;
  readonly #dir: string;
  readonly #ready = new Set<Digest>();
  readonly #fetching = new Map<Digest, Promise<void>>();
  readonly #codes = new Map<string, ExecutorCode>();

  constructor(options: PullOptions, dir: string) {
    this.#options = options;
    this.#dir = dir;
    mkdirSync(dir, { recursive: true });
  }

  /** The code of a dispatch, without a promise when its bundle is here. */
  ready(manifest: Manifest): ExecutorCode | undefined {
    const { bundle } = manifest;
    if (bundle !== undefined && !this.#has(bundle.digest)) return undefined;
    const known = this.#codes.get(manifest.dispatch);
    if (known !== undefined) return known;
    const code = codeOf(manifest, bundle === undefined ? undefined : this.#fileOf(bundle.digest));
    if (this.#codes.size >= KEPT) this.#codes.clear();
    this.#codes.set(manifest.dispatch, code);
    return code;
  }

  /** Fetches a bundle if it isn't here. Raises VALUE_MISSING, VALUE_TOO_LARGE, the signal's reason, or the system's error (a full disk). */
  async fetch(bundle: ValueInfo, signal: AbortSignal): Promise<void> {
    while (!this.#has(bundle.digest)) {
      signal.throwIfAborted();
      const fetching = this.#fetching.get(bundle.digest);
      if (fetching === undefined) {
        const mine = this.#fetch(bundle, signal).finally(() => this.#fetching.delete(bundle.digest));
        this.#fetching.set(bundle.digest, mine);
        await mine;
      } else {
        // another task's; when that one gives up, this one goes on by itself
        await fetching.catch(() => undefined);
      }
    }
  }

  async #fetch(bundle: ValueInfo, signal: AbortSignal): Promise<void> {
    const bytes = await pull(this.#options, bundle, signal);
    const file = this.#fileOf(bundle.digest);
    await writeFile(`${file}.new`, bytes);
    await rename(`${file}.new`, file);
  }

  #has(digest: Digest): boolean {
    if (this.#ready.has(digest)) return true;
    if (!existsSync(this.#fileOf(digest))) return false;
    this.#ready.add(digest);
    return true;
  }

  #fileOf(digest: Digest): string {
    return join(this.#dir, `${digest}.mjs`);
  }
}

/** `key` holds what a process can't change after it has loaded: bundle and arguments. */
function codeOf(manifest: Manifest, bundleFile: string | undefined): ExecutorCode {
  const { argv, captures, bundle } = manifest;
  const key = digestOf(encodeBody([bundle?.digest ?? '', argv])).slice(0, 24);
  const captureKey = digestOf(encodeBody(captures)).slice(0, 24);
  return bundleFile === undefined
    ? { key, argv, captures, captureKey }
    : { bundleFile, key, argv, captures, captureKey };
}

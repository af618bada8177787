/**
 * Code bundles on disk, `<state>/node_modules/.bundles/<digest>.mjs`: below a node_modules of the agent's own, so that bare imports resolve as
 * usual. Each is fetched once and verified. Not here: loading one (runner/loader.ts).
 */
import type { Manifest } from '../../bus/protocol/agent.ts';
import { packagesOf, type Packages } from '../../bus/protocol/bundle-packages.ts';
import { digestOf } from '../../bus/value/digest.ts';
import { encodeBody } from '../../bus/codec.ts';
import type { Digest } from '../../model/ids.ts';
import type { ValueInfo } from '../../model/outcome.ts';
import { explainedDisk } from '../disk-full.ts';
import type { ExecutorCode } from '../executor.ts';
import { pull, type PullOptions } from './pull.ts';
import type { Shelf } from './shelf.ts';

/** Dispatches whose code is remembered. */
const KEPT = 1_000;
/** Larger arguments and captures aren't compared with those of other dispatches. */
const LARGEST_KEPT = 16 * 1024;

export class Bundles {
  readonly #options: PullOptions;
  readonly #shelf: Shelf;
  /** Fetched in this life, or compared with their digest since. */
  readonly #ready = new Set<Digest>();
  readonly #packages = new Map<Digest, Packages>();
  readonly #fetching = new Map<Digest, Promise<void>>();
  /** By dispatch, and by content. */
  readonly #codes = new Map<string, { readonly code: ExecutorCode; readonly bundle: Digest | undefined }>();
  readonly #equal = new Map<string, ExecutorCode>();

  constructor(options: PullOptions, shelf: Shelf) {
    this.#options = options;
    this.#shelf = shelf;
  }

  /** The code of a dispatch, without a promise when its bundle is here. */
  ready(manifest: Manifest): ExecutorCode | undefined {
    const { bundle } = manifest;
    if (bundle !== undefined && !this.#ready.has(bundle.digest)) return undefined;
    const known = this.#codes.get(manifest.dispatch);
    // a redispatch may have electrons in another bundle
    if (known !== undefined && known.bundle === bundle?.digest) return known.code;
    const code = this.#equalCode(manifest);
    remember(this.#codes, manifest.dispatch, { code, bundle: bundle?.digest });
    return code;
  }

  /** One object for all dispatches of the same code, arguments and captures. */
  #equalCode(manifest: Manifest): ExecutorCode {
    const { bundle, argv, captures } = manifest;
    const file = bundle === undefined ? undefined : this.#shelf.pathOf(nameOf(bundle.digest));
    const packages = bundle === undefined ? undefined : this.#packages.get(bundle.digest);
    const content = encodeBody([bundle?.digest ?? '', argv, captures]);
    if (content.length > LARGEST_KEPT) return codeOf(manifest, file, packages);
    const key = Buffer.from(content.buffer, content.byteOffset, content.byteLength).toString('latin1');
    let code = this.#equal.get(key);
    if (code === undefined) remember(this.#equal, key, (code = codeOf(manifest, file, packages)));
    return code;
  }

  /** Fetches a bundle if it isn't here. Raises VALUE_MISSING, VALUE_TOO_LARGE, DISK_FULL, the signal's reason, or the system's error. */
  async fetch(bundle: ValueInfo, signal: AbortSignal): Promise<void> {
    while (!this.#ready.has(bundle.digest)) {
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
    let bytes = await this.#shelf.whole(nameOf(bundle.digest));
    // one of an earlier life may have been damaged by a power cut
    if (bytes === undefined || digestOf(bytes) !== bundle.digest) {
      bytes = await pull(this.#options, bundle, signal);
      try {
        await this.#shelf.write(nameOf(bundle.digest), bytes);
      } catch (error) {
        throw explainedDisk(error, `its code has no room on the agent's disk`);
      }
    }
    const packages = packagesOf(bytes);
    if (packages !== undefined) this.#packages.set(bundle.digest, packages);
    this.#ready.add(bundle.digest);
  }
}

const nameOf = (digest: Digest): string => `${digest}.mjs`;

function remember<T>(codes: Map<string, T>, key: string, code: T): void {
  if (codes.size >= KEPT) codes.clear();
  codes.set(key, code);
}

/** `key` holds what a process can't change after it has loaded: bundle and arguments. */
function codeOf(manifest: Manifest, bundleFile: string | undefined, packages: Packages | undefined): ExecutorCode {
  const { argv, captures, bundle } = manifest;
  const key = digestOf(encodeBody([bundle?.digest ?? '', argv])).slice(0, 24);
  const captureKey = digestOf(encodeBody(captures)).slice(0, 24);
  const code = { key, argv, captures, captureKey };
  if (bundleFile === undefined) return code;
  return packages === undefined ? { bundleFile, ...code } : { bundleFile, ...code, packages };
}

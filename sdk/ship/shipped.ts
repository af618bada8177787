/** The words of code shipping: what goes in, what comes out. Not here: how it is made (bundle.ts, inline.ts). */
import type { Packages } from '../../bus/protocol/bundle-packages.ts';
import type { Digest } from '../../model/ids.ts';

/** One electron (or lattice) that agents must be able to find by name. */
export interface ShippedElectron {
  readonly name: string;
  readonly fn: (...args: never[]) => unknown;
  /** Where it was defined, `file:line`, for messages. */
  readonly at: string;
  /** The defining module: a path or a `file:` URL; undefined when it isn't a file (REPL, `node -e`). */
  readonly file: string | undefined;
  /** What is packed in place of the function's own text: a lepton's (lepton-text.ts). */
  readonly text?: string;
}

export interface BundleOptions {
  /** Packages that stay imports: agents have them. @default [] */
  readonly external?: readonly string[];
  /** Packages that stay imports and are installed on the agents (`deps.npm`), with their versions: the bundle says which of them it needs. @default {} */
  readonly packages?: Packages;
  /** The user's working folder: paths in messages are relative to it. */
  readonly cwd: string;
  /** @default $POLARON_HOME/cache/bundles */
  readonly cacheDir?: string;
  /** Bytes. @default 64 MiB */
  readonly maxBytes?: number;
  /** `inline`: send only the functions' own text. @default 'bundle' */
  readonly code?: 'bundle' | 'inline';
  /** Carry the text of self-contained electrons too, for those that their modules don't define at load. @default under a test runner */
  readonly inlineFallback?: boolean;
  /** A bundle made in this process is checked against its files at most once in so many ms. @default 1000 */
  readonly revalidateMs?: number;
  /** File that stands for the SDK on agents. @default the agent-shim next to the running SDK */
  readonly shim?: string;
}

/** A package with a native part that was left out of the bundle, because only another package imports it. */
export interface NativeHint {
  readonly package: string;
  readonly version: string;
  readonly importedBy: string;
  readonly reason: string;
}

export interface Bundle {
  /** One ES module, its source map inside as a data URL. */
  readonly code: Uint8Array;
  /** Of `code`: what it is stored and fetched by. */
  readonly digest: Digest;
  /** Of the code without its map: it stays the same when only comments or line breaks of the sources change. */
  readonly codeDigest: Digest;
  /** Of each electron's own code, by its name: see code-digest.ts. */
  readonly codes: Readonly<Record<string, Digest>>;
  /** The source map alone; its sources are `polaron:///relative/path.ts`. */
  readonly map?: Uint8Array;
  /** What the modules read at load that may differ on an agent; a line each. */
  readonly warnings: readonly string[];
  readonly hints: readonly NativeHint[];
  /** By another process, and found on disk. */
  readonly madeBefore?: true;
}

/** 64 MiB. */
export const DEFAULT_MAX_BUNDLE_BYTES = 64 * 1024 * 1024;

/**
 * A folder of whole files of the agent: values that it holds, its cache, its code. A file is there whole or not at all; a kill of the process loses none,
 * a power cut may lose any. Adapter: folder-shelf.ts. Not here: what is kept, and for how long (held-values.ts, blob-cache.ts, bundles.ts).
 */
/** A file that comes in pieces: one after the other, in order. */
export interface ShelfWriter {
  /** Empties it. */
  begin(): Promise<void>;
  /** Raises the system's error (a full disk). */
  write(bytes: Uint8Array): Promise<void>;
  /** It is there, whole, under this name. Raises the system's error. */
  finish(name: string): Promise<void>;
  /** Nothing is left of it. */
  abort(): Promise<void>;
}

export interface Shelf {
  /** Everything that lies there, the least recently used first. */
  list(): readonly { readonly name: string; readonly size: number }[];
  /** Where a file is, for a process that reads it by itself, or for `adopt`. */
  pathOf(name: string): string;
  /** All of a file, which counts as a use. Undefined when it isn't there. */
  whole(name: string): Promise<Uint8Array | undefined>;
  /** Bytes [offset, offset + length), fewer at its end. Undefined when it isn't there. */
  part(name: string, offset: number, length: number): Promise<Uint8Array | undefined>;
  /** Raises the system's error (a full disk). */
  write(name: string, bytes: Uint8Array): Promise<void>;
  /** Takes a file piece by piece. */
  begin(): ShelfWriter;
  /** Takes over a file from elsewhere on the machine. Raises the system's error. */
  adopt(name: string, file: string): void;
  /** Nothing happens when it isn't there. */
  remove(name: string): void;
}

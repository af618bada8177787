/**
 * Large results that the hub hasn't acknowledged: files that the hub pulls from here in chunks. A file lives as long as an outcome that names
 * it. Not here: small results, which travel inside `done`.
 */
import type { FinishedTask } from '../../bus/protocol/agent.ts';
import { digester } from '../../bus/value/digest.ts';
import { isDigest, type Digest } from '../../model/ids.ts';
import type { Outcome } from '../../model/outcome.ts';
import type { Shelf } from './shelf.ts';

const CHUNK_BYTES = 1024 * 1024;

/** The digest of the file that an outcome stands on; undefined when it travels whole. */
const fileOf = (outcome: Outcome): Digest | undefined =>
  outcome.status === 'completed' && outcome.bytes === undefined ? outcome.value.digest : undefined;

export class HeldValues {
  readonly #shelf: Shelf;
  readonly #uses = new Map<Digest, number>();

  /** Counts what the spool names and removes the rest. */
  constructor(shelf: Shelf, spooled: readonly FinishedTask[]) {
    this.#shelf = shelf;
    for (const { outcome } of spooled) this.#use(outcome);
    for (const { name } of shelf.list()) if (!isDigest(name) || !this.#uses.has(name)) shelf.remove(name);
  }

  /** Can the hub still get what this outcome names? Reads all of it. */
  async isWhole(outcome: Outcome): Promise<boolean> {
    const digest = fileOf(outcome);
    if (digest === undefined) return true;
    const { update, digest: found } = digester();
    for (let offset = 0; ; offset += CHUNK_BYTES) {
      const part = await this.#shelf.part(digest, offset, CHUNK_BYTES);
      if (part === undefined) return false;
      update(part);
      if (part.length < CHUNK_BYTES) return found() === digest;
    }
  }

  /** Takes over the file that a runner wrote. */
  adopt(outcome: Outcome, file: string): void {
    const digest = this.#use(outcome);
    if (digest !== undefined) this.#shelf.adopt(digest, file);
  }

  /** The outcome is acknowledged or dropped. Returns the file when nothing needs it any more: the caller owns it. */
  release(outcome: Outcome): { readonly digest: Digest; readonly size: number; readonly file: string } | undefined {
    const digest = fileOf(outcome);
    if (digest === undefined || outcome.status !== 'completed') return undefined;
    const uses = (this.#uses.get(digest) ?? 0) - 1;
    if (uses > 0) {
      this.#uses.set(digest, uses);
      return undefined;
    }
    this.#uses.delete(digest);
    return { digest, size: outcome.value.size, file: this.#shelf.pathOf(digest) };
  }

  /** Removes a released file that nobody wants. */
  discard(digest: Digest): void {
    this.#shelf.remove(digest);
  }

  /** Part of a held value; empty when there is none. */
  async read(digest: Digest, offset: number, length: number): Promise<Uint8Array> {
    const part = this.#uses.has(digest) ? await this.#shelf.part(digest, offset, length) : undefined;
    return part ?? new Uint8Array(0);
  }

  #use(outcome: Outcome): Digest | undefined {
    const digest = fileOf(outcome);
    if (digest !== undefined) this.#uses.set(digest, (this.#uses.get(digest) ?? 0) + 1);
    return digest;
  }
}

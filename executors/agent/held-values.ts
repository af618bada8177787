/**
 * Large results that the hub hasn't acknowledged: files that the hub pulls from here in chunks. A file lives as long as an outcome that names
 * it, or an electron reads it: what follows from an outcome may begin here before the hub has acknowledged it. Not here: small results, which travel inside `done`.
 */
import type { FinishedTask } from '../../bus/protocol/agent.ts';
import { digester } from '../../bus/value/digest.ts';
import { isDigest, type Digest } from '../../model/ids.ts';
import type { Outcome, ValueInfo } from '../../model/outcome.ts';
import type { LentFile } from './blob-cache.ts';
import type { Shelf } from './shelf.ts';

const CHUNK_BYTES = 1024 * 1024;

/** The digest of the file that an outcome stands on; undefined when it travels whole. */
const fileOf = (outcome: Outcome): Digest | undefined =>
  outcome.status === 'completed' && outcome.bytes === undefined ? outcome.value.digest : undefined;

/** Takes over a file that nothing here needs any more. False: it can't. */
export type TakeOver = (value: ValueInfo, file: string) => boolean;

export class HeldValues {
  readonly #shelf: Shelf;
  readonly #takeOver: TakeOver;
  /** By outcomes and by electrons. */
  readonly #uses = new Map<Digest, number>();

  /** Counts what the spool names and removes the rest. */
  constructor(shelf: Shelf, spooled: readonly FinishedTask[], takeOver: TakeOver) {
    this.#shelf = shelf;
    this.#takeOver = takeOver;
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
    const digest = fileOf(outcome);
    if (digest === undefined) return;
    this.#shelf.adopt(digest, file);
    this.#use(outcome);
  }

  /** The outcome is acknowledged or dropped. */
  release(outcome: Outcome): void {
    if (outcome.status === 'completed' && fileOf(outcome) !== undefined) this.#unuse(outcome.value, this.#takeOver);
  }

  /** The outcome's file is damaged or gone. */
  discard(outcome: Outcome): void {
    if (outcome.status === 'completed' && fileOf(outcome) !== undefined) this.#unuse(outcome.value, () => false);
  }

  /** The file of a value, which stays until it is given back; undefined when it isn't held. */
  lend(value: ValueInfo): LentFile | undefined {
    const { digest } = value;
    const uses = this.#uses.get(digest);
    if (uses === undefined) return undefined;
    this.#uses.set(digest, uses + 1);
    let out = true;
    const giveBack = (): void => {
      if (out) this.#unuse(value, this.#takeOver);
      out = false;
    };
    return { file: this.#shelf.pathOf(digest), first: () => this.#shelf.part(digest, 0, 1), giveBack };
  }

  /** All of a value; undefined when it isn't held. */
  async whole(value: ValueInfo): Promise<Uint8Array | undefined> {
    const lent = this.lend(value);
    const bytes = lent === undefined ? undefined : await this.#shelf.whole(value.digest);
    lent?.giveBack();
    return bytes?.length === value.size ? bytes : undefined;
  }

  /** Part of a held value; empty when there is none. */
  async read(digest: Digest, offset: number, length: number): Promise<Uint8Array> {
    const part = this.#uses.has(digest) ? await this.#shelf.part(digest, offset, length) : undefined;
    return part ?? new Uint8Array(0);
  }

  #use(outcome: Outcome): void {
    const digest = fileOf(outcome);
    if (digest !== undefined) this.#uses.set(digest, (this.#uses.get(digest) ?? 0) + 1);
  }

  #unuse(value: ValueInfo, takeOver: TakeOver): void {
    const { digest } = value;
    const uses = (this.#uses.get(digest) ?? 0) - 1;
    if (uses > 0) {
      this.#uses.set(digest, uses);
      return;
    }
    this.#uses.delete(digest);
    if (!takeOver(value, this.#shelf.pathOf(digest))) this.#shelf.remove(digest);
  }
}

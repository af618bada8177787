/**
 * Large results that the hub hasn't acknowledged: files that the hub pulls from here in chunks. A file lives as long as an outcome that names
 * it. Not here: small results, which travel inside `done`.
 */
import { existsSync, readdirSync, renameSync, rmSync } from 'node:fs';
import { open } from 'node:fs/promises';
import { join } from 'node:path';
import type { FinishedTask } from '../../bus/protocol/agent.ts';
import type { Digest } from '../../model/ids.ts';
import type { Outcome } from '../../model/outcome.ts';

/** The digest of the file that an outcome stands on; undefined when it travels whole. */
const fileOf = (outcome: Outcome): Digest | undefined =>
  outcome.status === 'completed' && outcome.bytes === undefined ? outcome.value.digest : undefined;

export class HeldValues {
  readonly #dir: string;
  readonly #uses = new Map<Digest, number>();

  /** Counts what the spool names and removes the rest. */
  constructor(dir: string, spooled: readonly FinishedTask[]) {
    this.#dir = dir;
    for (const { outcome } of spooled) this.#use(outcome);
    for (const name of readdirSync(dir)) {
      if (![...this.#uses.keys()].some((digest) => digest === name)) rmSync(join(dir, name), { force: true });
    }
  }

  /** Can the hub still get what this outcome names? */
  hasAllOf(outcome: Outcome): boolean {
    const digest = fileOf(outcome);
    return digest === undefined || existsSync(join(this.#dir, digest));
  }

  /** Takes over the file that a runner wrote. */
  adopt(outcome: Outcome, file: string): void {
    const digest = this.#use(outcome);
    if (digest !== undefined) renameSync(file, join(this.#dir, digest));
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
    return { digest, size: outcome.value.size, file: join(this.#dir, digest) };
  }

  /** Part of a held value; empty when there is none. */
  async read(digest: Digest, offset: number, length: number): Promise<Uint8Array> {
    if (!this.#uses.has(digest)) return new Uint8Array(0);
    const file = await open(join(this.#dir, digest)).catch(() => undefined);
    if (file === undefined) return new Uint8Array(0);
    try {
      const { bytesRead, buffer } = await file.read(Buffer.alloc(length), 0, length, offset);
      return buffer.subarray(0, bytesRead);
    } finally {
      await file.close();
    }
  }

  #use(outcome: Outcome): Digest | undefined {
    const digest = fileOf(outcome);
    if (digest !== undefined) this.#uses.set(digest, (this.#uses.get(digest) ?? 0) + 1);
    return digest;
  }
}
